#!/usr/bin/env bash
# convert: formats, types, rows, changes of values, and indexes.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

{ u32 3 2 && printf '\001\002\003\004\005\006'; } >a.u8bin
for form in bvecs fvecs fbin f16bin i8bin bin npy; do
  expect 0 convert -i a.u8bin -o "a.$form"
  type=u8
  [ $form = bin ] && back=(--input-dtype u8) || back=()
  expect 0 convert -i "a.$form" "${back[@]}" -o back.u8bin --output-type $type
  cmp -s a.u8bin back.u8bin || die "$form and back changed the vectors"
done
equal "$(stat -c %s a.fvecs)" 36
equal "$(numbers a.bvecs 0 1) $(numbers a.bvecs 4 2 1)" "2 1 2"
expect 0 convert -i a.u8bin -o typed.npy --output-type float32
expect 0 info typed.npy --json
equal "$(json out /dtype /rows /dimension)" "$(printf 'f32\t3\t2')"

# Both spellings of the format; the suffix need not fit.
expect 0 convert -i a.fbin -o one.dat --format fvecs
expect 0 convert -i a.fbin -o two.dat --output-format fvecs
cmp -s one.dat two.dat || die "the two spellings differ"
cmp -s one.dat a.fvecs || die "--format wrote something else"
expect 0 convert -i one.dat --input-format fvecs -o three.fbin
cmp -s three.fbin a.fbin || die "--input-format read something else"

expect 0 convert -i a.u8bin -o part.u8bin --skip 1 --limit 1 --json
equal "$(json out /rows /dtype /format)" "$(printf '1\tu8\tu8bin')"
equal "$(numbers part.u8bin 8 2 1)" "3 4"

# Means are taken away, lengths become one, both leave fractions.
expect 0 convert -i a.fbin -o centred.fbin --center --stats --json
is "$(json out /mean)" 'x * x < 1e-12'
equal "$(json out /smallest /largest)" "$(printf -- '-2\t2')"
expect 0 convert -i a.u8bin -o unit.fbin --normalize --stats --json
is "$(json out /smallest_norm)" 'x > 0.999999 && x < 1.000001'
is "$(json out /largest_norm)" 'x > 0.999999 && x < 1.000001'
expect 2 convert -i a.u8bin -o unit.u8bin --normalize
has err "--output-type"
expect 0 convert -i centred.fbin -o coded.u8bin --output-type u8 --quantization minmax
equal "$(numbers coded.u8bin 8 6 1)" "0 0 128 128 255 255"
expect 0 convert -i centred.fbin -o coded.i8bin --output-type i8 --quantization standard
expect 2 convert -i centred.fbin -o coded.fbin --quantization minmax
# What does not fit is refused, and leaves nothing.
expect 3 convert -i unit.fbin -o no.u8bin --output-type u8
[ ! -e no.u8bin ] || die "a refused conversion left a file"
expect 3 convert -i a.u8bin -o no.fbin --output-type u8
expect 3 convert -i a.u8bin -o no.fbin --format nonsense
expect 3 convert -i a.bin -o no.u8bin
has err "--dtype"

# Results and ground truth: ids in every form, distances where the form has them.
expect 0 generate -n 40 -d 4 -o p.fbin
expect 0 groundtruth -i p.fbin -q p.fbin -k 3 -o t.bin
expect 0 convert -i t.bin -o t.txt
expect 0 convert -i t.txt -o t.json --json
equal "$(json out /format /queries /k /distances)" "$(printf 'json\t40\t3\ttrue')"
expect 0 convert -i t.json -o again.bin
cmp -s again.bin t.bin || die "txt, json and back changed the truth"
expect 0 convert -i t.bin -o t.ivecs
expect 0 convert -i t.ivecs -o ids.bin
equal "$(stat -c %s ids.bin)" $((8 + 4 * 120))
equal "$(numbers ids.bin 8 120)" "$(numbers t.bin 8 120)"
expect 0 convert -i ids.bin -o back.ivecs
cmp -s back.ivecs t.ivecs || die "ivecs and back changed the ids"
expect 3 convert -i t.ivecs -o no.fbin
has err "t.ivecs holds ids, not vectors"
has err "write .ivecs, .bin, .txt or .json"
expect 2 convert -i t.ivecs -o no.txt --limit 3
expect 2 convert -i t.ivecs -o ./t.ivecs
expect 3 convert -i p.fbin -o no.ivecs
[ ! -e no.txt ] || die "a refused conversion left a file"

