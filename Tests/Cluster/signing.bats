#!/usr/bin/env bats
# One machine signs, the others verify with public keys alone.

load suite

signer=datacrumbs_sign_probes.service

config() { alice tee c.yaml >/dev/null; }

built() { alice datacrumbs_probes build c.yaml "$1" >/dev/null; }

# What a node says of alice's file.
verdict_on() { on --user alice --directory "/home/alice/$here" "$1" datacrumbs_probes verify "$2" 2>&1; }

# What an admin does after a change of keys.
distribute_keys() {
  local node folder
  on login datacrumbs_sign_probes key export --to /run/export >/dev/null
  for node in c1 c2; do
    on login tar -C /run/export -c . | on "$node" tar -C /etc/datacrumbs/trusted.d -x --no-same-owner
  done
  on login rm -r /run/export
}

posix() {
  config <<'END'
capture_probes:
  - {name: posix, probe: syscalls, functions: [openat, read]}
END
}

@test "the service runs as a user of its own, without any right, exposed at most 2.0" {
  pid=$(on login systemctl show -P MainPID $signer)
  status=$(on login cat "/proc/$pid/status")
  is "the user" "$(on login id -u datacrumbs-sign)" "$(awk '$1 == "Uid:" { print $3 }' <<<"$status")"
  is "its capabilities" 0000000000000000 "$(awk '$1 == "CapEff:" { print $2 }' <<<"$status")"
  is "what it can gain" 0000000000000000 "$(awk '$1 == "CapBnd:" { print $2 }' <<<"$status")"
  on login systemd-analyze security --no-pager --threshold=20 $signer >/dev/null
}

@test "the private key is on the login node, for root and the service alone" {
  key=$(on login cat /etc/datacrumbs/keys/signing.key)
  [[ -n $key ]]
  run alice cat /etc/datacrumbs/keys/signing.key
  [[ $status != 0 ]]
  run alice cat "/run/credentials/$signer/signing.key"
  [[ $status != 0 ]]
  for node in c1 c2; do
    run on "$node" ls -d /etc/datacrumbs/keys /etc/datacrumbs/hmac_secret /run/credentials/$signer
    is "secrets of $node" 2 "$status"
    run on "$node" grep -rFs --exclude-dir=proc --exclude-dir=sys -e "$key" /etc /run /var /root /home
    is "copies of the key on $node" "" "$output"
  done
}

@test "the kernel says who asks, and the journal remembers it" {
  posix
  built mine.json.gz
  is "alice's verdict" "" "$(verdict_on c1 mine.json.gz)"
  has "bob's verdict" "signed for user alice (uid 1001), not for uid 1002" \
    "$(alice cat mine.json.gz | bob bash -c 'cat >p.gz; datacrumbs_probes verify p.gz' 2>&1 || true)"
  has "the journal" "signed 2 functions for alice (uid 1001)" \
    "$(on login journalctl -q -o cat DATACRUMBS_UID=1001 DATACRUMBS_VERDICT=signed)"
}

@test "what the policy refuses is not signed, and the journal says who asked for it" {
  config <<'END'
capture_probes:
  - {name: keys, probe: syscalls, functions: [openat, add_key]}
END
  run alice datacrumbs_probes build c.yaml p.json.gz
  is "the exit code" 77 "$status"
  has "the message" "add_key may not be probed" "$output"
  run alice ls p.json.gz
  is "the file" 2 "$status"
  has "the journal" "refused alice (uid 1001): add_key may not be probed" \
    "$(on login journalctl -q -o cat DATACRUMBS_UID=1001 DATACRUMBS_VERDICT=refused)"
}

@test "functions that a pattern found are left out where the policy refuses them" {
  config <<'END'
capture_probes:
  - {name: keys, probe: syscalls, type: ksym, regex: "sys_(openat|add_key)"}
END
  run alice datacrumbs_probes build c.yaml p.json.gz
  is "the exit code" 0 "$status"
  has "the table" "1 (policy: its arguments are keys and tickets" "$output"
  is "the functions" '["openat"]' \
    "$(alice zcat p.json.gz | jq -c '.categories[0].functions')"
}

