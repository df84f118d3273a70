#!/usr/bin/env bash
# bench/growth on a set so small that only its ways are tried.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"
growth=$(cd "$(dirname "$0")/../.." && pwd)/bench/growth

# grows CODE ARGUMENT…: as expect, for the script.
grows() {
  local wanted=$1 code=0
  shift
  "$growth" "$@" --diskann "$diskann" >out 2>err </dev/null || code=$?
  [ "$code" -eq "$wanted" ] || die "growth $*: exit $code, expected $wanted"
}

mkdir set
expect 0 generate -n 6000 -d 16 --dtype u8 --clusters 0 --shape decay -o set/base.u8bin --queries 50 --query-output set/query.u8bin
grows 0 set --sizes 600,2000,5000 --largest-incremental 2000 --rounds 1 --svg growth.svg
equal "$(grep -c '^| 600 | ' out)" 4
equal "$(grep -cE '^\| 5,000 \| partitioned' out)" 2
has_not out "| 5,000 | incremental"
# Nothing is foretold of the first size, all of the others: build seconds and memory before, time of a query.
equal "$(grep -E '^\| 600 \|' out | grep -oE '\([+-][0-9]+ %\)' | wc -l)" 4
equal "$(grep -E '^\| (2,000|5,000) \|' out | grep -oE '\([+-][0-9]+ %\)' | wc -l)" 12
recalls=$(sed -n '/at recall@/,$p' out | grep -oE '\| [01]\.[0-9]{4} \|' | tr -d '| ')
equal "$(wc -w <<<"$recalls")" 5
for recall in $recalls; do
  is "$recall" 'x >= 0.95'
done
equal "$(grep -c '<svg' growth.svg)$(grep -c '</svg>' growth.svg)" 11
equal "$(grep -o '<polyline' growth.svg | wc -l)" 6
equal "$(ls)" "$(printf '%s\n' err growth.svg out set)"

grows 1 set --sizes 600,7000
has err "6,000 rows, fewer than 7,000"
grows 1 set --sizes 600,500
has err "ascending"
grows 1 set --sizes many
grows 1 . --sizes 600
has err "base.u8bin"
code=0
"$growth" set --diskann ./missing >out 2>err || code=$?
equal "$code" 1
has err "make build"
