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
