#!/usr/bin/env bash
# Indexes that stay on a drive: build --disk, and what takes them.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

expect 0 generate -n 5000 -d 48 --clusters 50 --spread 0.4 -o base.fbin --queries 200 --query-output query.fbin
expect 0 groundtruth -i base.fbin -q query.fbin -k 10 -o truth.bin
expect 0 build -i base.fbin -o a.idx -R 24 --disk --pq-chunks 24
expect 0 verify a.idx
expect 0 info a.idx --json
equal "$(json out /on_drive /split /codec /has_vectors)" "$(printf 'true\tfalse\tpq8\ttrue')"
equal "$(json out /record_bytes)" $((48 * 4 + 25 * 4))
expect 0 info a.idx
has out "vectors beside edges: records of 292 bytes, 14 in a page of 4 KiB"
expect 0 info a.idx --memory --json
is "$(json out /memory_bytes)" 'x < 5000 * 48 * 4 / 3'

# The same answers whatever way it is read, and those of the same index in memory.
expect 0 convert -i a.idx -o memory.idx --output-format diskann
expect 0 info memory.idx --json
equal "$(json out /on_drive)" false
expect 0 search -i memory.idx -q query.fbin -k 10 -L 60 -o memory.txt
for way in auto threads mapped; do
  expect 0 search -i a.idx -q query.fbin -k 10 -L 60 --beam-width 1 --io $way -o $way.txt --json
  is "$(json out /reads)" 'x > 1 && x < 60'
  case $way in
    threads) [[ $(json out /io) =~ ^threads ]] || die "read by $(json out /io)" ;;
    mapped) equal "$(json out /io)" mapped ;;
  esac
  cmp -s auto.txt $way.txt || die "other hits by $way"
  expect 0 recall -g truth.bin -r $way.txt --json
  is "$(json out /recall)" 'x > 0.97'
done
expect 0 search -i a.idx -q query.fbin -k 10 --target-recall 0.95 -o hits.txt
expect 0 recall -g truth.bin -r hits.txt --json
is "$(json out /recall)" 'x > 0.92'

expect 0 benchmark -i a.idx -q query.fbin -g truth.bin -L 10,40 --rounds 1 --latency --throughput
has err "drive    "
has out "reads"
expect 0 benchmark -i a.idx -q query.fbin -g truth.bin -L 20 --rounds 1 --latency --simulate 300 --json
equal "$(json out /io)" simulated
is "$(json out /latency_mean_us)" 'x > 600'
is "$(json out /bytes_read)" "x > 4095 * $(json out /reads) && x < 4097 * $(json out /reads)"
expect 0 benchmark -i a.idx -q query.fbin -g truth.bin -L 20 --rounds 1 --throughput --cache 1M --json
json out /reads >cached
expect 0 benchmark -i a.idx -q query.fbin -g truth.bin -L 20 --rounds 1 --throughput --cache 0 --json
is "$(json out /reads)" "x > $(cat cached)"

# Larger pages take fewer reads and bring more bytes; through memory and back they stay what they were.
expect 0 benchmark -i a.idx -q query.fbin -g truth.bin -L 20 --rounds 1 --throughput --cache 0 --json
json out /reads >few
json out /bytes_read >few_bytes
expect 0 build -i base.fbin -o large.idx -R 24 --disk --pq-chunks 24 --page-size 16K
expect 0 info large.idx --json
equal "$(json out /page_bytes)" 16384
expect 0 benchmark -i large.idx -q query.fbin -g truth.bin -L 20 --rounds 1 --throughput --cache 0 --json
is "$(json out /bytes_read)" "x > 16383 * $(json out /reads) && x < 16385 * $(json out /reads)"
is "$(json out /reads)" "x < $(cat few)"
is "$(json out /bytes_read)" "x > $(cat few_bytes)"
expect 0 tune -i large.idx -q query.fbin
expect 0 info large.idx --json
equal "$(json out /page_bytes)" 16384
expect 3 build -i base.fbin -o no.idx --disk --page-size 5000
has err "page_bytes must be a power of two"
expect 3 build -i base.fbin -o no.idx --disk --page-size 1M
expect 2 build -i base.fbin -o no.idx --page-size 16K

