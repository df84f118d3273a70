#!/usr/bin/env bash
# Every exit code of the contract, with its message; nothing is left behind.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

expect 0 generate -n 300 -d 8 -o base.fbin --queries 10 --query-output query.fbin
expect 0 build -i base.fbin -o a.idx
before=$(ls)

# 2: the command line.
expect 2
expect 2 --nonsense
expect 2 biuld
has err "diskann: error: unknown command 'biuld'"
has err "  hint: did you mean build?"
expect 2 build -i base.fbin -o x.idx --max-degre 3
has err "did you mean --max-degree?"
expect 2 build -i base.fbin
has err "--output is required"
expect 2 build -i base.fbin -o x.idx -R many
expect 2 build -i base.fbin -o x.idx -j -1
expect 2 build -i base.fbin -o x.idx stray
expect 2 search -i a.idx -q query.fbin --quiet -v
has err "--quiet and -v contradict"
for threads in 1025 4294967295; do
  expect 2 estimate -i base.fbin -j $threads
  has err "--threads: expected 0 (all) to 1024 threads, found '$threads'"
done
expect 2 search -i a.idx -q query.fbin -k -1
expect 2 search -i a.idx -q query.fbin -k ""
expect 2 search -i a.idx -q query.fbin --max-queries -1
expect 2 generate -n 10 -d 4 -o same.fbin --queries 5 --query-output same.fbin

# No output is an input or another output, whatever the paths look like.
sums=$(cksum base.fbin query.fbin a.idx)
ln -s base.fbin link.fbin
expect 2 build -i base.fbin -o base.fbin --force
expect 2 build -i base.fbin -o ./base.fbin --force
has err "--output ./base.fbin would replace --input base.fbin"
has err "hint: give --output another name"
expect 2 build -i link.fbin -o base.fbin --force
expect 2 build -i base.fbin -o "$PWD/../${PWD##*/}/base.fbin" --force
expect 2 convert -i base.fbin -o ./base.fbin
expect 2 convert -i base.fbin -o base.fbin
expect 2 convert -i a.idx -o ./a.idx --output-format diskann --force
expect 2 convert -i a.idx -o ./a.idx --output-format microsoft --force
cp a.idx b.bin
expect 2 search -i b.bin -q query.fbin -o b.bin
cp query.fbin q.bin
expect 2 search -i a.idx -q q.bin -o ./q.bin
expect 2 groundtruth -i base.fbin -q q.bin -o ./q.bin
expect 2 groundtruth -i q.bin -q base.fbin -o ./q.bin
expect 2 generate -n 10 -d 4 -o g.fbin --labels ./g.fbin
expect 2 generate -n 10 -d 4 -o g.fbin --queries 5 --query-output "$PWD/g.fbin"
seq 300 >ids.txt
expect 2 build -i base.fbin -o ./ids.txt --ids ids.txt --force
expect 0 groundtruth -i base.fbin -q query.fbin -k 10 -o L10.bin
expect 2 benchmark -i a.idx -q query.fbin -g L10.bin -L 10 --ids-dir .
expect 2 benchmark -i a.idx -q query.fbin -g L10.bin --target-recall 0.1 -k 10 --ids-dir .
ln -s a.idx plot.svg
expect 2 benchmark -i a.idx -q query.fbin -g L10.bin --plot ./plot.svg
expect 0 convert -i a.idx -o ms --output-format microsoft
expect 2 convert -i ms -o ./ms.data --output-format diskann --force
expect 2 convert -i ms -o ms --output-format microsoft --force
expect 0 info ms
equal "$(cksum base.fbin query.fbin a.idx)" "$sums"
cmp -s b.bin a.idx || die "the index was replaced"
cmp -s q.bin query.fbin || die "the queries were replaced"
rm link.fbin b.bin q.bin ids.txt L10.bin plot.svg ms ms.data ms_metadata.bin
expect 0 search -i a.idx -q query.fbin -k 010 -o ten.ivecs # ten, not eight
equal "$(numbers ten.ivecs 0 1)" 10
expect 0 search -i a.idx -q query.fbin -k 1000000000000 -o all.ivecs
equal "$(numbers all.ivecs 0 1)" 300
rm ten.ivecs all.ivecs
expect 2 build -i missing.fbin -o "" # an unset variable of a script
has err "--output: expected a value"
for flag in -i -m --alpha --ids --memory-limit --dtype; do expect 2 build -i missing.fbin -o x.idx $flag ""; done
for later in --pq-bits --build-memory --quantize --layout; do expect 2 build -i base.fbin -o x.idx $later; done
expect 2 search -i a.idx --json
equal "$(json err /error/code /error/exit_code)" "$(printf 'Usage\t2')"
equal "$(cat out)" ""