# A program of alice's with debug information, in her folder.
program() {
  cat >"$BATS_TEST_TMPDIR/prog.c" <<'END'
#include <stdio.h>
#include <unistd.h>
__attribute__((noinline)) int checkpoint(int step, const char *path, size_t bytes) {
  FILE *out = fopen(path, "w");
  if (out == NULL) return -1;
  fprintf(out, "%zu", bytes);
  fclose(out);
  return step + 1;
}
int main(void) { return checkpoint(41, "made-here", 4096) == 42 ? 0 : 1; }
END
  gcc -g -O2 -o "$BATS_TEST_TMPDIR/prog" "$BATS_TEST_TMPDIR/prog.c"
  alice bash -c 'umask 022; mkdir -p bin; cat >bin/prog; chmod 755 bin/prog' <"$BATS_TEST_TMPDIR/prog"
  config <<END
capture_probes:
  - {name: app, probe: uprobe, type: binary, file: /home/alice/$here/bin/prog, regex: checkpoint}
END
}

@test "a program of the user's own is signed as the installed programs pass it, and its arguments have names" {
  program
  built p.json.gz
  is "the arguments" "step:int path:const char * bytes:size_t" "$(alice zcat p.json.gz |
    jq -r '[.categories[0].function_arguments.checkpoint[] | .label + ":" + .c_type] | join(" ")')"
  script job.sh <<<'bin/prog; echo "exit code $?"'
  job=$(submit --datacrumbs-enable --datacrumbs-probe-file=p.json.gz -w c1 job.sh)
  await_job "$job"
  is "the output" "exit code 0" "$(output_of "$job")"
  call=$(calls "$job" c1 | jq -c 'select(.name == "checkpoint")')
  is "what is known of the call" "app 41 made-here 4096 42" \
    "$(jq -r '"\(.cat) \(.args.step) \(.args.fname) \(.args.bytes) \(.args.ret)"' <<<"$call")"
}

# A job of hers with p.json.gz is not traced in bin/prog, for that reason, and else as ever.
assert_not_probed() {
  job=$(submit --datacrumbs-enable --datacrumbs-probe-file=p.json.gz -w c1 job.sh)
  await_job "$job"
  has "the output" "it ran" "$(output_of "$job")"
  is "calls in the trace" "" "$(trace "$job" c1 | jq -c 'select(.name == "checkpoint" and .ph == "X")')"
  has "the other calls" '"openat"' "$(trace "$job" c1 | jq -c 'select(.ph == "X") | .name')"
  has "why it is not attached" "/home/alice/$here/bin/prog: $1" "$(trace "$job" c1)"
}

@test "a program that became another's, a link or a device after it was signed is not probed" {
  program
  alice tee -a c.yaml >/dev/null <<<'  - {name: posix, probe: syscalls, functions: [openat]}'
  built p.json.gz
  script job.sh <<<'cat job.sh >/dev/null; echo "it ran"'
  on --user bob login bash -c 'cp "/home/alice/$1/bin/prog" "$1/prog"' - "$here"
  for target in "/home/bob/$here/prog" /usr/bin/true /dev/full; do
    alice ln -sf "$target" bin/prog
    assert_not_probed "there is a link on the way to it, which root has not made"
  done
  # Hers, but for others to write.
  alice bash -c 'rm bin/prog; cp "/home/bob/$1/prog" bin/prog; chmod 777 bin/prog' - "$here"
  assert_not_probed "others may write to it"
  # What root alone can do for her.
  on login bash -c 'cp --remove-destination "/home/bob/$1/prog" "/home/alice/$1/bin/prog"
    chown bob "/home/alice/$1/bin/prog"' - "$here"
  assert_not_probed "belongs to uid 1002, neither root nor the job's user"
  on login bash -c 'rm "$1" && mknod "$1" c 1 3 && chown alice "$1"' - "/home/alice/$here/bin/prog"
  assert_not_probed "not a regular file"
}

