# shellcheck shell=bash
# What the cluster tests say often: who runs what where, how a job is watched,
# and what must hold after each of them.

cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/cluster

# on [--user NAME] MACHINE COMMAND...
on() { "$cluster" run "$@"; }

# The accounts, on the login node, each in a folder of its own for this test.
alice() { on --user alice --directory "/home/alice/$here" login "$@"; }
bob() { on --user bob --directory "/home/bob/$here" login "$@"; }

# Options that ask for tracing with the account's own probe file.
his_traced=(--datacrumbs-enable --datacrumbs-probe-file=/home/bob/p.json.gz)
traced=(--datacrumbs-enable --datacrumbs-probe-file=/home/alice/p.json.gz)
probe_file=/home/alice/p.json.gz
comment='{"datacrumbs":{"enable":"yes","probe_file":"/home/alice/p.json.gz"}}'

setup() {
  here=$(basename "$BATS_TEST_FILENAME" .bats)-$BATS_TEST_NUMBER
  local user
  for user in alice bob; do
    # FIFOs of the shared /home: the test and the jobs wait for each other there.
    on --user "$user" login bash -c 'rm -rf "$1" && mkdir "$1" && cd "$1" &&
      mkfifo {held,released}.{c1,c2}' - "$here"
  done
}

# Every test ends with idle nodes and nothing of ours left behind.
teardown() {
  if [[ ${BATS_TEST_COMPLETED:-} != 1 ]]; then
    show_what_happened
    on login scancel --user=alice
    on login scancel --user=bob
  fi
  await_idle
  assert_nothing_left
}

show_what_happened() {
  local node
  on login bash -c 'squeue; sinfo -N -l; tail -n 5 /home/{alice,bob}/"$1"/*.out' - "$here" 2>/dev/null
  for node in c1 c2; do
    on "$node" journalctl -q --no-pager -n 5 -o cat --identifier=datacrumbs \
      --identifier=datacrumbs_service | sed "s/^/$node: /"
  done
}

# --- jobs

# A job's script in the account's folder: script NAME <<EOF
script() {
  { echo '#!/bin/bash' && cat; } | alice bash -c 'cat >"$1" && chmod 755 "$1"' - "$1"
}

# sbatch, as alice; prints the job's id.
submit() { alice sbatch --parsable --output=%j.out "$@"; }

# Until `hold` runs on a node, or as many of them; prints the ids of their jobs: await_held NODE [COUNT]
# Open for writing too, so that the first to close does not end the wait for the second.
await_held() { alice timeout 30 bash -c 'exec head -n "$2" <>"$1"' - "held.$1" "${2:-1}"; }

# Lets `hold` end.
release() {
  local node
  for node; do alice timeout 30 bash -c ': >"released.$1"' - "$node"; done
}

# Until a job, or all of its tasks or components, has ended; 60 s at most.
await_job() {
  on login timeout 60 bash -c '
    until left=$(squeue -h -j "$1") && [[ -z $left ]]; do sleep 0.1; done' - "$1" || {
    echo "job $1 has not ended after 60 s"
    return 1
  }
}

# --- jobs of both accounts at once, on c1

# job.sh for alice and for bob: script_of_both <<EOF
script_of_both() {
  local text user
  text=$(echo '#!/bin/bash' && cat)
  for user in alice bob; do "$user" bash -c 'cat >job.sh' <<<"$text"; done
}

# sbatch, as bob; prints the job's id.
his_submit() { bob sbatch --parsable --output=%j.out "$@"; }

# Until `hold` runs for alice's job and for bob's: await_both_held HERS HIS
await_both_held() {
  is "alice's job" "$1" "$(await_held c1)"
  is "bob's job" "$2" "$(bob timeout 30 cat held.c1)"
}

his_release() { bob timeout 30 bash -c ': >released.c1'; }

# --- what is known of a job

# A member of what scontrol shows: of_job ID ExitCode
of_job() { on login scontrol -o show job "$1" | grep -o " $2=[^ ]*" | cut -d= -f2-; }

comment_of() { on login squeue -h -t all -j "$1" -o %k; }

jobs() { on login squeue -h -t all -a -o %i; }

output_of() { alice cat "$1.out"; }

# --- nodes

# Whether the unit of a job is active on a node.
is_traced() { on "$2" systemctl -q is-active "datacrumbs@$1.service"; }

# Until no job is left and both nodes are idle; 30 s at most.
await_idle() {
  on login timeout 30 bash -c '
    until [[ -z $(squeue -h) && $(sinfo -h -N -o %T | sort -u) == idle ]]; do sleep 0.1; done' || {
    echo "the nodes are not idle:"
    on login sinfo -h -N -o "%N %T %E"
    return 1
  }
}

assert_nothing_left() {
  local node left
  for node in c1 c2; do
    left=$(on "$node" bash -c '
      systemctl list-units --all --plain --no-legend "datacrumbs@*"
      find /run/datacrumbs -mindepth 1
      pgrep -x -l datacrumbs || true')
    [[ -z $left ]] || {
      printf 'left on %s:\n%s\n' "$node" "$left"
      return 1
    }
  done
}

# --- assertions

# is WHAT EXPECTED ACTUAL
is() {
  [[ $3 == "$2" ]] || {
    printf '%s is\n  %s\nand should be\n  %s\n' "$1" "$3" "$2"
    return 1
  }
}

# has WHAT TEXT ACTUAL
has() {
  [[ $3 == *"$2"* ]] || {
    printf '%s is\n  %s\nand should hold\n  %s\n' "$1" "$3" "$2"
    return 1
  }
}

# The reason that a job's stderr gives for a node that does not trace it.
assert_untraced() {
  has "the output of job $1" \
    "slurmstepd-$2: error: datacrumbs: this node does not trace job $1: $3" "$(output_of "$1")"
}

# --- traces

# The objects of a job's trace on a node: trace JOB NODE [USER]. The brackets of the
# array around them, as trace viewers want it, are lines of their own.
trace() { on login zcat "/home/${3:-alice}/$here/datacrumbs-$1/$2.pfw.gz" | sed '/^[][]$/d'; }

# The calls of a trace, with the paths that their hashes stand for as args.fname.
calls() {
  trace "$@" | jq -cs '(map(select(.name == "FH") | {(.args.value): .args.name}) | add) as $paths |
    .[] | select(.ph == "X") | .args.fname = $paths[.args.fhash // ""]'
}

# The paths that a job has opened on a node, each once: opened JOB NODE [USER]
opened() { calls "$@" | jq -r 'select(.name == "openat") | .args.fname' | sort -u; }

# --- probe files that no signer makes

key_id() { openssl pkey -in "$1" -pubout -outform DER | tail -c 32 | sha256sum | cut -d' ' -f1; }

# forge OUT JQ-FILTER: alice's posix document, changed by the filter, then signed
# with a key that the nodes trust.
forge() {
  local key=$BATS_SUITE_TMPDIR/forger.pem work=$BATS_TEST_TMPDIR/document
  on --user alice login zcat p.json.gz |
    jq -jcS --arg id "$(key_id "$key")" "del(.checksum) | .key_id = \$id | $2" >"$work"
  openssl pkeyutl -sign -rawin -inkey "$key" -in "$work" -out "$work.signature"
  jq -jcS --arg checksum "$(base64 -w0 <"$work.signature")" '.checksum = $checksum' "$work" |
    gzip -n | alice tee "$1" >/dev/null
}
