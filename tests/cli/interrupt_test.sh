#!/usr/bin/env bash
# Ctrl-C: exit 130, an older index stays as it was, nothing half written stays.
# shellcheck source=tests/cli/assert.bash
source "$(dirname "$0")/assert.bash" "$1" "$2"
set -m  # a background job gets SIGINT only in a group of its own

expect 0 generate -n 60000 -d 64 --clusters 50 -o base.fbin
echo "an older index" >a.idx

# interrupt SIGNAL ARGUMENT…: sends the signal after a moment.
interrupt() {
  local signal=$1 code=0
  shift
  "$diskann" "$@" >out 2>err </dev/null &
  local process=$!
  sleep 0.5
  kill -s "$signal" "$process" || die "it ended before the signal"
  wait "$process" || code=$?
  equal "$code" 130
}

for signal in INT TERM HUP; do
  interrupt $signal build -i base.fbin -o a.idx --force -R 64 -L 200 -j 1
  has err "diskann: error:"
  equal "$(cat a.idx)" "an older index"
  interrupt $signal build -i base.fbin -o fresh.idx -R 64 -L 200 -j 2 --json
  equal "$(json err /error/code /error/exit_code)" "$(printf 'Cancelled\t130')"
done
interrupt INT groundtruth -i base.fbin -q base.fbin -k 100 -o truth.bin -j 1

# While a vector file is written; the process is held so that the signals meet it there. Two of them end it at once.
u32 1000000 256 >many.u8bin && truncate -s 256000008 many.u8bin
written() { # FILE "SIGNAL…" ARGUMENT…
  local file=$1 signals=$2 code=0 process
  shift 2
  "$diskann" "$@" >out 2>err </dev/null &
  process=$!
  until compgen -G ".$file.*.tmp" >/dev/null; do kill -0 $process 2>/dev/null || die "it ended before the signal"; done
  kill -s STOP $process
  for signal in $signals; do kill -s "$signal" $process; done
  kill -s CONT $process
  while
    code=0
    wait $process || code=$?
    ((code == 128 + $(kill -l STOP)))  # wait may still tell of the halt
  do :; done
  equal "$code" 130
  if compgen -G ".$file.*.tmp" >/dev/null; then die "a temporary file is left"; fi
}
echo "an older file" >old.u8bin
for signals in INT "INT TERM"; do
  written old.u8bin "$signals" convert -i many.u8bin -o old.u8bin
  equal "$(cat old.u8bin)" "an older file"
  written new.fbin "$signals" generate -n 200000 -d 256 --clusters 1 -o new.fbin
done
rm many.u8bin old.u8bin

# Under nohup the end of the terminal is none.
(trap '' HUP && exec "$diskann" generate -n 1000000 -d 64 -o kept.fbin) 2>err &
process=$!
sleep 0.3
kill -s HUP $process || die "it ended before the signal"
wait $process || die "a signal that is ignored stopped it"
rm kept.fbin

# Also while it waits for a folder that another program has locked.
if command -v flock >/dev/null; then
  expect 0 generate -n 50 -d 4 -o few.fbin
  expect 0 build -i few.fbin -o few.idx
  mkdir locked
  flock locked sleep 60 &
  holder=$!
  interrupt INT convert -i few.idx -o locked/ms --output-format microsoft
  kill -- -$holder
  rm few.fbin few.idx
fi
rm -f out err
equal "$(find . -type f | sort | tr '\n' ' ')" "./a.idx ./base.fbin "