# 3: values and data that cannot be right.
{ u32 2 2 && u32 0 0 0 0x7fc00000; } >nan.fbin
expect 3 build -i nan.fbin -o x.idx
has err "nan.fbin: row 1, column 1"
expect 3 info nan.fbin --validate
{ u32 1 8 && u32 0 0 0x7f800000 0 0 0 0 0; } >infinite.fbin
for range in "" "--range 3"; do
  # shellcheck disable=SC2086
  expect 3 search -i a.idx -q infinite.fbin $range
  has err "infinite.fbin: row 0, column 2"
done
expect 3 benchmark -i a.idx -q infinite.fbin
has err "infinite.fbin: row 0, column 2"
expect 3 groundtruth -i base.fbin -q infinite.fbin -o x.bin
has err "infinite.fbin: row 0, column 2"
expect 3 groundtruth -i infinite.fbin -q query.fbin -o x.bin
has err "infinite.fbin: row 0, column 2"
expect 3 convert -i infinite.fbin -o x.fbin --center
has err "infinite.fbin: row 0"
# The first bad row at every thread count: megabytes of good rows, then bad ones.
{ u32 40000 64 && head -c 9000000 /dev/zero && head -c 1240000 /dev/zero | tr '\0' '\377'; } >late.fbin
for threads in 1 2 3; do
  expect 3 build -i late.fbin -o x.idx -j $threads
  has err "late.fbin: row 35156, column 16"
done
expect 3 build -i base.fbin -o x.idx --dtype u8
has err "base.fbin: row 0, column 0"
expect 3 convert -i base.fbin -o x.u8bin --skip 3
has err "base.fbin, after the first 3 rows: row 0, column 0"
{ seq 299 && echo 7; } >ids.txt
expect 4 build -i base.fbin -o x.idx --ids ids.txt
has err "ids.txt: id 7 is given to two vectors, rows 6 and 299"
seq 299 >ids.txt
expect 3 build -i base.fbin -o x.idx --ids ids.txt
has err "ids.txt: 299 ids for 300 vectors"
rm late.fbin ids.txt
expect 0 generate -n 5 -d 9 -o nine.fbin
expect 3 search -i a.idx -q nine.fbin -k 1
has err "nine.fbin: the queries have 9 dimensions, a.idx has 8"
expect 3 groundtruth -i base.fbin -q nine.fbin -o x.bin
has err "nine.fbin: the queries have 9 dimensions, base.fbin has 8"
expect 3 search -i a.idx -q nine.fbin -k 1 --json
equal "$(json err /error/code)" DimensionMismatch
expect 3 search -i a.idx -q query.fbin -m cosine
{ u32 1 0 && u32 2 0 0; } >mixed.fvecs
expect 3 build -i mixed.fvecs -o x.idx
has err "row 1 (offset 8) has dimension 2, the first row has 1"
{ u32 2 0 0 && u32 2 0; } >cut.fvecs
expect 5 build -i cut.fvecs -o x.idx
rm nan.fbin infinite.fbin nine.fbin mixed.fvecs cut.fvecs

u32 0 8 >empty.fbin
for command in "search -i a.idx" "search -i a.idx --range 1 -o o.txt" "benchmark -i a.idx" "groundtruth -i base.fbin -o o.bin"; do
  # shellcheck disable=SC2086
  expect 3 $command -q empty.fbin
  has err "empty.fbin has no queries"
done
rm empty.fbin

mkfifo pipe
expect 3 generate -n 10 -d 4 --format fbin -o pipe
expect 3 build -i base.fbin -o pipe --force
[ -p pipe ] || die "a file took the place of a pipe"
# The same for every output, before the work: an input that is missing would be 4.
ln -s pipe to-pipe
ln -s /dev/full to-device
mkdir folder && ln -s folder to-folder
ln -s loop loop && ln -s loop.txt loop.txt
for link in to-pipe to-device; do cp -P $link $link.txt; done
for path in pipe to-pipe to-device; do
  expect 3 build -i missing.fbin -o $path --force
  has err "is a device, a pipe or a socket"
  equal "$(lines err)" 2
  expect 3 convert -i base.fbin --format fbin -o $path
  expect 3 generate -n 10 -d 4 -o fine.fbin --labels $path
  [ ! -e fine.fbin ] || die "refused after the work"
done
for path in folder to-folder loop; do
  expect 6 build -i missing.fbin -o $path --force
  expect 6 generate -n 10 -d 4 -o fine.fbin --labels $path
  [ ! -e fine.fbin ] || die "refused after the work"
