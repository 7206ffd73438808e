# shellcheck shell=bash
# One cluster for all files of tests. With DATACRUMBS_CLUSTER_KEEP=1 one that is
# up is used, and stays up: for a developer who runs one file again and again.

bats_require_minimum_version 1.5.0

setup_suite() {
  # shellcheck source=Tests/Cluster/suite.bash
  source "$(dirname "${BASH_SOURCE[0]}")/suite.bash"
  if [[ ${DATACRUMBS_CLUSTER_KEEP:-} != 1 ]] || ! "$cluster" status >/dev/null; then
    "$cluster" up || return 1
  fi
  make_scripts
  make_probe_files
  make_forgers_key
}

teardown_suite() {
  [[ ${DATACRUMBS_CLUSTER_KEEP:-} == 1 ]] || "$(dirname "${BASH_SOURCE[0]}")/cluster" down
}

# What the jobs of the tests are made of.
make_scripts() {
  # Says that it runs here, and goes on when the test says so.
  on login tee /usr/local/bin/hold >/dev/null <<'EOF'
#!/bin/bash
echo "$SLURM_JOB_ID" >"held.$SLURMD_NODENAME"
cat "released.$SLURMD_NODENAME" >/dev/null
EOF
  # Opens a file from the shell, from a child and from a grandchild.
  on login tee /usr/local/bin/touch-files >/dev/null <<'EOF'
#!/bin/bash
: >"$1.shell"
cat "$1.shell" >"$1.child"
sh -c "cat '$1.child'; :" >"$1.grandchild"
EOF
  local machine
  for machine in c1 c2; do
    on login tar -C /usr/local/bin -c hold touch-files | on "$machine" tar -C /usr/local/bin -x
  done
  for machine in login c1 c2; do
    on "$machine" chmod 755 /usr/local/bin/hold /usr/local/bin/touch-files
  done
}

# One for each account, made the way that users make theirs.
make_probe_files() {
  local user
  for user in alice bob; do
    on --user "$user" login tee posix.yaml >/dev/null <<'EOF'
capture_probes:
  - name: posix
    probe: syscalls
    functions: [openat, read, write, close, execve]
EOF
    on --user "$user" login datacrumbs_probes build posix.yaml p.json.gz || return 1
  done
}

# A key that the nodes trust and that is not the signer's: it signs what no
# signer would. See `forge`.
make_forgers_key() {
  local key=$BATS_SUITE_TMPDIR/forger.pem machine
  openssl genpkey -algorithm ed25519 -out "$key"
  openssl pkey -in "$key" -pubout -outform DER | tail -c 32 >"$key.pub"
  for machine in login c1 c2; do
    base64 <"$key.pub" |
      on "$machine" tee "/etc/datacrumbs/trusted.d/$(key_id "$key").pub" >/dev/null
  done
}