# Long vectors stand apart from edges; into a drive's form and back.
expect 0 generate -n 600 -d 700 --clusters 20 -o long.fbin --queries 20 --query-output long_query.fbin
expect 0 build -i long.fbin -o long.idx -R 16 --quantize sq4
expect 0 convert -i long.idx -o long_drive.idx --output-format disk
expect 0 info long_drive.idx
has out "vectors apart from edges, since both are 2868 bytes, more than 2 KiB: edges of 68 bytes, 60 in a page of 4 KiB"
expect 0 search -i long.idx -q long_query.fbin -k 5 -L 100 -o one.txt
expect 0 search -i long_drive.idx -q long_query.fbin -k 5 -L 100 -o other.txt
cmp -s one.txt other.txt || die "other hits from the drive"
expect 0 tune -i long_drive.idx -q long_query.fbin
expect 0 info long_drive.idx --json
equal "$(json out /on_drive)" true
expect 0 verify long_drive.idx

# Microsoft's set for SSDs and back.
expect 0 convert -i a.idx -o theirs --output-format microsoft
expect 0 info theirs --json
equal "$(json out /kind /on_drive /codec /points)" "$(printf 'microsoft\ttrue\tpq8\t5000')"
expect 0 info theirs_disk.index
has out "Microsoft's disk index"
expect 0 verify theirs
expect 0 search -i theirs -q query.fbin -k 10 -L 60 -o theirs.txt --json
is "$(json out /reads)" 'x > 1'
expect 0 recall -g truth.bin -r theirs.txt --json
is "$(json out /recall)" 'x > 0.97'
expect 0 convert -i theirs -o again.idx --output-format disk
expect 0 verify again.idx
expect 4 convert -i a.idx -o theirs --output-format microsoft
expect 3 search -i theirs -q query.fbin -m ip
expect 8 tune -i theirs

# What cannot be.
expect 2 build -i base.fbin -o b.idx --disk --quantize sq4 --drop-vectors
expect 3 build -i base.fbin -o b.idx --disk --quantize none
expect 3 build -i base.fbin -o b.idx --quantize sq4 --pq-chunks 4
expect 3 build -i base.fbin -o b.idx --quantize pq8 --pq-chunks 49
expect 0 build -i base.fbin -o plain.idx -R 16 --quantize none
expect 0 convert -i plain.idx -o coded.idx --output-format disk
expect 0 info coded.idx --json
equal "$(json out /codec)" pq8
for flag in "--beam-width 2" "--cache 1M" "--io threads" "--cold" "--simulate 80"; do
  # shellcheck disable=SC2086
  expect 2 search -i plain.idx -q query.fbin $flag
  has err "for indexes on a drive"
done
expect 2 search -i a.idx -q query.fbin --map
expect 8 search -i a.idx -q query.fbin --range 2
expect 3 search -i a.idx -q query.fbin --io tape
expect 3 search -i a.idx -q query.fbin --beam-width 65
expect 3 search -i a.idx -q query.fbin --simulate -1
expect 3 search -i a.idx -q query.fbin --spreads -1
expect 2 search -i a.idx -q query.fbin --spreads 2 --target-recall 0.9
[ ! -e b.idx ] || die "something was left behind"