done
for path in to-pipe.txt to-device.txt; do expect 3 search -i missing.idx -q query.fbin -o $path; done
for path in to-pipe to-device to-folder loop; do [ -L $path ] || die "a file took the place of a link"; done
ln -s pipe to-pipe.svg
expect 0 groundtruth -i base.fbin -q query.fbin -k 10 -o truth.bin
expect 3 benchmark -i missing.idx -q query.fbin -g truth.bin --plot to-pipe.svg
rm -r pipe to-* folder loop truth.bin
ln -s nowhere dangling
ln -s nowhere/below away
expect 2 generate -n 10 -d 4 --format fbin -o dangling --labels nowhere
expect 4 generate -n 10 -d 4 --format fbin -o away
has err "cannot write to nowhere"
# A link is followed, and stays.
expect 0 build -i base.fbin -o dangling
[ -L dangling ] || die "a file took the place of a link"
expect 0 verify nowhere
expect 4 build -i missing.fbin -o dangling
has err "dangling exists already"
expect 4 generate -n 10 -d 4 --format fbin -o dangling
expect 0 generate -n 10 -d 4 --format fbin -o dangling --force
[ -L dangling ] || die "a file took the place of a link"
equal "$(stat -c %s nowhere)" 168
rm dangling away nowhere
for flag in "-R 1" "-L 0" "--alpha 0.5"; do
  # shellcheck disable=SC2086
  expect 3 build -i missing.fbin -o x.idx $flag
done
: >no.txt
expect 3 build -i base.fbin -o x.idx --ids no.txt
rm no.txt

# 4: not there, or there already.
expect 4 build -i missing.fbin -o x.idx
has err missing.fbin
expect 4 search -i missing.idx -q query.fbin
expect 4 search -i a.idx -q missing.fbin
expect 4 info missing.idx
# Also where the name has no suffix that is known.
expect 4 build -i missing -o x.idx
has err "cannot open missing"
expect 4 estimate -i missing
expect 4 convert -i missing -o x.fbin
expect 4 search -i a.idx -q missing
expect 4 groundtruth -i missing -q query.fbin -o x.bin
expect 4 groundtruth -i base.fbin -q missing -o x.bin
expect 4 build -i base.fbin -o x.idx --ids missing
expect 4 recall -g missing -r missing
# What else is wrong with a path is of the system.
ln -s loop loop && ln -s loop.txt loop.txt
expect 6 search -i a.idx -q loop
expect 6 groundtruth -i base.fbin -q "$(printf 'x%.0s' {1..300})" -o x.bin
expect 6 recall -g loop -r loop
expect 6 search -i a.idx -q query.fbin -o loop.txt
rm loop loop.txt
mkfifo waits.txt
expect 6 recall -g waits.txt -r waits.txt
has err "a regular file is needed"
rm waits.txt
# Of queries that are ids nothing is guessed.
{ u32 300 8 && for _ in {1..300}; do u32 1 2 3 4 5 6 7 8; done; } >ids.bin
expect 3 search -i a.idx -q ids.bin
has err "look like ids"
{ u32 300 8 && for _ in {1..300}; do u32 1 2 400000000 4 5 4294967295 7 8; done; } >ids.bin
expect 3 search -i a.idx -q ids.bin
rm ids.bin
expect 3 recall -g base.fbin -r base.fbin
has err ".txt, .json, .ivecs, .bin or .ibin"
expect 4 verify missing.idx
expect 4 build -i base.fbin -o a.idx
expect 4 build -i base.fbin -o nowhere/x.idx

