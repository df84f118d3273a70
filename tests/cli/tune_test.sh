#!/usr/bin/env bash
# tune, build --tune and search --target-recall: searches by the recall they should have.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

expect 0 generate -n 6000 -d 24 --clusters 60 --spread 0.4 -o base.fbin --queries 500 --query-output query.fbin
expect 0 groundtruth -i base.fbin -q query.fbin -k 10 -o truth.bin

# A build measures on stored rows.
expect 0 build -i base.fbin -o a.idx -R 16 --quantize sq4
has err "stored rows"
expect 0 info a.idx --json
equal "$(json out /calibration_queries /calibration_stored_rows)" "$(printf '256\ttrue')"
equal "$(json out /calibration/0/search_list_size)" 10
expect 0 info a.idx --detailed
has out "recall   @10"
has out "list     10"
for target in 0.9 0.99; do
  expect 0 search -i a.idx -q query.fbin -k 10 --target-recall $target -o hits.txt --json
  json out /search_list_size >>sizes
  expect 0 recall -g truth.bin -r hits.txt --json
  is "$(json out /recall)" "x >= $target - 0.03"
done
is "$(sed -n 2p sizes)" "x > $(sed -n 1p sizes)"

# On queries: in another file, and then in place.
cp a.idx before.idx
expect 0 tune -i a.idx -q query.fbin -o b.idx
has out "of 500 queries"
cmp -s a.idx before.idx || die "tune -o changed its input"
expect 4 tune -i a.idx -q query.fbin -o b.idx
expect 0 tune -i a.idx -q query.fbin -o b.idx --force
expect 0 tune -i a.idx -q query.fbin --json
equal "$(json out /command /index /calibration_queries)" "$(printf 'tune\ta.idx\t500')"
cmp -s a.idx b.idx || die "tune in place and into another file differ"
expect 0 verify a.idx
expect 0 search -i a.idx -q query.fbin -k 10 --target-recall 0.95 -o hits.txt
expect 0 recall -g truth.bin -r hits.txt --json
is "$(json out /recall)" 'x >= 0.945'
expect 0 tune -i a.idx
has out "of 1,024 stored rows"

expect 0 build -i base.fbin -o c.idx -R 16 --quantize sq4 --tune query.fbin
has err "of 256 queries"

# What cannot be.
expect 2 search -i a.idx -q query.fbin --target-recall 0.9 -L 30
expect 2 search -i a.idx -q query.fbin --target-recall 0.9 --accurate
expect 2 search -i a.idx -q query.fbin --target-recall 0.9 --range 2
for target in 0 1.5 -1; do expect 3 search -i a.idx -q query.fbin --target-recall $target; done
expect 2 tune -i a.idx --force
expect 2 tune
expect 4 tune -i a.idx -q missing.fbin
expect 4 tune -i missing.idx
expect 0 generate -n 10 -d 7 -o other.fbin
expect 3 tune -i a.idx -q other.fbin
expect 3 build -i base.fbin -o d.idx --tune other.fbin
expect 2 tune -i a.idx -q query.fbin -o query.fbin
expect 0 convert -i a.idx -o ms --output-format microsoft
expect 8 tune -i ms -q query.fbin
has err "convert it first"
expect 0 convert -i ms -o own.idx -m l2 --dtype f32 --output-format diskann
expect 8 search -i own.idx -q query.fbin --target-recall 0.9
has err "diskann tune"
expect 0 tune -i own.idx
expect 0 search -i own.idx -q query.fbin --target-recall 0.9
