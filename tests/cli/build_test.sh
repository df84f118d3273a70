#!/usr/bin/env bash
# build: what it says, what it writes, what it refuses.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

expect 0 generate --rows 1500 --dimension 16 --clusters 10 -o base.fbin --queries 40 --query-output query.fbin
expect 0 build -i base.fbin -o a.idx -m l2 -R 24 -L 50 -j 1
has err "memory"
has err "1,500 × 16 f32"
equal "$(cat out)" ""

# The estimate comes before the work is reported.
equal "$(grep -n memory err | cut -d: -f1)" 2
expect 0 build -i base.fbin -o quiet.idx --quiet
equal "$(cat err)" ""

expect 0 build -i base.fbin -o b.idx -m l2 -R 24 -L 50 -j 2 --json
equal "$(lines out)" 1
equal "$(cat err)" ""
equal "$(json out /command /index /metric /dtype /points /dimension /max_degree /search_list_size /threads)" \
  "$(printf 'build\tb.idx\tl2\tf32\t1500\t16\t24\t50\t2')"
equal "$(json out /index_bytes)" "$(stat -c %s b.idx)"
read -r build_s wall_s rss <<<"$(json out /build_s /build_wall_s /peak_rss_bytes)"
is "$build_s" 'x > 0'
is "$wall_s" "x >= $build_s"
is "$rss" 'x > 1000000'
json out /isa >/dev/null
is "$(json out /alpha)" 'x > 1.19 && x < 1.21'
# Threads change nothing, another seed does.
cmp -s a.idx b.idx || die "one and two threads built different files"
expect 0 build -i base.fbin -o seed.idx -R 24 -L 50 --seed 7
if cmp -s a.idx seed.idx; then die "the seed changed nothing"; fi
expect 0 build -i base.fbin -o alpha.idx -R 24 -L 50 --alpha 1.0
if cmp -s a.idx alpha.idx; then die "alpha changed nothing"; fi

# An index that exists is refused before anything is read, and replaced with --force.
sum=$(cksum <a.idx)
expect 4 build -i missing.fbin -o a.idx
has err "a.idx exists already"
has err "hint: "
equal "$(cksum <a.idx)" "$sum"
expect 0 build -i base.fbin -o a.idx -R 8 --force
expect 0 info a.idx --json
equal "$(json out /max_degree)" 8

# What is replaced leaves its permissions to what replaces it.
chmod 600 a.idx
expect 0 build -i base.fbin -o a.idx -R 8 --force
equal "$(stat -c %a a.idx)" 600
expect 0 convert -i a.idx -o ms --output-format microsoft
chmod 640 ms ms.data
expect 0 convert -i a.idx -o ms --output-format microsoft --force
equal "$(stat -c %a ms ms.data | tr '\n' ' ')" "640 640 "
expect 0 search -i a.idx -q query.fbin -k 3 -o hits.txt
chmod 600 hits.txt
expect 0 search -i a.idx -q query.fbin -k 3 -o hits.txt
equal "$(stat -c %a hits.txt)" 600
expect 0 generate -n 5 -d 4 -o few.fbin --labels labels.txt
chmod 600 few.fbin labels.txt
expect 0 generate -n 5 -d 4 -o few.fbin --labels labels.txt
equal "$(stat -c %a few.fbin labels.txt | tr '\n' ' ')" "600 600 "
# A folder is refused before the input is looked at.
mkdir folder
expect 4 build -i missing.fbin -o folder
expect 6 build -i missing.fbin -o folder --force
has err "folder"

