#!/usr/bin/env bash
# info, verify, help, completion, version.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

expect 0 --version
[[ "$(cat out)" =~ ^diskann\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || die "version"
version=$(cut -d' ' -f2 out)
for flag in --version -V; do
  expect 0 $flag --json
  equal "$(json out /version)" "$version"
  expect 2 $flag build
done
expect 0 info --json
equal "$(json out /version)" "$version"
is "$(json out /threads)" 'x >= 1'
isa=$(json out /isa)
json out /compiled_isas | grep -qF "\"$isa\"" || die "the instruction set chosen is not compiled in"
[ "$(uname -m)" != x86_64 ] || json out /compiled_isas | grep -qF '"AMX"' || die "AMX is not compiled in"
expect 0 info
has out "$isa"
expect 2 info --memory

expect 0 generate -n 500 -d 8 --dtype u8 --clusters 3 -o base.u8bin
# Ten rows twice.
{ u32 510 8 && tail -c +9 base.u8bin && tail -c +9 base.u8bin | head -c 80; } >twins.u8bin
expect 0 info twins.u8bin --duplicates --distribution --validate --memory --preview 2 --json
equal "$(json out /kind /format /dtype /rows /dimension /valid /integral)" "$(printf 'vectors\tu8bin\tu8\t510\t8\ttrue\ttrue')"
is "$(json out /duplicates)" 'x >= 10'
equal "$(json out /memory_bytes)" 4080
expect 0 info twins.u8bin --preview 2
equal "$(grep -c '^row' out)" 2
has out "[$(numbers twins.u8bin 8 8 1)]"
expect 0 convert -i twins.u8bin -o twins.npy
for file in twins.u8bin twins.npy; do
  expect 0 info $file --preview 2 --json
  equal "$(json out /preview/1/row /preview/1/values)" "$(printf '1\t[%s]' "$(numbers twins.u8bin 16 8 1 | tr ' ' ,)")"
done

expect 0 build -i twins.u8bin -o a.idx -R 16
expect 0 info a.idx
has out "510 × 8 u8"
# Threads only where there is work for them.
expect 2 info -j 1
expect 2 info a.idx -j 1 --detailed
has err "-j"
expect 0 info a.idx -j 1 --validate
expect 2 info twins.u8bin -j 1 --preview 2
has err "-j"
expect 0 info twins.u8bin -j 1 --duplicates
expect 0 info a.idx --detailed --distribution --duplicates --validate --memory --json
equal "$(json out /kind /points /dimension /metric /max_degree /valid /unreachable)" "$(printf 'index\t510\t8\tl2\t16\ttrue\t0')"
equal "$(json out /index_bytes)" "$(stat -c %s a.idx)"
is "$(json out /largest_degree)" 'x <= 16 && x >= 1'
is "$(json out /vectors_bytes)" 'x >= 500 * 8'
json out /sections/0/name /sections/0/xxh3 >/dev/null
expect 0 info a.idx --detailed --memory
has out "section"
expect 2 info a.idx --preview 3
expect 0 info -i a.idx

# Results and ground truth, by their forms; a .bin is told apart from vectors.
expect 0 groundtruth -i base.u8bin -q base.u8bin -k 7 -o truth.bin
expect 0 info truth.bin
has out "500 queries × 7, with distances"
for form in bin txt json ivecs; do
  expect 0 search -i a.idx -q base.u8bin -k 3 -o "hits.$form"
  expect 0 info "hits.$form" --json
  distances=false && [ $form = bin ] && distances=true
  equal "$(json out /kind /format /queries /k /hits /distances)" "$(printf 'results\t%s\t500\t3\t1500\t%s' $form $distances)"
  [ $form = ivecs ] || expect 0 search -i a.idx -q base.u8bin --range 500 -o "near.$form"
  [ $form = ivecs ] || expect 0 info "near.$form" --json
  [ $form = ivecs ] || equal "$(json out /kind /queries)" "$(printf 'range\t500')"
done
expect 2 info truth.bin --preview 1
{ u32 500 3 && tail -c +9 hits.bin | head -c 6000; } >ids.bin
expect 0 info ids.bin --json
equal "$(json out /kind /k /distances)" "$(printf 'results\t3\tfalse')"
expect 3 build -i ids.bin -o x.idx
has err "they look like ids"
expect 0 info ids.bin --dtype f32 --json
equal "$(json out /kind /dtype)" "$(printf 'vectors\tf32')"
head -c 6001 ids.bin >cut.bin
expect 5 info cut.bin
has err "cut.bin: the header says 500 rows"

expect 0 verify a.idx
has out "ok "
expect 0 verify -i a.idx --json
equal "$(json out /ok /unreachable /problems)" "$(printf 'true\t0\t[]')"
is "$(json out /checks | tr -cd , | wc -c)" 'x >= 1'
# -m and --dtype are held against what the file says.
for command in info verify search; do
  [ $command = search ] && queries=(-q base.u8bin -k 1) || queries=()
  expect 0 $command -i a.idx "${queries[@]}" -m l2 --dtype u8
  expect 3 $command -i a.idx "${queries[@]}" -m cosine
  has err "-m cosine was asked for, the index is built for l2"
  expect 3 $command -i a.idx "${queries[@]}" --dtype f32
  has err "--dtype f32 was asked for, the index stores u8"
done
expect 2 verify
has err "diskann verify FILE"
expect 0 verify --help
has out "[index]"
# Nodes that nothing leads to are as Microsoft's builder makes them: told, and no fault. Our files have none.
theirs=$(dirname "$0")/../golden/microsoft/mem_f32_mips/ann
expect 0 verify "$theirs" -m ip --dtype f32
has out "warning  24 nodes are not reachable"
has out "24 not reachable"
expect 0 verify "$theirs" -m ip --dtype f32 --json
equal "$(json out /ok /unreachable /problems)" "$(printf 'true\t24\t[]')"
equal "$(json out /warnings/0)" "24 nodes are not reachable from the entry points"
expect 0 info "$theirs" -m ip --dtype f32 --validate
has out "valid    yes: sizes, values, edges and ids are right; these files have no checksums"
expect 0 info "$theirs" -m ip --dtype f32 --validate --detailed --memory --json
json out /warnings/0 >/dev/null
expect 0 convert -i "$theirs" -m ip --input-dtype f32 -o theirs.idx --output-format diskann
expect 0 verify theirs.idx --json
equal "$(json out /ok /unreachable /warnings)" "$(printf 'true\t0\t[]')"
# Nor have they nodes without points, as deleted points of dynamic sets are.
theirs=$(dirname "$0")/../golden/microsoft/dyn_f32_l2/saved/ann
expect 0 convert -i "$theirs" -o theirs.idx --output-format diskann --force
expect 0 verify theirs.idx
has out "all reachable"
expect 0 info theirs.idx --json
equal "$(json out /nodes)" "$(json out /points)"

# Microsoft's sets are not mapped; those for SSDs are known by their prefix and by any of their files.
expect 8 search -i "$theirs" -q base.u8bin -k 1 --map
has err "cannot be used in place"
has err "hint: leave out --map"
mkdir ssd
for file in disk.index disk.index_medoids.bin pq_pivots.bin pq_compressed.bin; do u32 3 1 1 2 3 >ssd/ann_$file; done
for name in ann ann_disk.index ann_disk.index_medoids.bin ann_pq_pivots.bin ann_pq_compressed.bin; do
  expect 5 verify ssd/$name
  has out "ssd/ann_disk.index: the index begins with 3 x 1 numbers, expected 9 or 12"
  for command in info "search -q base.u8bin -k 1 -i" "convert -o x.idx --output-format diskann -i"; do
    # shellcheck disable=SC2086
    expect 5 $command ssd/$name
    has err "ssd/ann_disk.index: the index begins with 3 x 1 numbers, expected 9 or 12"
  done
done
expect 4 verify ssd/none
cp a.idx ssd/ours_disk.index # whatever its name
expect 0 verify ssd/ours_disk.index

# Equal points have nodes of their own there, so that counting nodes does not tell.
expect 0 convert -i a.idx -o twins --output-format microsoft
expect 2 info twins --duplicates
has err "--duplicates: Microsoft's sets do not keep equal points together"
expect 2 info "$theirs" --duplicates --json
expect 0 convert -i twins -o twins.idx --output-format diskann
for index in a.idx twins.idx; do
  expect 0 info $index --duplicates --json
  equal "$(json out /points /duplicates)" "$(printf '510\t%s' $((510 - $(json out /nodes))))"
  is "$(json out /duplicates)" 'x >= 10'
done

# One bit of the vectors wrong: found by verify, not by a plain look.
offset=$("$diskann" info a.idx --detailed --json | "$json_value" /sections | grep -o '"bytes":[0-9]*,"name":"[a-z]*","offset":[0-9]*' |
  sed 's/"bytes":\([0-9]*\),"name":"\([a-z]*\)","offset":\([0-9]*\)/\1 \3/' | sort -n | tail -n 1 | cut -d' ' -f2)
cp a.idx broken.idx
byte=$(numbers broken.idx "$offset" 1 1)
printf "\\x$(printf %02x $((byte ^ 1)))" | dd of=broken.idx bs=1 seek="$offset" conv=notrunc 2>/dev/null
expect 5 verify broken.idx
has out "PROBLEM"
expect 5 info broken.idx --validate
expect 5 verify broken.idx --json
equal "$(json out /ok)" false
equal "$(json err /error/code)" Corrupt

commands="build estimate search benchmark groundtruth recall generate verify tune convert info completion"
expect 0 --help
for command in $commands; do has out "  $command "; done
for command in $commands; do
  expect 0 "$command" --help
  cp out flag.txt
  expect 0 help "$command"
  cmp -s out flag.txt || die "help $command and $command --help differ"
  has out "Examples:"
  has out "diskann $command"
  is "$(head -n 1 out | wc -w)" 'x >= 4'
done
expect 0 help
expect 2 help nonsense

for shell in bash zsh fish; do
  expect 0 completion $shell
  for command in $commands; do has out "$command"; done
  has out "max-degree"
done
expect 2 completion tcsh
expect 2 completion
# The bash script really completes.
"$diskann" completion bash >completion.bash
equal "$(bash -c 'source ./completion.bash; COMP_WORDS=(diskann bui); COMP_CWORD=1; _diskann; echo "${COMPREPLY[*]}"')" build
equal "$(bash -c 'source ./completion.bash; COMP_WORDS=(diskann build --max-d); COMP_CWORD=2; _diskann; echo "${COMPREPLY[*]}"')" --max-degree
