#!/usr/bin/env bash
# search: the forms of its answers, and that they are right.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

expect 0 generate --rows 2000 --dimension 12 --clusters 8 -o base.fbin --queries 30 --query-output query.fbin
expect 0 build -i base.fbin -o a.idx -R 32
expect 0 groundtruth -i base.fbin -q query.fbin -k 10 -o truth.bin

for form in txt json ivecs bin; do
  expect 0 search -i a.idx -q query.fbin -k 10 -o "hits.$form"
  has err "wrote hits.$form"
  equal "$(cat out)" ""
  expect 0 recall -g truth.bin -r "hits.$form" --json
  equal "$(json out /queries /k)" "$(printf '30\t10')"
  is "$(json out /recall)" 'x >= 0.99'
done
equal "$(lines hits.txt)" 30
equal "$(head -n 1 hits.txt | wc -w)" 10
equal "$(numbers hits.bin 0 2)" "30 10"
equal "$(numbers hits.bin 8 10)" "$(head -n 1 hits.txt)"
equal "$(numbers hits.ivecs 0 11)" "10 $(head -n 1 hits.txt)"
expect 0 search -i a.idx -q query.fbin -k 10 -o with.txt --show-distances
equal "$(head -n 1 with.txt | sed 's/:[^ ]*//g')" "$(head -n 1 hits.txt)"
expect 2 search -i a.idx -q query.fbin -k 10 -o no.ivecs --show-distances
# Refused where it would change nothing.
expect 2 search -i a.idx -q query.fbin -k 10 -o no.bin --show-distances
has err "always holds distances"
expect 2 search -i a.idx -q query.fbin --range 1 -o no.bin --show-distances
expect 2 search -i a.idx -q query.fbin -k 10 --show-distances
expect 2 search -i a.idx -q query.fbin -k 10 --show-distances --json
mkdir folder.txt
expect 6 search -i missing.idx -q query.fbin -o folder.txt # before the search, not after it
expect 3 search -i missing.idx -q query.fbin -o results.xyz
has err "names no format of result files"
expect 3 search -i missing.idx -q query.fbin -o results.ivecs --range 1
expect 3 groundtruth -i missing.fbin -q query.fbin -o truth.xyz

# The same hits whatever the threads and the mapping.
expect 0 search -i a.idx -q query.fbin -k 10 -o one.bin -j 1
expect 0 search -i a.idx -q query.fbin -k 10 -o map.bin -j 2 --map
cmp -s one.bin hits.bin || die "threads changed the hits"
cmp -s map.bin hits.bin || die "mapping changed the hits"

# Without -o: a table of the first ten queries.
expect 0 search -i a.idx -q query.fbin -k 3
equal "$(lines out)" 31
has err "first 10 of 30 queries"
equal "$(awk 'NR == 2 {print $3}' out)" "$(head -n 1 hits.txt | cut -d' ' -f1)"
expect 0 search -i a.idx -q query.fbin -k 3 --max-queries 2
equal "$(lines out)" 7
expect 0 search -i a.idx -q query.fbin -k 3 --json
equal "$(lines out)" 30
equal "$(json out /ids | sed -n 1p)" "[$(head -n 1 hits.txt | cut -d' ' -f1-3 | tr ' ' ,)]"
json out /distances/2 >/dev/null
expect 0 search -i a.idx -q query.fbin -k 3 --json -o rows.txt
equal "$(lines out)" 1
equal "$(json out /command /queries /k /search_list_size /output)" "$(printf 'search\t30\t3\t100\trows.txt')"
is "$(json out /hops)" 'x >= 1'

expect 0 search -i a.idx -q query.fbin -k 30 -L 10 --json -o rows.txt
equal "$(json out /search_list_size)" 30
expect 3 search -i missing.idx -q query.fbin --max-queries 0

# A longer list finds no less, and looks at more points.
expect 0 search -i a.idx -q query.fbin -k 10 -L 10 -o short.txt --json
short=$(json out /distance_computations)
expect 0 search -i a.idx -q query.fbin -k 10 -L 10 --accurate -o wide.txt --json
is "$(json out /distance_computations)" "x > $short"

# A radius: every point inside it and none outside, here counted from the exact neighbours.
radius=$("$diskann" search -i a.idx -q query.fbin -k 5 --max-queries 1 --json | "$json_value" /distances/4)
expect 0 search -i a.idx -q query.fbin --range "$radius" --max-queries 1 --json
equal "$(json out /ids)" "[$(head -n 1 hits.txt | cut -d' ' -f1-5 | tr ' ' ,)]"
expect 0 search -i a.idx -q query.fbin --range "$radius" -o near.txt -j 2
equal "$(lines near.txt)" 30
equal "$(head -n 1 near.txt)" "$(head -n 1 hits.txt | cut -d' ' -f1-5)"
expect 0 search -i a.idx -q query.fbin --range "$radius" -o near.json --show-distances --json
equal "$(json out /command)" search
is "$(json out /hits)" 'x >= 5'
expect 2 search -i a.idx -q query.fbin --range 1 -k 5
# Inner products are negative distances: so may a radius be.
expect 0 build -i base.fbin -o ip.idx -m ip
expect 0 search -i ip.idx -q query.fbin --range -0.5 --max-queries 1

# Fewer points than asked for.
expect 0 generate --rows 3 --dimension 12 -o three.fbin
expect 0 build -i three.fbin -o three.idx
expect 0 search -i three.idx -q query.fbin -k 5 -o five.txt
equal "$(head -n 1 five.txt | wc -w)" 3
expect 0 search -i a.idx -q query.fbin -k 1 --quiet
equal "$(cat err)" ""
expect 0 search -i a.idx -q query.fbin -k 1 -v
has err "distance computations a query"
has err "peak memory"
expect 0 search -i a.idx -q query.fbin -k 1 --max-queries 1
has err "1 query in"
