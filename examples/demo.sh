#!/usr/bin/env bash
# Builds an index over 4,400 real images, searches it, and measures recall against speed. `make demo` runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
diskann=${DISKANN:-build/release/bin/diskann}
data=data/fashion-sample
out=demo-out
mkdir -p "$out"

run() {
  printf '\n$ diskann'
  printf ' %s' "$@"
  printf '\n'
  "$diskann" "$@"
}

run build -i $data/base.u8bin -o $out/fashion.idx -m l2 -R 32 --force
run search -i $out/fashion.idx -q $data/query.u8bin -k 10 -L 40 -o $out/hits.txt
echo "first query: $(head -n 1 $out/hits.txt)"
run benchmark -i $out/fashion.idx -q $data/query.u8bin -g $data/gt20.gt.bin -k 10 -L 10,20,40,80,160 \
  --plot $out/recall-qps.svg
echo
echo "The plot of recall against queries per second is in $out/recall-qps.svg"