# Whole numbers of 8 bits are found and said; --dtype forbids it.
expect 0 generate --rows 300 --dimension 8 --dtype u8 -o small.u8bin
expect 0 convert -i small.u8bin -o small.fvecs
expect 0 build -i small.fvecs -o small.idx
has err "losslessly"
expect 0 info small.idx --json
equal "$(json out /dtype /source_dtype)" "$(printf 'u8\tf32')"
expect 0 build -i small.fvecs -o kept.idx --dtype f32
has_not err "losslessly"
expect 0 info kept.idx --json
equal "$(json out /dtype /source_dtype)" "$(printf 'f32\tf32')"
# A conversion that would change a value is refused.
expect 3 build -i base.fbin -o no.idx --dtype u8
[ ! -e no.idx ] || die "a refused build left a file"
expect 0 build -i base.fbin -o half.idx --dtype f16
has err "stored   f32 as f16, each component rounded"
has_not err "lossless"
expect 0 info half.idx
has out "rounded, given as f32"
has_not out "lossless"
expect 0 build -i small.u8bin -o wide.idx --dtype f32
has err "stored   u8 as f32, losslessly"
has_not err "8 bits"
expect 0 info small.idx
has out "losslessly, given as f32"
expect 0 info half.idx --json
equal "$(json out /dtype)" f16

# A .bin file of one byte a value needs its type; --dtype gives it.
cp small.u8bin small.bin
expect 3 build -i small.bin -o bin.idx
has err "--dtype"
expect 0 build -i small.bin -o bin.idx --dtype u8
cmp -s bin.idx small.idx || [ "$(stat -c %s bin.idx)" -gt 0 ] || die "no index"
# A suffix that says nothing is overruled.
cp base.fbin vectors.dat
expect 3 build -i vectors.dat -o dat.idx
expect 0 build -i vectors.dat --input-format fbin -o dat.idx -R 24 -L 50
cmp -s dat.idx b.idx || die "--input-format built another index"

# Ids of one's own come back from the search.
seq 7000 7299 >ids.txt
expect 0 build -i small.u8bin -o ids.idx --ids ids.txt
expect 0 search -i ids.idx -q small.u8bin -k 1 --json --max-queries 3
equal "$(json out /query | tr '\n' ' ')" "0 1 2 "
for id in $(json out /ids/0); do is "$id" 'x >= 7000 && x < 7300'; done
# The largest id is one like others, wherever 64 bits can be written.
{ echo 18446744073709551615 && seq 7001 7299; } >ids.txt
expect 0 build -i small.u8bin -o largest.idx --ids ids.txt
expect 0 search -i largest.idx -q small.u8bin -k 300 -L 300 --max-queries 1 -o hits.txt --show-distances
[ "$(tr ' ' '\n' <hits.txt | grep -c '^18446744073709551615:')" = 1 ] || die "the largest id is not among the hits"
equal "$(wc -w <hits.txt)" 300
expect 0 recall -g hits.txt -r hits.txt -k 300
has out "1.0000"
expect 3 search -i largest.idx -q small.u8bin -k 300 -L 300 --max-queries 1 -o hits.bin
has err "18446744073709551615 does not fit the 32 bits"
expect 3 benchmark -i largest.idx -q small.u8bin -k 300 -L 300 --ids-dir . --max-queries 1
has err "18446744073709551615 does not fit 32 bits"
expect 0 verify largest.idx
expect 3 build -i base.fbin -o few.idx --ids ids.txt
[ ! -e few.idx ] || die "a refused build left a file"

# The memory limit refuses before reading, and says what would do.
expect 7 build -i base.fbin -o limit.idx --memory-limit 4K
has err "--memory-limit"
[ ! -e limit.idx ] || die "a refused build left a file"
expect 0 build -i base.fbin -o limit.idx --memory-limit 1.5GiB
expect 3 build -i base.fbin -o limit2.idx --memory-limit lots
expect 3 build -i base.fbin -o metric.idx -m manhattan
expect 3 build -i base.fbin -o degree.idx -R 1
for metric in l2 cosine ip; do
  expect 0 build -i base.fbin -o "$metric.idx" -m $metric
  expect 0 verify "$metric.idx"
done
expect 0 build -i base.fbin -o v.idx -v
has err "build graph"

