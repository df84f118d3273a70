#!/usr/bin/env bash
# Every exit code of the contract, with its message; nothing is left behind.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"

expect 0 generate -n 300 -d 8 -o base.fbin --queries 10 --query-output query.fbin
expect 0 build -i base.fbin -o a.idx
before=$(ls)

# 2: the command line.
expect 2
expect 2 --nonsense
expect 2 biuld
has err "diskann: error: unknown command 'biuld'"
has err "  hint: did you mean build?"
expect 2 build -i base.fbin -o x.idx --max-degre 3
has err "did you mean --max-degree?"
expect 2 build -i base.fbin
has err "--output is required"
expect 2 build -i base.fbin -o x.idx -R many
expect 2 build -i base.fbin -o x.idx -j -1
expect 2 build -i base.fbin -o x.idx stray
expect 2 search -i a.idx -q query.fbin -k -1
expect 2 search -i a.idx -q query.fbin -k ""
expect 2 search -i a.idx -q query.fbin --max-queries -1
expect 2 generate -n 10 -d 4 -o same.fbin --queries 5 --query-output same.fbin
expect 2 build -i base.fbin -o base.fbin --force
expect 0 search -i a.idx -q query.fbin -k 010 -o ten.ivecs # ten, not eight
equal "$(numbers ten.ivecs 0 1)" 10
expect 0 search -i a.idx -q query.fbin -k 1000000000000 -o all.ivecs
equal "$(numbers all.ivecs 0 1)" 300
rm ten.ivecs all.ivecs
expect 2 build -i missing.fbin -o "" # an unset variable of a script
has err "--output: expected a value"
for flag in -i -m --alpha --ids --memory-limit --dtype; do expect 2 build -i missing.fbin -o x.idx $flag ""; done
for later in --use-pq --disk --quantize --layout; do expect 2 build -i base.fbin -o x.idx $later; done
expect 2 search -i a.idx --json
equal "$(json err /error/code /error/exit_code)" "$(printf 'Usage\t2')"
equal "$(cat out)" ""

# 3: values and data that cannot be right.
{ u32 2 2 && u32 0 0 0 0x7fc00000; } >nan.fbin
expect 3 build -i nan.fbin -o x.idx
has err "row 1"
expect 3 info nan.fbin --validate
{ u32 1 8 && u32 0 0 0x7f800000 0 0 0 0 0; } >infinite.fbin
expect 3 search -i a.idx -q infinite.fbin
expect 0 generate -n 5 -d 9 -o nine.fbin
expect 3 search -i a.idx -q nine.fbin -k 1
has err 9
has err 8
expect 3 search -i a.idx -q nine.fbin -k 1 --json
equal "$(json err /error/code)" DimensionMismatch
expect 3 search -i a.idx -q query.fbin -m cosine
rm nan.fbin infinite.fbin nine.fbin

mkfifo pipe
expect 3 generate -n 10 -d 4 --format fbin -o pipe
expect 3 build -i base.fbin -o pipe --force
[ -p pipe ] || die "a file took the place of a pipe"
rm pipe
: >no.txt
expect 3 build -i base.fbin -o x.idx --ids no.txt
rm no.txt

# 4: not there, or there already.
expect 4 build -i missing.fbin -o x.idx
has err missing.fbin
expect 4 search -i missing.idx -q query.fbin
expect 4 search -i a.idx -q missing.fbin
expect 4 info missing.idx
expect 4 verify missing.idx
expect 4 build -i base.fbin -o a.idx
expect 4 build -i base.fbin -o nowhere/x.idx

# 5: not an index, cut, or from the future.
expect 5 search -i base.fbin -q query.fbin
expect 5 verify base.fbin
head -c 3000 a.idx >cut.idx
expect 5 search -i cut.idx -q query.fbin
has err "diskann: error: "
head -c 500 base.fbin >cut.fbin
expect 5 build -i cut.fbin -o x.idx
head -c 5000 /dev/zero >zero.idx
expect 5 search -i zero.idx -q query.fbin
rm cut.idx cut.fbin zero.idx

# What a file holds reaches the terminal as text, never as an escape sequence.
printf '0 \033[2J\302\2331m 1\n' >escape.txt
expect 5 recall -g escape.txt -r escape.txt
has err '\x1b[2J\xc2'
if LC_ALL=C grep -q $'\033' err; then die "an escape sequence reached the terminal"; fi
rm escape.txt

# 6: the system refuses.
expect 6 build -i base.fbin -o base.fbin/x.idx
expect 6 search -i a.idx -q query.fbin -o base.fbin/hits.txt
code=0
"$diskann" info >/dev/full 2>err || code=$?
equal "$code" 6
has err "No space left"
code=0
"$diskann" search -i a.idx -q query.fbin --json >/dev/full 2>err || code=$?
equal "$code" 6
equal "$(json err /error/code)" Io
if [ "$(id -u)" -ne 0 ]; then
  mkdir locked && chmod 555 locked
  expect 6 build -i base.fbin -o locked/x.idx
  rmdir locked
fi

# 7: the budget.
expect 7 build -i base.fbin -o x.idx --memory-limit 1000 --json
equal "$(json err /error/code /error/exit_code)" "$(printf 'OutOfMemory\t7')"

equal "$(ls)" "$before"