# Indexes: to Microsoft's form and back, the same hits.
expect 0 generate -n 400 -d 10 -o base.fbin --queries 20 --query-output query.fbin
expect 0 build -i base.fbin -o a.idx -R 16
expect 0 search -i a.idx -q query.fbin -k 5 -o a.txt
expect 0 convert -i a.idx -o ms --output-format microsoft --json
equal "$(json out /format /points /dtype)" "$(printf 'microsoft\t400\tf32')"
[ -s ms ] || die "no Microsoft graph"
equal "$(numbers ms.data 0 2)" "400 10"
expect 0 info ms -m l2 --dtype f32 --json
equal "$(json out /kind /points)" "$(printf 'microsoft\t400')"
for unknown in search_list_size alpha seed; do has_not out $unknown; done
expect 3 info ms.data
has err "ms.data is one of the files of the index ms"
expect 0 info ms
has_not out alpha
expect 3 info ms -m cosine
expect 3 info ms --dtype u8
expect 0 search -i ms -m l2 --dtype f32 -q query.fbin -k 5 -o ms.txt
equal "$(cat ms.txt)" "$(cat a.txt)"
expect 0 verify -i ms -m l2 --dtype f32
expect 0 convert -i ms -m l2 --dtype f32 -o again.idx --output-format diskann
expect 0 info again.idx --json # what built it is not known here either
has_not out alpha
expect 2 convert -i a.idx -o no.idx --output-format diskann --dtype f32 --input-dtype f32
expect 0 search -i again.idx -q query.fbin -k 5 -o again.txt
equal "$(cat again.txt)" "$(cat a.txt)"
expect 4 convert -i a.idx -o ms --output-format microsoft
expect 0 convert -i a.idx -o ms --output-format microsoft --force
# Where links have the names of a set, its files go where they lead.
mkdir linked && mv ms linked/other && ln -s linked/other ms
rm ms_metadata.bin && ln -s linked/new ms_metadata.bin
cp a.txt kept && ln -s kept ms.del
expect 0 convert -i a.idx -o ms --output-format microsoft --force
[ -L ms ] && [ -L ms_metadata.bin ] && [ -s linked/other ] && [ -s linked/new ] || die "a file took the place of a link"
[ ! -e ms.del ] && [ -s kept ] || die "what a link of an older set led to is gone, or the link is not"
equal "$(ls -A linked | tr '\n' ' ')" "new other "
expect 0 verify ms
expect 0 search -i ms -q query.fbin -k 5 -o ms.txt
equal "$(cat ms.txt)" "$(cat a.txt)"
expect 2 convert -i a.idx -o x.fbin
expect 2 convert -i a.idx -o x --output-format microsoft --limit 3
[ ! -e x ] || die "a refused conversion left a file"

# Results: what cannot be said or is none.
{ u32 3 2 && u32 7 8 9 4294967295 4294967295 4294967295; } >gaps.bin
expect 3 convert -i gaps.bin -o gaps.txt
has err "query 1 has fewer than 2 hits"
expect 0 convert -i gaps.bin -o gaps.ivecs
expect 0 convert -i gaps.ivecs -o again.bin
cmp -s gaps.bin again.bin || die "gaps are not kept"
expect 0 convert -i gaps.bin -o v.fbin --dtype f32
for text in "18446744073709551615 1" "1:0.5 2" "1 2:0.5"; do
  echo "$text" >bad.txt
  expect 5 convert -i bad.txt -o x.bin
done
for text in '[{"ids":[18446744073709551615]}]' '[{"ids":[18446744073709551615],"distances":[1]},{"ids":[3]}]' '[{"ids":[1],"distances":["a"]}]'; do
  echo "$text" >bad.json
  expect 5 convert -i bad.json -o x.bin
done
echo '[{"ids":[1],"distances":[null]}]' >null.json
expect 0 convert -i null.json -o x.bin
