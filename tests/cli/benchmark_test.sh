#!/usr/bin/env bash
# benchmark: the table, the JSON rows, the plot, the target, the files for other programs.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

expect 0 generate --rows 3000 --dimension 24 --clusters 5 --spread 0.3 -o base.fbin --queries 50 --query-output query.fbin
expect 0 build -i base.fbin -o a.idx -R 16 -L 40
expect 0 groundtruth -i base.fbin -q query.fbin -k 20 -o truth.bin

expect 0 benchmark -i a.idx -q query.fbin -g truth.bin -k 10 -L 10,40,160 -j 2 --rounds 3
equal "$(lines out)" 4
equal "$(awk 'NR > 1 {print $1}' out | tr '\n' ' ')" "10 40 160 "
for column in recall@10 qps p50 p95 p99 p99.9 hops distances; do has out "$column"; done
has err "machine"
has err "peak memory"

expect 0 benchmark -i a.idx -q query.fbin -g truth.bin -k 10 -L 10,40,160 --json -j 1
equal "$(cat err)" ""
equal "$(json out /command /index /metric /dtype /points /dimension /threads /codec /k /search_list_size | tail -n 1)" \
  "$(printf 'benchmark\ta.idx\tl2\tf32\t3000\t24\t1\tnone\t10\t160')"
json out /recall /qps /latency_mean_us /latency_p50_us /latency_p95_us /latency_p99_us /latency_p999_us /hops \
  /distance_computations /peak_rss_bytes /isa /machine >/dev/null
read -r low middle high <<<"$(json out /recall | tr '\n' ' ')"
is "$low" "x > 0.2 && x <= $middle"
is "$high" "x >= 0.99 && x >= $middle"
first=$(json out /distance_computations | sed -n 1p)
is "$(json out /distance_computations | tail -n 1)" "x > $first"
while read -r p50 p99 p999; do is "$p50" "x > 0 && x <= $p99 && $p99 <= $p999"; done \
  <<<"$(json out /latency_p50_us /latency_p99_us /latency_p999_us)"
# Recall agrees with the one of result files.
expect 0 search -i a.idx -q query.fbin -k 10 -L 40 -o hits.bin
expect 0 recall -g truth.bin -r hits.bin -k 10 --json
is "$(json out /recall)" "x == $middle"

# The truth in every form that groundtruth writes.
for form in ivecs txt json; do
  expect 0 groundtruth -i base.fbin -q query.fbin -k 20 -o "truth.$form"
  expect 0 benchmark -i a.idx -q query.fbin -g "truth.$form" -k 10 -L 40 --recall --json
  equal "$(json out /recall)" "$middle"
done
expect 0 search -i a.idx -q query.fbin --range 4 -o near.txt
expect 3 benchmark -i a.idx -q query.fbin -g near.txt
has err "range results"

# One measure alone.
expect 0 benchmark -i a.idx -q query.fbin -L 20 --throughput --json
json out /qps >/dev/null
has_not out latency
has_not out recall
expect 0 benchmark -i a.idx -q query.fbin -L 20 --latency --json
json out /latency_p50_us >/dev/null
has_not out qps
expect 0 benchmark -i a.idx -q query.fbin -g truth.bin --search-list-sizes 20 --recall --json
json out /recall >/dev/null
has_not out qps
expect 0 benchmark -i a.idx -q query.fbin -L 20 --warmup 0 --rounds 1 --max-queries 5 --map --json
equal "$(json out /queries /rounds)" "$(printf '5\t1')"

# The smallest list that reaches a recall: one less does not.
expect 0 benchmark -i a.idx -q query.fbin -g truth.bin --target-recall 0.95 --json --throughput
equal "$(lines out)" 1
is "$(json out /recall)" 'x > 0.9499999'
list=$(json out /search_list_size)
if [ "$list" -gt 10 ]; then
  expect 0 benchmark -i a.idx -q query.fbin -g truth.bin -L $((list - 1)) --json --recall
  is "$(json out /recall)" 'x < 0.9499999'
fi
expect 2 benchmark -i a.idx -q query.fbin --target-recall 0.9
expect 3 benchmark -i a.idx -q query.fbin -g truth.bin --target-recall 1.5

