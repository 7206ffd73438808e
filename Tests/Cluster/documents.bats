#!/usr/bin/env bats
# The node trusts what is signed, and nobody's word that it was checked before:
# these requests come by the comment alone, which no one has verified.

load suite

# The file p.json.gz in alice's folder is never traced, for that reason.
assert_never_traced() {
  script job.sh <<<'echo it ran; exit 7'
  job=$(submit -w c1 --comment="${comment/p.json.gz/$here/p.json.gz}" job.sh)
  await_job "$job"
  is "the exit code" 7:0 "$(of_job "$job" ExitCode)"
  has "the output" "it ran" "$(output_of "$job")"
  assert_untraced "$job" c1 "$1"
  is "the traces" "" "$(alice find . -name '*.pfw.gz')"
}

# refused_by_verify EXIT-CODE MESSAGE FILE: what the program says of a file, and soon.
refused_by_verify() {
  run alice timeout 10 datacrumbs_probes verify "$3"
  is "the message about $3" "datacrumbs_probes: $2" "$output"
  is "the exit code for $3" "$1" "$status"
}

@test "a document with a forged signature is never traced" {
  on --user alice login zcat p.json.gz | jq -c '.checksum |= (.[4:] + .[:4])' | gzip |
    alice tee p.json.gz >/dev/null
  assert_never_traced ""
}

@test "a document that was changed after it was signed is never traced" {
  on --user alice login zcat p.json.gz | sed s/openat/unlink/ | gzip | alice tee p.json.gz >/dev/null
  assert_never_traced "the probe document's signature does not fit its content"
}

@test "a document that is signed with a key of the user's own is never traced" {
  openssl genpkey -algorithm ed25519 -out "$BATS_TEST_TMPDIR/forger.pem"
  BATS_SUITE_TMPDIR=$BATS_TEST_TMPDIR forge p.json.gz .
  assert_never_traced "the probe document is signed with a key that is not trusted on this machine"
}

@test "a document that was signed for bob is never traced for alice" {
  on --user bob login cat p.json.gz | alice tee p.json.gz >/dev/null
  assert_never_traced "the probe document is signed for user bob (uid 1002), not for uid 1001"
}

@test "a document that has expired is never traced" {
  forge p.json.gz '.summary.created = "2020-01-01T00:00:00Z" | .summary.expires = "2020-01-02T00:00:00Z"'
  assert_never_traced "the probe document expired at 2020-01-02T00:00:00Z"
}

@test "a document that is not valid yet is never traced" {
  forge p.json.gz '.summary.created = "2100-01-01T00:00:00Z" | .summary.expires = "2100-01-02T00:00:00Z"'
  assert_never_traced "the probe document is not valid before 2100-01-01T00:00:00Z"
}

@test "a document with custom BPF is never traced" {
  forge p.json.gz '.categories[0].type = 4'
  assert_never_traced "category posix has type 4, custom BPF, which is never traced"
}

@test "what is no regular file is refused by verify, named, and never waited for" {
  for file in held.c1 /dev/zero /dev/null . /run/datacrumbs-sign/sign.sock; do
    refused_by_verify 66 "cannot read $file: it is not a regular file" "$file"
  done
  run alice timeout 20 sbatch --datacrumbs-enable \
    --datacrumbs-probe-file=/run/datacrumbs-sign/sign.sock --wrap=true
  is "sbatch's exit code" 1 "$status"
  has "sbatch's message" "/run/datacrumbs-sign/sign.sock: give the path of a probe file" "$output"
}

