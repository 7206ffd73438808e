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