# 4: no command replaces an index without --force, whatever it writes. Refused before the work: an input is missing.
refused() {
  local file=$1
  shift
  cp a.idx "$file"
  expect 4 "$@"
  has err "$file exists already and is an index"
  has err "--force"
  cmp -s a.idx "$file" || die "$1 replaced an index"
}
replaced() {
  local file=$1
  shift
  cp a.idx "$file"
  expect 0 "$@" --force
  cmp -s a.idx "$file" && die "$1 --force replaced nothing"
  rm "$file"
}
expect 0 groundtruth -i base.fbin -q query.fbin -k 10 -o truth.bin
mkdir ids
ids="-L 10 --ids-dir ids"
plot="-g truth.bin -L 10 --plot o.svg"
for way in refused replaced; do
  [ $way = refused ] && from=missing || from=base
  [ $way = refused ] && index=missing.idx || index=a.idx
  $way o.bin search -i $index -q query.fbin -o o.bin
  $way o.bin search -i $index -q query.fbin --range 1 -o o.bin
  $way o.bin groundtruth -i $from.fbin -q query.fbin -k 10 -o o.bin
  $way o.bin convert -i base.fbin --format fbin -o o.bin
  $way o.bin generate -n 10 -d 4 --format fbin -o o.bin
  $way o.txt generate -n 10 -d 4 -o fine.fbin --labels o.txt
  $way o.bin generate -n 10 -d 4 --format fbin -o fine.fbin --queries 5 --query-output o.bin
  [ $way = refused ] && [ -e fine.fbin ] && die "refused after the work"
  # shellcheck disable=SC2086
  $way o.svg benchmark -i $index -q query.fbin $plot
  # shellcheck disable=SC2086
  $way ids/L10.bin benchmark -i $index -q query.fbin $ids
  rm -f o.* ids/*
done
# A list that --target-recall finds is known late, but before it is measured.
refused ids/L10.bin benchmark -i a.idx -q query.fbin -g truth.bin --target-recall 0.1 --ids-dir ids
expect 2 search -i a.idx -q query.fbin --force
expect 2 benchmark -i a.idx -q query.fbin --force
# Microsoft's as well.
expect 0 convert -i a.idx -o ms --output-format microsoft
for file in ms ms.data ms_metadata.bin; do
  expect 4 generate -n 10 -d 4 --format fbin -o $file
  has err "$file exists already and is an index, or of one"
done
for part in ms ms.data ms_metadata.bin; do
  ln -s $part linked.txt
  expect 4 search -i a.idx -q query.fbin -o linked.txt
  rm linked.txt
done
expect 0 info ms
# A link that leads nowhere is a file of the set to readers, and goes with it.
ln -s nowhere ms.tags
expect 0 convert -i a.idx -o ms --output-format microsoft --force
expect 0 info ms
[ -L ms.tags ] && die "a link of the old set is left"
printf 'not ours' >out_disk.index
expect 0 search -i a.idx -q query.fbin -o out_disk.index.txt
expect 0 info out_disk.index.txt
expect 4 generate -n 10 -d 4 --format fbin -o out_disk.index
rm out_disk.index out_disk.index.txt
rm -r ids fine.fbin truth.bin ms ms.data ms_metadata.bin

# 5: not an index, cut, or from the future.
expect 5 search -i base.fbin -q query.fbin
expect 5 verify base.fbin
head -c 3000 a.idx >cut.idx
expect 5 search -i cut.idx -q query.fbin
has err "diskann: error: "
head -c 500 base.fbin >cut.fbin
expect 5 build -i cut.fbin -o x.idx
head -c 5000 /dev/zero >zero.idx
expect 5 search -i zero.idx -q query.fbin
rm cut.idx cut.fbin zero.idx

# What a file holds reaches the terminal as text, never as an escape sequence.
printf '0 \033[2J\302\2331m 1\n' >escape.txt
expect 5 recall -g escape.txt -r escape.txt
has err '\x1b[2J\xc2'
if LC_ALL=C grep -q $'\033' err; then die "an escape sequence reached the terminal"; fi
rm escape.txt

# 6: the system refuses.
expect 6 build -i base.fbin -o base.fbin/x.idx
has err "cannot write to base.fbin: Not a directory"
has err "a part of the path is a file"
expect 6 build -i base.fbin/x.fbin -o x.idx
has err "Not a directory"
expect 6 benchmark -i a.idx -q query.fbin --ids-dir base.fbin
has err "Not a directory"
expect 6 build -i base.fbin -o .. --force
has err "name a file in it"
expect 6 search -i a.idx -q query.fbin -o base.fbin/hits.txt
code=0
"$diskann" info >/dev/full 2>err || code=$?
equal "$code" 6
has err "No space left"
code=0
"$diskann" search -i a.idx -q query.fbin --json >/dev/full 2>err || code=$?
equal "$code" 6
equal "$(json err /error/code)" Io
cp a.idx old.idx
for output in "build -i base.fbin -o old.idx --force" "generate -n 3000 -d 8 -o big.fbin"; do
  # shellcheck disable=SC2086
  (ulimit -f 10 && expect 6 $output) # blocks of 1,024 bytes
  has err "File too large"
  has err "ulimit -f"
done
cmp -s a.idx old.idx || die "a write that failed changed the old index"
rm old.idx
if [ "$(id -u)" -ne 0 ]; then
  mkdir locked && chmod 555 locked
  expect 6 build -i base.fbin -o locked/x.idx
  rmdir locked
fi

# 7: the budget.
expect 7 build -i base.fbin -o x.idx --memory-limit 1000 --json
equal "$(json err /error/code /error/exit_code)" "$(printf 'OutOfMemory\t7')"

equal "$(ls)" "$before"
