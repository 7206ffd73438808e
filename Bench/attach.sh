#!/bin/bash
# Attaches and detaches many functions of one program: a row of the table.
# usage: attach WORK TRACER COUNT
set -euo pipefail
work=$1 tracer=$2 count=$3
{
  for ((i = 0; i < count; i++)); do echo "int function_$i(int x) { return x + $i; }"; done
  echo 'int main(void) { return 0; }'
} >"$work/many.c"
gcc -O0 -o "$work/many-$count" "$work/many.c"
{
  printf '{"categories":[{"binary_path":"%s","functions":[' "$work/many-$count"
  for ((i = 0; i < count; i++)); do ((i == 0)) || printf ,; printf '"function_%d"' "$i"; done
  printf '],"name":"app","type":2}],"summary":{}}'
} >"$work/many.json"
mkdir -p "$work/out"
rm -rf "$work/out/many"
DATACRUMBS_MARKER=$work/client.so DATACRUMBS_TRACE_DIR=$work/out/many \
  "$tracer" "$work/many.json" 1 nobody 2>"$work/times" &
pid=$!
until compgen -G "$work/out/many/*.gz" >/dev/null; do
  kill -0 "$pid" || { cat "$work/times" >&2; exit 1; }
  read -r -t 0.05 <> <(:) || true
done
kill -TERM "$pid"
wait "$pid"
value() { gzip -dc "$work"/out/many/*.gz | grep -o "\"$1\":[0-9]*" | cut -d: -f2; }
awk -v n="$count" -v a="$(value attach_us)" -v d="$(value detach_us)" \
  'BEGIN { printf "| %d | %.2f | %.2f |\n", n, a / 1000, d / 1000 }'