# Built in parts where memory is short: as good as in one go, within what was granted. AddressSanitizer takes memory and time of its own.
if ! grep -qa __asan_init "$diskann"; then
  expect 0 generate -n 50000 -d 96 --spread 0.3 -o many.fbin --queries 200 --query-output many_query.fbin
  expect 0 groundtruth -i many.fbin -q many_query.fbin -k 10 -o many_truth.bin
  expect 0 build -i many.fbin -o whole.idx -R 32 --disk --json
  whole=$(json out /peak_rss_bytes)
  expect 0 build -i many.fbin -o parts.idx -R 32 --disk --build-memory 40MiB --json
  is "$(json out /peak_rss_bytes)" "x <= 41943040 && 1.3 * x < $whole"
  [ ! -e parts.idx.build ] || die "something was left behind"
  expect 0 verify parts.idx
  for index in whole parts; do
    expect 0 search -i $index.idx -q many_query.fbin -k 10 -L 40 -o $index.bin
    expect 0 recall -g many_truth.bin -r $index.bin --json
    json out /recall > $index.recall
  done
  awk -v whole="$(cat whole.recall)" -v parts="$(cat parts.recall)" 'BEGIN { exit !(parts >= whole - 0.01) }' ||
    die "parts find $(cat parts.recall), the whole $(cat whole.recall)"
  expect 0 estimate -i many.fbin -R 32 --disk --build-memory 40MiB --json
  is "$(json out /build_bytes)" "20 * 1024 * 1024 < x <= 40 * 1024 * 1024"
  is "$(json out /parts)" "x >= 2"
  is "$(json out /beside_bytes)" "x > 3 * 4 * 33 * $(json out /points)"
  expect 7 estimate -i many.fbin -R 32 --disk --build-memory 18M
  has err "--build-memory"
  expect 7 build -i many.fbin -o less.idx -R 32 --disk --build-memory 18M
  grant=$(sed -n 's/.*grant \([0-9]*M\).*/\1/p' err)
  [ -n "$grant" ] || die "no number in $(cat err)"
  [ ! -e less.idx.build ] || die "it began"
  # Killed, it goes on and makes the same file.
  "$diskann" build -i many.fbin -o again.idx -R 32 --disk --build-memory 40MiB --resume --force > killed.out 2>&1 &
  for _ in $(seq 600); do
    if [ -e again.idx.build/order-3 ]; then break; fi
    sleep 0.05
  done
  kill -9 $!
  wait $! 2> /dev/null || true
  [ -e again.idx.build/order-3 ] || die "nothing to go on with"
  expect 4 build -i many.fbin -o again.idx -R 32 --disk --build-memory 40MiB --force
  has err "--resume"
  expect 3 build -i many.fbin -o again.idx -R 24 --disk --build-memory 40MiB --resume --force
  expect 0 build -i many.fbin -o again.idx -R 32 --disk --build-memory 40MiB --resume --force
  cmp -s again.idx parts.idx || die "another file than without being killed"
  [ ! -e again.idx.build ] || die "something was left behind"
fi
# As many chunks of codes as the memory for searches holds.
for memory in 150000 200000; do
  expect 0 build -i base.fbin -o granted.idx --disk --search-memory $memory --force
  expect 0 info granted.idx --memory --json
  is "$(json out /memory_bytes)" "x <= $memory && x > 0.85 * $memory"
done
expect 7 build -i base.fbin -o b.idx --disk --search-memory 50000
expect 7 build -i base.fbin -o b.idx --disk --quantize rabitq8 --search-memory 200000
has err "--use-pq"
expect 2 build -i base.fbin -o b.idx --search-memory 1M
expect 2 build -i base.fbin -o b.idx --disk --search-memory 1M --pq-chunks 3
expect 2 build -i base.fbin -o b.idx --build-memory 30M
expect 2 estimate -i base.fbin --build-memory 30M
expect 2 build -i base.fbin -o b.idx --disk --resume
expect 2 build -i base.fbin -o b.idx --disk --build-memory 30M --memory-limit 30M
expect 3 build -i base.fbin -o b.idx --disk --build-memory some

# A page that is not what was written is found when it is read.
size=$(stat -c %s a.idx)
cp a.idx bad.idx
expect 0 info a.idx --detailed --json
printf '\377\377\377\377' | dd of=bad.idx bs=1 seek=$((size / 2)) conv=notrunc status=none
expect 5 verify bad.idx
expect 5 search -i bad.idx -q base.fbin -k 10 -L 1000 -o bad.txt
[ ! -e bad.txt ] || die "hits of a broken index"