# The plot has one point a list, and a size.
expect 0 benchmark -i a.idx -q query.fbin -g truth.bin -L 10,20,40 --plot curve.svg --throughput
equal "$(grep -c '<circle' curve.svg)" 3
has curve.svg '</svg>'
has curve.svg 'recall@10'
has curve.svg 'L=40'
has curve.svg 'prefers-color-scheme'
has_not curve.svg nan
expect 2 benchmark -i a.idx -q query.fbin --plot no.svg
expect 2 benchmark -i a.idx -q query.fbin -g truth.bin --plot no.png
has err "ends in .svg"

# What is printed is what was done: rounds of single queries, and no list shorter than k.
expect 0 benchmark -i a.idx -q query.fbin -L 10 --latency --rounds 5 --json
equal "$(json out /rounds)" 5
expect 0 benchmark -i a.idx -q query.fbin -L 10 -k 30 --throughput --rounds 1 --json
equal "$(json out /search_list_size)" 30
expect 3 benchmark -i missing.idx -q query.fbin --max-queries 0
has err "--max-queries"

# Flags that would do nothing, and lists that are none, before anything is read.
for one in --latency --throughput --recall; do
  expect 2 benchmark -i missing.idx -q query.fbin -g truth.bin --all $one
  has err "--all"
done
expect 2 benchmark -i missing.idx -q query.fbin -g truth.bin --recall --rounds 5
expect 2 benchmark -i missing.idx -q query.fbin -L ""
has err "expected a value"
expect 3 benchmark -i missing.idx -q query.fbin -L 10,,20

# For other programs: ids in files.
mkdir ids
expect 0 benchmark -i a.idx -q query.fbin -k 10 -L 10,40 -j 2 --ids-dir ids --json
equal "$(json out /param /ids | tr '\n' ' ')" "$(printf '10\tL10.bin 40\tL40.bin ')"
for seconds in $(json out /seconds); do is "$seconds" 'x > 0'; done
equal "$(json out /k /threads | tail -n 1)" "$(printf '10\t2')"
equal "$(stat -c %s ids/L40.bin)" $((8 + 50 * 10 * 4))
equal "$(numbers ids/L40.bin 0 12)" "$(numbers hits.bin 0 12)"
# Without --json the lines hold nothing that a harness could have itself.
expect 0 benchmark -i a.idx -q query.fbin -k 10 -L 10,40 -j 1 --ids-dir ids
equal "$(json out /param /ids | tr '\n' ' ')" "$(printf '10\tL10.bin 40\tL40.bin ')"
json out /seconds /hops /distance_computations >/dev/null
has_not out threads
# Ids of 64 bits, which the files cannot hold, are refused before a pass is timed: this many would take hours.
rm ids/*
seq 5000000000 5000002999 >ids.txt
expect 0 build -i base.fbin -o wide.idx -R 16 --ids ids.txt
expect 3 benchmark -i wide.idx -q query.fbin -k 10 -L 10 --ids-dir ids --warmup 100000000
has err "does not fit the 32 bits"
equal "$(ls -A ids)" ""
seq 5000 7999 >ids.txt
expect 0 build -i base.fbin -o wide.idx -R 16 --ids ids.txt --force
expect 0 benchmark -i wide.idx -q query.fbin -k 10 -L 10 --ids-dir ids
equal "$(lines out)" 1
expect 2 benchmark -i a.idx -q query.fbin --ids-dir ids --latency
expect 4 benchmark -i a.idx -q query.fbin --ids-dir nowhere
expect 3 benchmark -i a.idx -q query.fbin --rounds 0
expect 3 benchmark -i a.idx -q query.fbin -L 10,x
expect 3 benchmark -i a.idx -q query.fbin -g truth.bin -k 30
expect 3 benchmark -i a.idx -q base.fbin -g truth.bin
expect 0 benchmark -i a.idx -q query.fbin --max-queries 1 -L 10 --rounds 1 -j 1
has err "runs     1 query · k 10 · qps: median of 1 round in one batch on 1 thread ·"