@test "a file that cannot be reached is refused by verify, with the reason" {
  on --user bob login bash -c 'umask 077 && mkdir "$1/mine" && cp p.json.gz "$1/mine/p" &&
    cp p.json.gz "$1/p"' - "$here"
  alice bash -c 'ln -s "/home/bob/$1/p" unreadable && ln -s "/home/bob/$1/mine/p" unreachable &&
    ln -s nothing broken && ln -s circle circle' - "$here"
  refused_by_verify 66 "cannot read unreadable: Permission denied" unreadable
  refused_by_verify 66 "cannot read unreachable: Permission denied" unreachable
  run alice sbatch --datacrumbs-enable --datacrumbs-probe-file=unreadable --wrap=true
  is "sbatch's exit code" 1 "$status"
  has "sbatch's message" "cannot read the probe file (Permission denied): /home/alice/$here/unreadable: " "$output"
  refused_by_verify 66 "cannot read broken: No such file or directory" broken
  refused_by_verify 66 "cannot read circle: Too many levels of symbolic links" circle
  long=$(printf '/a%.0s' {1..2500})
  refused_by_verify 66 "cannot read $long: File name too long" "$long"
  run alice sbatch --datacrumbs-enable --datacrumbs-probe-file="$long" --wrap=true
  is "sbatch's exit code" 1 "$status"
  has "sbatch's message" "cannot read the probe file (File name too long): /a/a/" "$output"
  refused_by_verify 65 "the probe file is empty: empty: build the file again with datacrumbs_probes build" \
    "$(alice bash -c ': >empty; echo empty')"
}

@test "a path with a space, quotes, a line break and a command in it is a path" {
  odd=$'a "b\' $(touch pwned) `touch pwned`\nc'
  alice bash -c 'mkdir "$1" && cp ~/p.json.gz "$1/p" && echo no >"$1/bad"' - "$odd"
  run alice datacrumbs_probes verify "$odd/p"
  is "what verify says of a good file" "" "$output"
  is "its exit code" 0 "$status"
  refused_by_verify 65 "the probe file is not gzip, or damaged: ${odd/$'\n'/\\x0a}/bad: build the file again with datacrumbs_probes build" \
    "$odd/bad"
  # The same path, all the way to the tracer.
  script job.sh <<<': >made'
  job=$(submit --datacrumbs-enable --datacrumbs-probe-file="$odd/p" -w c1 job.sh)
  await_job "$job"
  is "the output" "" "$(output_of "$job")"
  is "the job's own file" made "$(opened "$job" c1 | grep -x made)"
  is "commands that a path has run" "" "$(alice find . /home/alice -maxdepth 1 -name pwned)"
}

@test "a file that is written over and over while it is read is good, or refused by name" {
  alice bash -c 'cp ~/p.json.gz p && head -c 300 p >half'
  alice bash -c 'while [[ ! -e stop ]]; do cat half >p; cat ~/p.json.gz >p; done' &
  writer=$!
  verdicts=$(alice bash -c '
    for attempt in {1..60}; do
      message=$(timeout 10 datacrumbs_probes verify p 2>&1)
      code=$?
      case $code,$message in
        0,) ;;
        65,"datacrumbs_probes: the probe file is "*": p: build the file again"*) ;;
        66,"datacrumbs_probes: cannot read p: it changed while it was read") ;;
        *) echo "exit code $code: $message" ;;
      esac
    done
    touch stop')
  wait "$writer"
  is "unexpected verdicts" "" "$verdicts"
  alice datacrumbs_probes verify p
}

@test "a compute node has public keys and no private one" {
  secret=$(on login bash -c 'cat /etc/datacrumbs/keys/signing.key')
  [[ -n $secret ]]
  for node in c1 c2; do
    is "what $node keeps beside public keys and settings" "" "$(on "$node" find /etc/datacrumbs \
      -type f -not -path '*/trusted.d/*.pub' -not -name '*.conf' -not -name '*.yaml')"
    is "where $node has the signer's key" "" \
      "$(on "$node" grep -rlaF "$secret" /etc /var/lib /run/datacrumbs || true)"
    is "the signer on $node" inactive "$(on "$node" systemctl is-active datacrumbs_sign_probes.service || true)"
  done
}

@test "the keys probes and composite are refused by name" {
  for key in probes composite; do
    script job.sh <<<'echo it ran'
    job=$(submit -w c1 --comment="{\"datacrumbs\":{\"enable\":\"yes\",\"$key\":\"/home/alice/p.json.gz\"}}" job.sh)
    await_job "$job"
    has "the output" "it ran" "$(output_of "$job")"
    assert_untraced "$job" c1 ""
    has "the output" "$key" "$(output_of "$job")"
  done
}
