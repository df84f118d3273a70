#!/usr/bin/env bash
# The five lines that the project started from, as typed.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

expect 0 generate -n 1000 -d 16 -o vectors.fvecs --queries 25 --query-output queries.fvecs
PATH=$(dirname "$diskann"):$PATH
name=$(basename "$diskann")
equal "$name" diskann

diskann build -i vectors.fvecs -o index.bin -m l2 --max-degree 64 2>err || die "build"
diskann search -i index.bin -q queries.fvecs -k 10 -o results.txt 2>err || die "search"
diskann benchmark -i index.bin -q queries.fvecs --rounds 10 >out 2>err || die "benchmark"
equal "$(lines out)" 6
diskann convert -i vectors.fvecs -o vectors.bin 2>err || die "convert to .bin"
mv vectors.fvecs original.fvecs
diskann convert -i vectors.bin -o vectors.fvecs --format fvecs 2>err || die "convert"
cmp -s vectors.fvecs original.fvecs || die "there and back changed the vectors"
diskann info index.bin >out 2>err || die "info"
has out "1,000 × 16 f32"

equal "$(lines results.txt)" 25
diskann groundtruth -i vectors.fvecs -q queries.fvecs -k 10 -o truth.bin 2>err || die "groundtruth"
diskann recall -g truth.bin -r results.txt --json >out 2>err || die "recall"
is "$(json out /recall)" 'x >= 0.99'
# Two queries get two answers.
if [ "$(sed -n 1p results.txt)" = "$(sed -n 2p results.txt)" ]; then die "two queries have the same answer"; fi