# Codes to walk by: exact answers all the same.
expect 0 generate -n 4500 -d 24 -o coded.fbin --queries 40 --query-output coded-query.fbin
expect 0 groundtruth -i coded.fbin -q coded-query.fbin -k 10 -o coded-truth.bin
for codec in none f16 sq8 lvq8 sq4 mix rabitq1 rabitq6 pq4 pq8; do
  expect 0 build -i coded.fbin -o $codec.idx -R 24 --quantize $codec
  [ $codec = none ] || has err "codes    $codec"
  expect 0 verify $codec.idx
  expect 0 info $codec.idx --memory --json
  equal "$(json out /codec)" $codec
  is "$(json out /codes_bytes) " "x $([ $codec = none ] && echo '==' || echo '>') 0"
  expect 0 search -i $codec.idx -q coded-query.fbin -k 10 -L 4500 -o $codec.txt --show-distances
  cmp none.txt $codec.txt || die "hits by $codec differ"
  expect 0 benchmark -i $codec.idx -q coded-query.fbin -g coded-truth.bin -k 10 -L 50 --json
  equal "$(json out /codec)" $codec
  is "$(json out /recall)" 'x > 0.98'
done
expect 0 build -i small.u8bin -o bytes.idx --quantize sq8
has err "codes    none"
expect 3 build -i coded.fbin -o pq.idx --quantize sq3
has err "auto, none, f16, sq8, lvq8, sq4, mix, rabitq1 to rabitq8, pq4 or pq8"
for flags in "--use-pq pq8" "--use-pq --pq-bits 8 pq8" "--use-pq --pq-bits 4 pq4" "--quantize pq pq8" "--quantize pq --pq-bits 4 pq4" "--quantize pq8 --use-pq pq8"; do
  # shellcheck disable=SC2086
  expect 0 build -i coded.fbin -o pq.idx -R 24 ${flags% *} --force
  cmp pq.idx "${flags##* }.idx" || die "$flags"
done
expect 2 build -i coded.fbin -o none.idx --force --use-pq --pq-bits 5
has err "4 and 8"
expect 2 build -i coded.fbin -o none.idx --force --pq-bits 8
has err "without --use-pq"
expect 2 build -i coded.fbin -o none.idx --force --use-pq --quantize sq4
has err "leave one of them out"
expect 0 build -i coded.fbin -o auto.idx -R 24 --quantize auto
expect 0 info auto.idx --json
json out /codec | grep -Eqx 'none|sq8|sq4' || die "auto chose $(json out /codec)"
expect 0 search -i auto.idx -q coded-query.fbin -k 10 -L 4500 -o auto.txt --show-distances
cmp none.txt auto.txt || die "hits by what auto chose differ"

# Codes without vectors.
expect 0 build -i coded.fbin -o alone.idx -R 24 --quantize sq8 --drop-vectors
expect 0 verify alone.idx
expect 0 info alone.idx --memory --json
equal "$(json out /has_vectors) $(json out /vectors_bytes)" "false 0"
expect 0 benchmark -i alone.idx -q coded-query.fbin -g coded-truth.bin -k 10 -L 50 --json
is "$(json out /recall)" 'x > 0.95'
[ $(($(wc -c <alone.idx) + 4500 * 128)) -le $(($(wc -c <sq8.idx) + 8192)) ] || die "the vectors are still there"
expect 8 tune -i alone.idx -q coded-query.fbin -o tuned.idx
has err "holds no vectors"
expect 8 convert -i alone.idx -o theirs --output-format microsoft
expect 8 verify alone.idx --quality
has err "holds no vectors"
expect 0 search -i alone.idx -q coded-query.fbin -k 10 -o alone.txt --show-distances
has err "alone: distances are what they say"
for codec in none auto; do
  expect 3 build -i coded.fbin -o x.idx --quantize $codec --drop-vectors
  has err "only where codes are kept"
done
expect 3 build -i small.u8bin -o x.idx --quantize sq8 --drop-vectors
has err "stored as u8"

