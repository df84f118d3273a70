#!/usr/bin/env bash
# generate, groundtruth and recall: against answers that are known by hand.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

# Five points on a line, two queries: neighbours and squared distances are plain.
{ u32 5 1 && printf '\000\012\024\036\050'; } >line.u8bin
{ u32 2 1 && printf '\001\047'; } >query.u8bin
expect 0 groundtruth -i line.u8bin -q query.u8bin -k 3 -o truth.txt
equal "$(cat truth.txt)" "$(printf '0:1 1:81 2:361\n4:1 3:81 2:361')"
expect 0 groundtruth -i line.u8bin -q query.u8bin -k 3 -o truth.bin -j 2
equal "$(numbers truth.bin 0 8)" "2 3 0 1 2 4 3 2"
expect 0 groundtruth -i line.u8bin -q query.u8bin -k 3 -o truth.ivecs --json
equal "$(json out /command /metric /points /queries /k)" "$(printf 'groundtruth\tl2\t5\t2\t3')"
equal "$(numbers truth.ivecs 0 8)" "3 0 1 2 3 4 3 2"
expect 0 groundtruth -i line.u8bin -q query.u8bin -k 2 -m ip -o ip.txt
equal "$(cat ip.txt)" "$(printf '4:-40 3:-30\n4:-1560 3:-1170')"

# Recall of answers with known faults.
printf '0 1 2\n4 3 0\n' >found.txt
expect 0 recall -g truth.bin -r found.txt
has out "recall@3  0.833333"
expect 0 recall -g truth.bin -r found.txt -k 1 --json
equal "$(json out /recall /k /queries)" "$(printf '1\t1\t2')"
printf '0 1 2\n' >one.txt
expect 0 recall -g one.txt -r one.txt
has out "(1 query)"
printf '0 0 0\n9 9 9\n' >twice.txt
expect 0 recall -g truth.ivecs -r twice.txt --json
is "$(json out /recall)" 'x > 0.1666 && x < 0.1667'
printf '0 1 2\n' >short.txt
expect 3 recall -g truth.bin -r short.txt
printf '0 one\n1 2\n' >bad.txt
expect 5 recall -g truth.bin -r bad.txt
has err "'one' is no id"
# JSON answers by the number of the query, whatever their order; none twice, none missing.
echo '[{"query":1,"ids":[4,3,0]},{"query":0,"ids":[0,1,2]}]' >order.json
expect 0 recall -g truth.bin -r order.json
has out "recall@3  0.833333"
echo '[{"ids":[0,1,2]},{"ids":[4,3,0]}]' >plain.json
expect 0 recall -g truth.bin -r plain.json
has out "recall@3  0.833333"
for other in '"query":1' '"query":2' '"query":-1' '"query":"0"'; do
  echo "[{\"query\":1,\"ids\":[4,3,0]},{$other,\"ids\":[0,1,2]}]" >order.json
  expect 5 recall -g truth.bin -r order.json
  has err "query"
done
# Of range results no recall@k is told.
expect 0 build -i line.u8bin -o line.idx
expect 0 groundtruth -i line.u8bin -q line.u8bin -k 3 -o all.bin
for form in txt json bin; do # two points at the ends, three between
  expect 0 search -i line.idx -q line.u8bin --range 150 -o "near.$form"
  expect 3 recall -g all.bin -r "near.$form"
  has err "range results"
done
echo '{"ids": 3}' >bad.json
expect 5 recall -g truth.bin -r bad.json
expect 4 recall -g truth.bin -r missing.txt
expect 4 recall -g missing.bin -r found.txt

# generate: the same seed gives the same vectors, another one others; labels and queries beside.
expect 0 generate -n 200 -d 6 --clusters 4 --seed 5 -o a.fbin --labels labels.txt --queries 20 --query-output q.fbin
expect 0 generate -n 200 -d 6 --clusters 4 --seed 5 -o b.fbin --queries 20 --query-output q2.fbin -j 1
cmp -s a.fbin b.fbin || die "the same seed gave other vectors"
cmp -s q.fbin q2.fbin || die "the same seed gave other queries"
expect 0 generate -n 200 -d 6 --clusters 4 --seed 6 -o c.fbin
if cmp -s a.fbin c.fbin; then die "the seed changed nothing"; fi
equal "$(numbers a.fbin 0 2)" "200 6"
equal "$(numbers q.fbin 0 2)" "20 6"
equal "$(lines labels.txt)" 200
is "$(sort -un labels.txt | tail -n 1)" 'x <= 3'
expect 0 generate -n 10 -d 6 -o small.i8bin --json
equal "$(json out /dtype /rows /dimension)" "$(printf 'i8\t10\t6')"
equal "$(stat -c %s small.i8bin)" 68
# Shapes: each makes other vectors of the same rows and clusters.
small="generate -n 200 -d 6 --clusters 4 --spread 0.2 --seed 5"
for shape in plain unit lognormal decay outliers duplicates; do
  # shellcheck disable=SC2086
  expect 0 $small --shape $shape -o $shape.fbin --labels $shape.txt --queries 20 --query-output $shape.q.fbin --json
  equal "$(json out /shape /rows /queries)" "$(printf '%s\t200\t20' $shape)"
  expect 0 info $shape.fbin --distribution --duplicates --json
  cp out $shape.json
  [ $shape = duplicates ] || cmp -s plain.txt $shape.txt || die "the shape $shape changed the labels"
done
equal "$(cksum plain.fbin unit.fbin lognormal.fbin decay.fbin outliers.fbin duplicates.fbin | sort -u -k 1,1 | wc -l)" 6
# shellcheck disable=SC2086
expect 0 $small -o default.fbin --queries 20 --query-output default.q.fbin
cmp -s default.fbin plain.fbin || die "plain is not the default"
cmp -s default.q.fbin duplicates.q.fbin || die "duplicates changed the queries"
is "$(json unit.json /smallest_norm)" 'x > 0.999999 && x < 1.000001'
is "$(json unit.json /largest_norm)" 'x > 0.999999 && x < 1.000001'
is "$(json lognormal.json /largest_norm)" 'x > 2'
is "$(json outliers.json /mean_norm)" 'x < 0.2'
equal "$(json duplicates.json /duplicates) $(json plain.json /duplicates)" "198 0"
expect 0 generate -n 1000 -d 6 --clusters 0 --spread 1 -o gaussian.fbin
has err "without clusters, plain"
expect 0 info gaussian.fbin --distribution --json
is "$(json out /standard_deviation)" 'x > 0.95 && x < 1.05'
is "$(json out /mean)" 'x > -0.1 && x < 0.1'
expect 3 generate -n 10 -d 6 --clusters 0 --spread 0 -o x.fbin
expect 3 generate -n 10 -d 6 --shape round -o x.fbin
has err "unknown shape 'round'"
has err "use plain, unit, lognormal, decay, outliers or duplicates"
expect 2 generate -n 10 -d 6 -o x.fbin --queries 5
expect 3 generate -n 10 -d 6 -o x.fbin --dtype u8
expect 3 generate -n 10 -d 6 -o x.unknown
[ ! -e x.fbin ] || die "a refused run left a file"
