#!/usr/bin/env bats
# `make install PREFIX=/opt/datacrumbs`, and the deployment commands as they are published.

load suite

# The machine's own installation below /usr is hidden by what is in /etc, and
# comes back when that is gone.
setup_file() {
  make -s -C "$BATS_TEST_DIRNAME/../.." install PREFIX=/opt/datacrumbs DESTDIR="$BATS_FILE_TMPDIR" >/dev/null
  local machine
  for machine in login c1; do
    tar -C "$BATS_FILE_TMPDIR" --owner=root --group=root -c opt etc/systemd etc/sysusers.d etc/tmpfiles.d |
      "$BATS_TEST_DIRNAME/cluster" run "$machine" tar -C / -x
  done
}

teardown_file() {
  local machine
  for machine in login c1; do
    "$BATS_TEST_DIRNAME/cluster" run "$machine" bash -c '
      systemctl -q disable --now datacrumbs_sign_probes.service datacrumbs_sign_probes.socket
      cd /etc/systemd/system && rm -f datacrumbs*
      rm -rf /opt/datacrumbs /etc/sysusers.d/datacrumbs.conf /etc/tmpfiles.d/datacrumbs.conf
      systemctl daemon-reload'
  done
  "$BATS_TEST_DIRNAME/cluster" run login systemctl -q enable --now datacrumbs_sign_probes.service
}

@test "everything is where the published description has it" {
  for path in etc/datacrumbs/systemd/datacrumbs_sign_probes.service \
    etc/datacrumbs/systemd/datacrumbs@.service sbin/datacrumbs_service_run.sh \
    sbin/datacrumbs_service_stop.sh bin/datacrumbs_salloc bin/datacrumbs_sbatch; do
    on login test -e "/opt/datacrumbs/$path"
  done
}

@test "the signing service is deployed with three commands" {
  on login ln -sf /opt/datacrumbs/etc/datacrumbs/systemd/datacrumbs_sign_probes.service \
    /etc/systemd/system/datacrumbs_sign_probes.service
  on login systemctl daemon-reload
  on login systemctl enable --now datacrumbs_sign_probes.service
  on login systemctl restart datacrumbs_sign_probes.service
  has "the running signer" /opt/datacrumbs/sbin/datacrumbs_sign_probes \
    "$(on login systemctl show -p ExecStart datacrumbs_sign_probes.service)"
  alice cp ../posix.yaml .
  alice /opt/datacrumbs/bin/datacrumbs_probes build posix.yaml p.json.gz
  alice /opt/datacrumbs/bin/datacrumbs_probes verify p.json.gz
}

@test "the tracer's unit is deployed with two commands, and tried without a scheduler" {
  on c1 ln -sf /opt/datacrumbs/etc/datacrumbs/systemd/datacrumbs@.service \
    /etc/systemd/system/datacrumbs@.service
  on c1 systemctl daemon-reload
  on --directory "/home/alice/$here" c1 \
    /opt/datacrumbs/bin/datacrumbs_service_wrapper start 1 alice /home/alice/p.json.gz
  has "the tracer" /opt/datacrumbs/sbin/datacrumbs \
    "$(on c1 systemctl show -p ExecStart datacrumbs@1.service)"
  is_traced 1 c1
  on --directory "/home/alice/$here" c1 \
    /opt/datacrumbs/bin/datacrumbs_service_wrapper stop 1 alice /home/alice/p.json.gz
  alice gzip -t datacrumbs-1/c1.pfw.gz
}
