# shellcheck shell=bash
# What the tests say that break something around a job on its node. Load it after suite.

eval "suite_$(declare -f teardown)"

teardown() {
  local node
  for node in c1 c2; do
    on "$node" bash -c '
      : >/run/pause.over
      rm -rf /etc/systemd/system/datacrumbs@.service.d /run/filler
      sed -i "/^[^#]/d" /etc/datacrumbs/datacrumbs.conf
      sed -i "/^crowd/d" /etc/group
      systemctl daemon-reload
      systemctl start slurmd'
  done
  on login systemctl start slurmctld
  suite_teardown
  for node in c1 c2; do on "$node" rm -f /run/pause.reached /run/pause.over; done
}

# Settings of a node for this test: settings NODE <<EOF
settings() { on "$1" tee -a /etc/datacrumbs/datacrumbs.conf >/dev/null; }

short_limits() { printf 'limits:\n  read: 2\n  start: 2\n  stop: 2\n' | settings "$1"; }

# Another tracer for this test: tracer NODE COMMAND
tracer() {
  on "$1" bash -c '
    mkdir -p /etc/systemd/system/datacrumbs@.service.d
    printf "[Service]\nNotifyAccess=all\nExecStart=\nExecStart=%s\n" "$1" >/etc/systemd/system/datacrumbs@.service.d/test.conf
    systemctl daemon-reload' - "$2"
}

# Holds a job's prolog at its tracer's start, or its epilog at its end, until go_on: hold_tracer NODE start|stop
hold_tracer() {
  local setting=ExecStartPre
  [[ $2 == start ]] || setting=ExecStopPost
  on "$1" bash -c '
    printf "#!/bin/sh\n: >/run/pause.reached\nuntil [ -e /run/pause.over ]; do sleep 0.1; done\n" >/usr/local/bin/pause
    chmod 755 /usr/local/bin/pause
    mkdir -p /etc/systemd/system/datacrumbs@.service.d
    printf "[Service]\n%s=/usr/local/bin/pause\n" "$1" >/etc/systemd/system/datacrumbs@.service.d/pause.conf
    systemctl daemon-reload' - "$setting"
}

await_paused() { on "$1" timeout 30 bash -c 'until [[ -e /run/pause.reached ]]; do sleep 0.1; done'; }

go_on() { on "$1" touch /run/pause.over; }

kill_slurmd() {
  on "$1" systemctl kill --signal=KILL --kill-who=main slurmd
  on "$1" systemctl start slurmd
}

exit_code() { of_job "$1" ExitCode; }

# A job that says that it ran and exits with 7.
seven() { script job.sh <<<"${1:-}"$'\necho it ran; exit 7'; }

# It ended as it would have untraced.
assert_unharmed() {
  is "the exit code of $1" 7:0 "$(exit_code "$1")"
  has "the output of $1" "it ran" "$(output_of "$1")"
}
