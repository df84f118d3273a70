#!/usr/bin/env bash
# estimate: what it foretells is what build does.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

expect 0 generate -n 6000 -d 24 --clusters 0 --shape decay -o base.fbin
for flags in "-m l2 -R 24" "-m cosine --dtype f16" "-m ip -L 50" "-R 12 -j 1"; do
  read -ra words <<<"$flags"
  expect 0 build -i base.fbin -o a.idx "${words[@]}" --quantize none --force --json
  built=$(json out /builder /threads /max_degree /metric)
  expect 0 estimate -i base.fbin "${words[@]}" --quantize none --json
  equal "$(lines out)" 1
  equal "$(cat err)" ""
  equal "$(json out /builder /threads /max_degree /metric)" "$built"
  equal "$(json out /points /dimension /dtype)" "$(printf '6000\t24\tf32')"
  equal "$(json out /index_bytes)" "$(stat -c %s a.idx)"
  is "$(json out /build_s)" 'x > 0'
  equal "$(json out /samples/0/points)" 2000
  # Memory by component, as build and its limit have it.
  read -r all vectors graph scratch <<<"$(json out /build_bytes /vectors_bytes /graph_bytes /scratch_bytes)"
  equal "$all" "$((vectors + graph + scratch))"
  rm a.idx
  words+=(--builder "$(json out /builder)")  # or another would be chosen that takes less
  expect 7 build -i base.fbin -o a.idx "${words[@]}" --memory-limit $((all - 1))
  has err "$all bytes"
  expect 7 estimate -i base.fbin "${words[@]}" --memory-limit $((all - 1))
  has err "$all bytes"
  expect 0 estimate -i base.fbin "${words[@]}" --memory-limit "$all"
done
equal "$(ls -- *.idx 2>/dev/null)" ""

# For people: six lines, the results on standard output.
expect 0 estimate -i base.fbin -R 24 --quiet
equal "$(cut -c1-9 out | tr -d ' ' | tr '\n' ' ')" "input builder memory index search time "
has out "6,000 × 24 f32"
has out "on "
equal "$(cat err)" ""
# A limit that holds only the other builder chooses it, here as in build.
expect 0 estimate -n 8000 -d 32 --dtype u8 -R 32 --json
equal "$(json out /builder)" partitioned
need=$(json out /build_bytes)
expect 0 estimate -n 8000 -d 32 --dtype u8 -R 32 --json --memory-limit $((need - 1))
equal "$(json out /builder)" incremental

# Without a file: generated rows of that type; far less is built than asked for.
expect 0 estimate --count 2000000000 --dimensions 8 --dtype u8 -R 8
has out "2,000,000,000 × 8 u8"
has out "generated rows"
is "$(grep '^time' out | tr -cd : | wc -c)" 'x >= 2'
expect 0 estimate --count 300 --dimensions 8 --json
equal "$(json out /builder /dtype)" "$(printf 'incremental\tf32')"

# More rows like those of a file, of which all are built.
expect 0 estimate -i base.fbin --count 1000000 -R 24 --quantize none --json
equal "$(json out /points /builder)" "$(printf '1000000\tpartitioned')"
equal "$(json out /samples/1/points)" 6000
is "$(json out /build_s)" "x > 100 * $(json out /samples/1/build_s)"
expect 0 estimate -i base.fbin --count 500 --json
equal "$(json out /points /builder /samples/0/points)" "$(printf '500\tincremental\t500')"

# Whole numbers of 8 bits are noticed.
expect 0 generate -n 900 -d 70 --dtype u8 -o small.u8bin
expect 0 convert -i small.u8bin -o small.fvecs
expect 0 estimate -i small.fvecs
has out "fits u8"
expect 0 estimate -i small.fvecs --json
equal "$(json out /dtype /sampled_dtype)" "$(printf 'f32\tu8')"
expect 0 estimate -i small.fvecs --dtype f32
has_not out "fits"
# As build reads it, suffix or not.
cp small.u8bin small.dat
expect 0 estimate -i small.dat --input-format u8bin --quantize none --json
equal "$(json out /vectors_bytes)" $((900 * (128 + 70)))
cp small.u8bin small.bin
expect 3 estimate -i small.bin
expect 0 estimate -i small.bin --dtype u8

# For a drive the graph alone is timed, in parts where memory is short.
expect 0 estimate -i small.fvecs --disk --json
is "$(json out /graph_s)" 'x > 0'
expect 0 estimate -i small.fvecs --disk --build-memory 1G
has out "in one go"
has out "fits u8"
has out "1 part"
expect 2 estimate -i small.dat --input-format u8bin --disk --build-memory 1G
expect 3 estimate -i small.u8bin --disk --build-memory 1G --quantize sq8
expect 0 estimate --count 1000000 --dimensions 128 --dtype u8 --disk --build-memory 122MiB
has out "in 32 parts of 62,500 rows on average, each row in two"
has out "122.0 MiB at most"
expect 0 estimate --count 1000000 --dimensions 128 --dtype u8 --disk --build-memory 122MiB --json
equal "$(json out /parts /part_points)" "$(printf '32\t62500')"

# What is wrong is said, with what to do.
expect 2 estimate
has err "-i FILE"
expect 2 estimate --count 10
has err "--dimensions"
expect 2 estimate -i base.fbin --dimensions 10
has err "hint: "
expect 2 estimate --count 10 --dimensions 4 --input-format fbin
expect 4 estimate -i missing.fbin
expect 3 estimate --count 0 --dimensions 4
expect 3 estimate --count 10 --dimensions 70000
expect 3 estimate --count 3000000000 --dimensions 4
expect 3 estimate --count 10 --dimensions 4 -R 1
{ u32 1 2 && printf '\0\0\xc0\x7f\0\0\0\0'; } >nan.fbin
expect 3 estimate -i nan.fbin
has err "nan.fbin"