# The builder is the user's choice.
expect 0 build -i base.fbin -o partitioned.idx --builder partitioned -v
has err "find candidates"
has_not err "build graph"
expect 0 verify partitioned.idx
expect 0 generate -n 5000 -d 8 -o many.fbin
expect 0 build -i many.fbin -o many.idx -L 50
has err "builder  partitioned"
has err "-L is for the incremental builder"
expect 0 build -i many.fbin -o less.idx --builder incremental -L 50
has err "builder  incremental"
has_not err "-L is for"
expect 0 verify many.idx --quality
has out "recall@10"
expect 0 verify many.idx --quality --json
is "$(json out /recall)" 'x >= 0.95 && x <= 1'
is "$(json out /distance_computations)" 'x > 10 && x < 5000'
# Beside what was recorded of a graph with more edges.
cp out good.json
expect 0 build -i many.fbin -o sparse.idx -R 2
expect 0 verify sparse.idx --quality --reference good.json
has out "more distances than the $(json good.json /distance_computations | sed 's/\(\.[0-9]\).*/\1/')"
expect 0 verify sparse.idx --quality --reference good.json --json
is "$(json out /reference_distance_computations)" "x == $(json good.json /distance_computations)"
is "$(json out /distance_computations)" "x > 1.5 * $(json good.json /distance_computations)"
expect 2 verify sparse.idx --reference good.json
expect 4 verify sparse.idx --quality --reference missing.json
for text in '' '[]' '{"recall": 0.9}' '{"recall": 0.9, "hops": "many"}' '{"recall": 1, "hops": 1, "distance_computations": 0}'; do
  printf '%s' "$text" >bad.json
  expect 3 verify sparse.idx --quality --reference bad.json
  has err "verify INDEX --quality --json"
done
# What it says that it may take is what it takes, within a tenth: for rows enough that the process itself does not show.
if ! grep -qa __asan_init "$diskann"; then
  expect 0 generate -n 100000 -d 128 --clusters 0 --shape decay --dtype u8 -o large.u8bin
  expect 7 build -i large.u8bin -o large.idx -R 16 --builder partitioned --memory-limit 1M
  need=$(sed -n 's/.*may need \([0-9]*\) bytes.*/\1/p' err)
  expect 0 build -i large.u8bin -o large.idx -R 16 --builder partitioned --memory-limit "$need" --json
  is "$(json out /peak_rss_bytes)" "x <= $need && x >= 0.9 * $need"
  # Where the limit does not hold it, the other builder is chosen.
  expect 0 build -i large.u8bin -o large.idx -R 16 --memory-limit "$((need - 1))" --force
  has err "builder  incremental"
  # Ids count, in what is said as in what is allowed.
  seq 100000 >large.txt
  for builder in partitioned incremental; do
    expect 7 build -i large.u8bin -o large.idx -R 16 --builder $builder --memory-limit 1M --force
    need=$(sed -n 's/.*may need \([0-9]*\) bytes.*/\1/p' err)
    expect 7 build -i large.u8bin -o large.idx -R 16 --builder $builder --memory-limit "$need" --ids large.txt --force
    has err "may need $((need + 16 * 100000)) bytes"
  done
  rm large.*
  # Codes count, and what learning them takes for a while.
  expect 0 generate -n 6000 -d 1024 -o wide.fbin
  for codec in mix lvq8 rabitq8 pq8; do
    expect 7 build -i wide.fbin -o learnt.idx -R 16 --quantize $codec --memory-limit 1M
    need=$(sed -n 's/.*may need \([0-9]*\) bytes.*/\1/p' err)
    expect 0 build -i wide.fbin -o learnt.idx -R 16 --quantize $codec --memory-limit "$need" --json
    is "$(json out /peak_rss_bytes)" "x <= $need"
    rm learnt.idx
  done
  rm wide.fbin
fi
expect 0 build -i base.fbin -o few.idx --json
equal "$(json out /builder)" incremental
expect 3 build -i base.fbin -o quick.idx --builder quick
has err "auto, partitioned or incremental"
equal "$(find . -name '*.tmp*' | wc -l)" 0