@test "a program of the Go toolchain is neither signed nor, whoever has signed it, probed" {
  program
  # The section that its linker leaves in every program.
  echo 'const char tables[] __attribute__((section(".gopclntab"), used)) = "pcln";' >>"$BATS_TEST_TMPDIR/prog.c"
  gcc -O2 -s -rdynamic -o "$BATS_TEST_TMPDIR/prog" "$BATS_TEST_TMPDIR/prog.c"
  alice tee bin/prog >/dev/null <"$BATS_TEST_TMPDIR/prog"
  run alice datacrumbs_probes build c.yaml p.json.gz
  is "the exit code" 65 "$status"
  has "the table" "a Go program moves its stacks" "$output"
  forge p.json.gz ".categories += [{type: 2, name: \"app\", functions: [\"checkpoint\"],
    binary_path: \"/home/alice/$here/bin/prog\"}]"
  script job.sh <<<'bin/prog && cat job.sh >/dev/null && echo "it ran"'
  assert_not_probed "a Go program moves its stacks"
}

@test "the tracer's unit opens no device" {
  script job.sh <<<hold
  job=$(submit "${traced[@]}" -w c1 job.sh)
  await_held c1
  is "the policy" closed "$(on c1 systemctl show -p DevicePolicy --value "datacrumbs@$job.service")"
  # /dev/kmsg, by a shell that goes into the unit's cgroup.
  group=$(on c1 systemctl show -p ControlGroup --value "datacrumbs@$job.service")
  is "the device before and behind" "opened refused" "$(on c1 bash -c '
    mknod /dev/looked-at c 1 11
    : </dev/looked-at && echo opened
    echo $BASHPID >"/sys/fs/cgroup$1/cgroup.procs"
    reason=$( (: </dev/looked-at) 2>&1) || [[ $reason != *"not permitted"* ]] || echo refused
    rm /dev/looked-at' - "$group" | xargs)"
  release c1
  await_job "$job"
}

@test "a program that others could replace is not signed" {
  program
  alice chmod g+w bin
  run alice datacrumbs_probes build c.yaml p.json.gz
  is "the exit code" 77 "$status"
  has "the message" "others may write to /home/alice/$here/bin" "$output"
  alice chmod g-w bin
  built p.json.gz
  alice bash -c 'mkdir open && chmod 1777 open && cp -r bin open/'
  config <<END
capture_probes:
  - {name: app, probe: uprobe, type: binary, file: /home/alice/$here/open/bin/prog, regex: checkpoint}
END
  built p.json.gz
  # bob may make the path look as he wants, in a view of the file system that is his alone.
  on --user bob login bash -c 'mkdir -p "$1/alice/$2/bin" && cp "/home/alice/$2/bin/prog" "$1/alice/$2/bin/"' - \
    "/home/bob/$here" "$here"
  bob tee c.yaml >/dev/null <<END
capture_probes:
  - {name: app, probe: uprobe, type: binary, file: /home/alice/$here/bin/prog, regex: checkpoint}
END
  run bob unshare --user --map-root-user --mount bash -c '
    mount --bind alice /home/alice && datacrumbs_probes build c.yaml p.json.gz'
  is "the exit code for bob" 77 "$status"
  has "the message for bob" "is another file for the signing service than for you" "$output"
}

@test "diff tells what two files trace differently, and how" {
  config <<'END'
capture_probes:
  - {name: posix, probe: syscalls, functions: [openat, read]}
END
  built old.json.gz
  run alice datacrumbs_probes diff old.json.gz old.json.gz
  is "a file and itself" "0 " "$status $output"
  config <<'END'
mode: profile
capture_probes:
  - {name: posix, probe: syscalls, functions: [read, write]}
END
  built new.json.gz
  run alice datacrumbs_probes diff old.json.gz new.json.gz
  is "the exit code" 1 "$status"
  is "the difference" "- posix: syscalls openat
+ mode: profile
+ posix: syscalls write" "$output"
}

