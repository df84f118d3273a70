# Sourced by the scripts beside it: a folder of their own, and assertions that say what was found.
set -u
diskann=$1
json_value=$2
work=$(mktemp -d)
# An assertion may fail inside $(…), where exit ends no more than that.
trap 'code=$?; [ -e "$work/.failed" ] && code=1; rm -rf "$work"; exit "$code"' EXIT
cd "$work" || exit 1

die() {
  echo "FAILED at line ${BASH_LINENO[1]}: $*" >&2
  for file in out err; do [ -s "$file" ] && sed "s/^/  $file: /" "$file" | head -n 20 >&2; done
  touch "$work/.failed"
  exit 1
}

# expect CODE ARGUMENT…: runs diskann, whose output is then in the files out and err.
expect() {
  local wanted=$1 code=0
  shift
  "$diskann" "$@" >out 2>err </dev/null || code=$?
  [ "$code" -eq "$wanted" ] || die "diskann $*: exit $code, expected $wanted"
}

# has FILE TEXT: a fixed text.
has() { grep -qF -- "$2" "$1" || die "$1 does not say: $2"; }
has_not() { if grep -qF -- "$2" "$1"; then die "$1 says: $2"; fi; }
equal() { [ "$1" = "$2" ] || die "found '$1', expected '$2'"; }
lines() { wc -l <"$1"; }
# is NUMBER CONDITION: an awk condition on x, e.g. is 0.97 'x >= 0.95'.
is() { awk -v x="$1" "BEGIN { exit !($2) }" || die "'$1' is not: $2"; }
# json FILE POINTER…: the values in the lines of a file.
json() {
  local file=$1
  shift
  "$json_value" "$@" <"$file" || die "$file: not the JSON that was expected"
}
# numbers FILE OFFSET COUNT [WIDTH]: unsigned numbers of a binary file.
numbers() { od -An -v -tu"${4:-4}" -j "$2" -N $(($3 * ${4:-4})) "$1" | tr -s ' \n' ' ' | sed 's/^ //;s/ $//'; }
# u32 VALUE…: their four bytes each, little endian.
u32() {
  local value bytes
  for value; do
    printf -v bytes '\\x%02x' $((value & 255)) $((value >> 8 & 255)) $((value >> 16 & 255)) $((value >> 24 & 255))
    printf %b "$bytes"
  done
}