@test "how to record is in the configuration, and signed" {
  config <<'END'
mode: profile
profile_interval_ms: 200
inclusion_paths: [/home/alice]
capture_probes:
  - {name: posix, probe: syscalls, functions: [openat, read]}
END
  built p.json.gz
  is "the summary" "profile 200 /home/alice" "$(alice zcat p.json.gz |
    jq -r '.summary | "\(.mode) \(.profile_interval_ms) \(.inclusion_paths)"')"
  script job.sh <<<'for i in {1..20}; do cat job.sh /etc/passwd >/dev/null; done'
  job=$(submit --datacrumbs-enable --datacrumbs-probe-file=p.json.gz -w c1 job.sh)
  await_job "$job"
  is "the output" "" "$(output_of "$job")"
  is "single calls" "" "$(trace "$job" c1 | jq -c 'select(.ph == "X")')"
  [[ -n $(trace "$job" c1 | jq -c 'select(.ph == "C")') ]]
}

# --- documents of LLNL's DataCrumbs

secret=s3cret-of-the-site

# Where the site has one: the nodes hold it, the login node only knows that they do.
share_secret() {
  local node
  for node in c1 c2; do
    printf %s "$secret" | on "$node" bash -c 'umask 377; cat >/etc/datacrumbs/hmac_secret'
  done
  on login bash -c 'umask 377; : >/etc/datacrumbs/hmac_secret'
}

teardown_file() {
  local machine
  for machine in login c1 c2; do on "$machine" rm -f /etc/datacrumbs/hmac_secret; done
}

# llnl_document SECRET USER FILE, in alice's folder
llnl_document() {
  python3 "$BATS_TEST_DIRNAME/../ProbeDocumentTests/llnl_document.py" "$1" "$2" "$BATS_TEST_TMPDIR/p"
  alice bash -c 'cat >"$1"' - "$3" <"$BATS_TEST_TMPDIR/p"
}

@test "a document that is sealed with a shared secret is refused where the site has none" {
  llnl_document "$secret" alice p.json.gz
  run alice sbatch --datacrumbs-enable --datacrumbs-probe-file=p.json.gz --wrap=true
  is "the exit code" 1 "$status"
  has "the message" "signed with a shared secret (hmac-sha256), which this machine does not have" "$output"
}

@test "a document that is sealed with the site's shared secret is checked by the node, and traced" {
  share_secret
  llnl_document "$secret" alice p.json.gz
  run alice datacrumbs_probes verify p.json.gz
  is "what verify says" "p.json.gz: good but for its seal, which only the node can check" "$output"
  is "its exit code" 0 "$status"
  script job.sh <<<': >made'
  job=$(submit --datacrumbs-enable --datacrumbs-probe-file=p.json.gz -w c1 job.sh)
  await_job "$job"
  is "the job's own file" made "$(opened "$job" c1 | grep -x made)"
  # What can be checked without the secret is checked before the job is queued.
  llnl_document "$secret" bob his.json.gz
  run alice sbatch --datacrumbs-enable --datacrumbs-probe-file=his.json.gz --wrap=true
  is "the exit code" 1 "$status"
  has "the message" "signed for user bob, not for uid 1001" "$output"
  teardown_file
}

@test "a document with a forged seal is refused by the node, and its job goes on" {
  share_secret
  llnl_document "a guess" alice p.json.gz
  script job.sh <<<'echo it ran; exit 7'
  job=$(submit --datacrumbs-enable --datacrumbs-probe-file=p.json.gz -w c1 job.sh)
  await_job "$job"
  is "the exit code" 7:0 "$(of_job "$job" ExitCode)"
  has "the output" "it ran" "$(output_of "$job")"
  assert_untraced "$job" c1 "the probe document's signature does not fit its content"
  is "the traces" "" "$(alice find . -name '*.pfw.gz')"
  # Nor does a node without the secret take the login node's word for it.
  on c1 rm /etc/datacrumbs/hmac_secret
  llnl_document "$secret" alice p.json.gz
  job=$(submit --datacrumbs-enable --datacrumbs-probe-file=p.json.gz -w c1 job.sh)
  await_job "$job"
  assert_untraced "$job" c1 "the probe document is signed with a shared secret (hmac-sha256), which this machine does not have"
  # An empty file, as the login node has it, is no secret to forge with.
  on c1 bash -c ': >/etc/datacrumbs/hmac_secret'
  llnl_document "" alice p.json.gz
  job=$(submit --datacrumbs-enable --datacrumbs-probe-file=p.json.gz -w c1 job.sh)
  await_job "$job"
  assert_untraced "$job" c1 "the probe document is signed with a shared secret (hmac-sha256), which this machine does not have"
  teardown_file
}

# --- doctor

@test "doctor looks at all that a user needs, and says what to do" {
  run alice datacrumbs_probes doctor /home/alice/p.json.gz
  is "the exit code" 0 "$status"
  for line in "ok: sbatch knows --datacrumbs-enable" "ok: trusted key " \
    "ok: the signing service signs syscalls, kprobe, uprobe, usdt probes for alice" \
    "ok: traces can be written: /home/alice/$here/datacrumbs-JOBID" \
    "ok: /home/alice/p.json.gz would be used"; do
    has "what doctor says" "$line" "$output"
  done
  run on --user alice --directory /usr login datacrumbs_probes doctor --socket /run/none /home/bob/p.json.gz
  is "the exit code" 69 "$status"
  for line in "error: the signing service does not answer at /run/none" \
    "error: you may not make /usr/datacrumbs-JOBID: /usr (Permission denied): submit from a folder" \
    "error: cannot read /home/bob/p.json.gz: Permission denied"; do
    has "what doctor says" "$line" "$output"
  done
}

@test "a bar on a terminal for a long entry, and none on a pipe" {
  config <<'END'
capture_probes:
  - {name: kernel, probe: kprobe, type: ksym, regex: ".*"}
END
  # script(1) runs the program on a terminal of its own.
  on_terminal=$(alice script -qec 'datacrumbs_probes build --dry-run c.yaml' /dev/null)
  has "what a terminal shows" "] 0 % kernel" "$on_terminal"
  bars=$(grep -o '] [0-9]* % kernel' <<<"$on_terminal" | sort -u | wc -l)
  # At its beginning, and at least once on its way.
  ((bars >= 2)) || {
    echo "the bar of one entry has moved $bars times"
    return 1
  }
  is "what a pipe gets" "" "$(alice datacrumbs_probes build --dry-run c.yaml 2>&1 >/dev/null)"
}

@test "a service that was killed serves the next client" {
  posix
  on login systemctl kill --signal=KILL $signer
  built p.json.gz
  is "the verdict" "" "$(verdict_on c2 p.json.gz)"
}

@test "keys rotate without a moment of refusal, and nodes honour a retirement" {
  posix
  built old.json.gz
  first=$(on login datacrumbs_sign_probes key list | awk '$2 == "signing" { print $1 }')
  second=$(on login datacrumbs_sign_probes key create)
  built between.json.gz
  distribute_keys
  on login datacrumbs_sign_probes key activate "$second"
  on login systemctl restart $signer
  built new.json.gz
  for node in c1 c2; do
    for file in old between new; do
      is "$file on $node" "" "$(verdict_on "$node" $file.json.gz)"
    done
  done
  is "the new key" "$second" "$(alice zcat new.json.gz | jq -r .key_id)"

  # Back to the first, which other tests' files are signed with; the second goes.
  on login datacrumbs_sign_probes key activate "$first"
  on login systemctl restart $signer
  on login datacrumbs_sign_probes key retire "$second"
  # A copy of its public key that somebody forgot on c2 does not help.
  copy=$(on c2 cat "/etc/datacrumbs/trusted.d/$second.pub")
  distribute_keys
  on c2 tee "/etc/datacrumbs/trusted.d/$second.pub" <<<"$copy" >/dev/null
  for node in login c1 c2; do
    has "new on $node" "signed with a key that is retired ($second)" \
      "$(verdict_on "$node" new.json.gz || true)"
    is "old on $node" "" "$(verdict_on "$node" old.json.gz)"
    on "$node" bash -c 'rm -f "$@"' - "/etc/datacrumbs/trusted.d/$second".{pub,retired}
  done
}
