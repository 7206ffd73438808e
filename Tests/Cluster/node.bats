#!/usr/bin/env bats
# What breaks around a traced job on its node: the job's exit code and output
# are what they would be, the node stays idle and clean, and the reason is told.

load suite
load breakage

# --- the tracer

@test "a tracer that hangs at its start costs the job the limit and no more" {
  short_limits c1
  tracer c1 "/bin/sleep 600"
  seven
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_job "$job"
  assert_unharmed "$job"
  assert_untraced "$job" c1 "the tracer did not start: datacrumbs@$job.service: it was not ready in time"
}

@test "a tracer that fails at its start is told with its exit code" {
  tracer c1 /bin/false
  seven
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_job "$job"
  assert_unharmed "$job"
  assert_untraced "$job" c1 "the tracer did not start: datacrumbs@$job.service: it ended with exit code 1"
}

@test "a tracer that hangs at its stop is killed after the limit" {
  short_limits c1
  on c1 tee /usr/local/bin/stubborn >/dev/null <<'EOF'
#!/bin/bash
trap '' INT TERM
systemd-notify --ready
while :; do sleep 1; done
EOF
  on c1 chmod 755 /usr/local/bin/stubborn
  tracer c1 /usr/local/bin/stubborn
  seven hold
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  release c1
  await_job "$job"
  assert_unharmed "$job"
  await_idle
  has "the journal" "it is killed" "$(on c1 journalctl -q -o cat DATACRUMBS_JOB_ID="$job")"
}

@test "a trace that cannot be written is told while the job runs, and the job goes on" {
  printf 'trace_dir: /var/full/%%j\n' | settings c1
  on c1 bash -c 'mkdir -p /var/full && mount -t tmpfs -o size=64k,mode=1777 none /var/full'
  # More calls all the while: a few would fit into what is left of a page.
  seven $'dd if=/dev/zero of=/dev/null bs=1 status=none &\nhold\nsrun --overlap true\nkill %1'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  on c1 timeout 20 bash -c 'until datacrumbs_service status --job "$1" --json | grep -q degraded; do sleep 0.1; done' - "$job"
  status=$(on c1 datacrumbs_service status --job "$job" --json)
  reason="the trace cannot be written: /var/full/$job/c1.pfw.gz: No space left on device: free space there"
  has "the status" "\"reason\":\"$reason" "$status"
  has "the status" '"not_written":' "$status"
  has "the unit's text" "$reason" "$(on c1 systemctl show -P StatusText "datacrumbs@$job.service")"
  release c1
  await_job "$job"
  assert_unharmed "$job"
  has "the output" "slurmstepd-c1: error: datacrumbs: the trace of job $job has gaps on this node: $reason" "$(output_of "$job")"
  await_idle
  on c1 bash -c 'umount /var/full && rmdir /var/full'
}

# LLNL's: no sd_notify, a ready file, SIGINT.
ready_file_tracer() { # NODE BEFORE-READY
  on "$1" tee /usr/local/bin/ready-file >/dev/null <<EOF
#!/bin/bash
ready=/run/datacrumbs/datacrumbs-\$2.ready
trap 'echo "ended \$(date +%s%N)" >>/run/ready-file.log; rm -f "\$ready"; exit 0' INT
echo "\$1 \$2 \$3" >/run/ready-file.log
$2
echo "ready \$(date +%s%N)" >>/run/ready-file.log
echo ready >"\$ready"
while :; do sleep 0.1; done
EOF
  on "$1" chmod 755 /usr/local/bin/ready-file
  sed 's|/opt/datacrumbs/sbin/datacrumbs|/usr/local/bin/ready-file|' "$BATS_TEST_DIRNAME/../../contrib/systemd/llnl-tracer.conf" |
    on "$1" bash -c 'mkdir -p /etc/systemd/system/datacrumbs@.service.d &&
      cat >/etc/systemd/system/datacrumbs@.service.d/llnl.conf && systemctl daemon-reload'
}

@test "LLNL's tracer in the unit is waited for, and stopped as it wants" {
  ready_file_tracer c1 "sleep 1"
  seven $'date +"began %s%N"; hold'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  is_traced "$job" c1
  log=$(on c1 cat /run/ready-file.log)
  is "its command line" "$probe_file $job alice" "$(head -n 1 <<<"$log")"
  # The job has not begun before its tracer was ready.
  ready=$(sed -n 's/^ready //p' <<<"$log")
  began=$(output_of "$job" | sed -n 's/^began //p')
  ((began > ready))
  release c1
  await_job "$job"
  assert_unharmed "$job"
  await_idle
  has "its end" "ended" "$(on c1 cat /run/ready-file.log)"
  on c1 rm /run/ready-file.log
}

@test "LLNL's tracer that ends before it is ready is told" {
  ready_file_tracer c1 "exit 3"
  seven
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_job "$job"
  assert_unharmed "$job"
  assert_untraced "$job" c1 "the tracer did not start: datacrumbs@$job.service:"
  on c1 rm -f /run/ready-file.log
}

@test "a tracer that the kernel ends for want of memory leaves the job alone and a trace that reads" {
  seven $'touch-files before; hold; touch-files after'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  alice timeout 20 bash -c 'until zcat "$1" | grep -q before.grandchild; do sleep 0.1; done' - \
    "datacrumbs-$job/c1.pfw.gz"
  # The machines' own cgroups have no memory controller, so the limit comes from outside, and systemd
  # says `signal` of the unit's end, not `oom-kill`.
  local group=/sys/fs/cgroup/memory/datacrumbs-$BATS_ROOT_PID tracer
  tracer=$(find /sys/fs/cgroup -path "*-c1/*datacrumbs@$job.service/cgroup.procs" -exec cat {} + | sort -u)
  mkdir "$group"
  echo "$tracer" >"$group/cgroup.procs"
  echo 4096 >"$group/memory.limit_in_bytes"
  release c1
  await_job "$job"
  kills=$(awk '$1 == "oom_kill" { print $2 }' "$group/memory.oom_control")
  rmdir "$group"
  is "how many processes the kernel ended" 1 "$kills"
  assert_unharmed "$job"
  alice gzip -t "datacrumbs-$job/c1.pfw.gz"
  has "what was opened" before.grandchild "$(opened "$job" c1)"
  has "the journal" "status=9/KILL" "$(on c1 journalctl -q -o cat -u "datacrumbs@$job.service")"
}

# --- systemd and the node's own files

@test "a systemd that does not answer costs the job the limit and no more" {
  short_limits c1
  seven
  # A machine's PID 1 takes no SIGSTOP from inside.
  kill -STOP "$("$cluster" leader c1)"
  job=$(submit -w c1 "${traced[@]}" job.sh)
  on login timeout 60 bash -c '
    until [[ $(scontrol -o show job "$1") == *"ExitCode=7:0"* ]]; do sleep 0.2; done' - "$job" || true
  kill -CONT "$("$cluster" leader c1)"
  await_job "$job"
  assert_unharmed "$job"
  assert_untraced "$job" c1 "the tracer did not start: datacrumbs@$job.service: no answer in time"
}

@test "a system bus that hangs or is dead is not missed" {
  seven hold
  for harm in "kill --signal=STOP dbus.service" "stop dbus.socket dbus.service"; do
    # shellcheck disable=SC2086 # words
    on c1 systemctl $harm
    job=$(submit -w c1 "${traced[@]}" job.sh)
    await_held c1
    is_traced "$job" c1
    release c1
    await_job "$job"
    assert_unharmed "$job"
  done
  on c1 systemctl start dbus.socket
}

@test "a /run that is full" {
  seven
  on c1 bash -c 'head -c 100G /dev/zero >/run/filler 2>/dev/null || true'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_job "$job"
  on c1 rm /run/filler
  assert_unharmed "$job"
  has "the output" "does not trace job $job" "$(output_of "$job")"
}

@test "a run directory that is missing is made" {
  on c1 rm -rf /run/datacrumbs
  seven hold
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  is_traced "$job" c1
  release c1
  await_job "$job"
  assert_unharmed "$job"
}

@test "a run directory that belongs to a user is not used, nor touched" {
  on c1 bash -c 'rm -rf /run/datacrumbs && mkdir /run/datacrumbs && chown alice /run/datacrumbs &&
    echo mine >/run/datacrumbs/mine'
  seven
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_job "$job"
  assert_unharmed "$job"
  is "the planted folder" mine "$(on c1 bash -c 'ls /run/datacrumbs; rm -rf /run/datacrumbs')"
  has "slurmd's log" "not safe to use: /run/datacrumbs" "$(on c1 grep datacrumbs /var/log/slurm/slurmd.log)"
}

@test "settings that cannot be read trace nothing, and name the line" {
  settings c1 <<<'on_failure: explode'
  seven
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_job "$job"
  assert_unharmed "$job"
  assert_untraced "$job" c1 "bad configuration: /etc/datacrumbs/datacrumbs.conf:"
}

@test "nothing starts at boot" {
  is "the unit" static "$(on c1 systemctl is-enabled datacrumbs@.service || true)"
}

# --- on_failure

@test "fail_job ends the steps of an untraced job and drains no node" {
  settings c1 <<<'on_failure: fail_job'
  tracer c1 /bin/false
  seven
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_job "$job"
  is "the exit code" 1:0 "$(exit_code "$job")"
  [[ $(output_of "$job") != *"it ran"* ]]
  is "c1" idle "$(await_idle && on login sinfo -h -n c1 -o %T)"
}

@test "fail_job leaves a job alone that did not ask" {
  settings c1 <<<'on_failure: fail_job'
  seven
  job=$(submit -w c1 job.sh)
  await_job "$job"
  assert_unharmed "$job"
}

# --- the user and the file

@test "a user with 500 groups reads by the last of them" {
  on c1 bash -c 'for i in {1..500}; do echo "crowd$i:x:$((50000 + i)):alice"; done >>/etc/group'
  on login cp /home/alice/p.json.gz "/home/alice/$here/p.json.gz"
  # The submission's own check, on login, is by other groups: it comes first.
  on login chmod 644 "/home/alice/$here/p.json.gz"
  seven hold
  job=$(submit --hold -w c1 --datacrumbs-enable --datacrumbs-probe-file=p.json.gz job.sh)
  on login bash -c 'chown 0:50500 "$1" && chmod 640 "$1"' - "/home/alice/$here/p.json.gz"
  alice scontrol release "$job"
  await_held c1
  is_traced "$job" c1
  release c1
  await_job "$job"
  assert_unharmed "$job"
}

@test "a user that the node does not know is told by number" {
  run on c1 datacrumbs_service start --job 4000001 --uid 4242 --probe-file /home/alice/p.json.gz
  is "the exit code" 67 "$status"
  is "the message" "datacrumbs_service: no such user on this node: uid 4242: check its user database" "$output"
  on c1 datacrumbs_service stop --job 4000001
}

@test "a home that is not mounted" {
  seven
  alice cp job.sh /tmp/job.sh
  on c1 mount -t tmpfs none /home
  job=$(alice sbatch --parsable --chdir=/tmp --output=/tmp/%j.out -w c1 "${traced[@]}" /tmp/job.sh)
  await_job "$job"
  local output
  output=$(on c1 cat "/tmp/$job.out")
  on c1 umount /home
  is "the exit code" 7:0 "$(exit_code "$job")"
  has "the output" "it ran" "$output"
  has "the output" "alice cannot read the probe file: /home/alice/p.json.gz: No such file or directory" "$output"
}

@test "a file system that answers after 60 seconds costs the job the limit and no more" {
  short_limits c1
  alice cp /home/alice/p.json.gz p.json.gz
  seven
  job=$(submit --hold -w c1 --datacrumbs-enable --datacrumbs-probe-file=p.json.gz job.sh)
  # The kernel asks this program before each open of the file.
  local asked
  exec {asked}< <(exec python3 "$BATS_TEST_DIRNAME/answer_late.py" \
    "/proc/$("$cluster" leader c1)/root/home/alice/$here/p.json.gz" 60 3>&-)
  local listener=$!
  read -r -u "$asked"
  alice scontrol release "$job"
  await_job "$job"
  # Who waits for the file is gone before it answers.
  assert_nothing_left
  kill "$listener"
  assert_unharmed "$job"
  assert_untraced "$job" c1 "no answer in time: /home/alice/$here/p.json.gz"
}

@test "a user without a group of the same name" {
  local machine
  for machine in login c1 c2; do on "$machine" useradd --no-create-home --uid 1003 --gid users carol; done
  on login install -d -o carol -g users /home/carol
  carol() {
    on --directory /home/carol login setpriv --reuid=carol --regid=users --init-groups -- \
      env HOME=/home/carol USER=carol "$@"
  }
  on login cat /home/alice/posix.yaml | carol tee posix.yaml >/dev/null
  carol datacrumbs_probes build posix.yaml p.json.gz
  job=$(carol sbatch --parsable --output=%j.out -w c1 --datacrumbs-enable --datacrumbs-probe-file=p.json.gz \
    --wrap='touch-files mine; echo it ran; exit 7')
  await_job "$job"
  is "the exit code" 7:0 "$(exit_code "$job")"
  is "the output" "it ran" "$(carol cat "$job.out")"
  is "whose the trace is" "carol users 600" "$(carol stat -c '%U %G %a' "datacrumbs-$job/c1.pfw.gz")"
  has "the trace" mine.child "$(carol zcat "datacrumbs-$job/c1.pfw.gz")"
  for machine in login c1 c2; do on "$machine" userdel carol; done
  on login rm -r /home/carol
}

# --- the clock

@test "a clock that is stepped back during a job" {
  gcc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$BATS_TEST_TMPDIR/clock.so" "$BATS_TEST_DIRNAME/stepped_clock.c"
  on c1 tee /usr/local/lib/clock.so <"$BATS_TEST_TMPDIR/clock.so" >/dev/null
  on c1 bash -c '
    mkdir -p /etc/systemd/system/datacrumbs@.service.d
    printf "[Service]\nEnvironment=LD_PRELOAD=/usr/local/lib/clock.so\n" >/etc/systemd/system/datacrumbs@.service.d/clock.conf
    systemctl daemon-reload
    cd /usr/sbin && mv datacrumbs_service datacrumbs_service.real
    cat >datacrumbs_service && chmod 755 datacrumbs_service' <<'EOF'
#!/bin/sh
LD_PRELOAD=/usr/local/lib/clock.so exec /usr/sbin/datacrumbs_service.real "$@"
EOF
  seven $'touch-files before; hold; touch-files after'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  is_traced "$job" c1
  on c1 tee /run/clock <<<-3600
  stepped=$(on c1 env LD_PRELOAD=/usr/local/lib/clock.so date +%s)
  (($(date +%s) - stepped >= 3600))
  release c1
  await_job "$job"
  on c1 bash -c 'mv /usr/sbin/datacrumbs_service.real /usr/sbin/datacrumbs_service; rm /run/clock'
  assert_unharmed "$job"
  for file in before after; do has "what was opened" "$file.grandchild" "$(opened "$job" c1)"; done
  # The hour is not in the trace: its times are of a clock that nobody sets.
  span=$(calls "$job" c1 | jq -s 'map(.ts | tonumber) | (max - min) / 1e6 | floor')
  ((span < 60)) || {
    echo "from the first call to the last the trace has $span s"
    return 1
  }
}

# --- Slurm

@test "a step of a job that did not ask is not traced, beside a traced job of the same user" {
  script traced.sh <<'EOF'
hold
touch-files traced
EOF
  seven 'DATACRUMBS_ENABLE=1 DATACRUMBS_PROBE_FILE=/home/alice/p.json.gz srun --overlap touch-files untraced'
  other=$(submit -w c1 "${traced[@]}" traced.sh)
  await_held c1
  job=$(submit -w c1 job.sh)
  await_job "$job"
  assert_unharmed "$job"
  is "the output" "it ran" "$(output_of "$job")"
  is "the comment" "" "$(comment_of "$job" | tr -d ' ' | sed 's/(null)//')"
  run ! is_traced "$job" c1
  release c1
  await_job "$other"
  has "what the traced job opened" traced.grandchild "$(opened "$other" c1)"
  is "what it opened of the other's" "" "$(opened "$other" c1 | grep untraced || true)"
  is "the traces" "./datacrumbs-$other/c1.pfw.gz" "$(alice find . -name '*.pfw.gz')"
}

@test "array tasks, users and jobs on one node have tracers of their own" {
  script job.sh <<'EOF'
touch-files "$SLURM_JOB_ID"
hold
EOF
  job=$(submit -w c1 --array=1-2 "${traced[@]}" job.sh)
  { read -r first && read -r second; } <<<"$(await_held c1 2)"
  [[ $first != "$second" ]]
  is_traced "$first" c1
  is_traced "$second" c1
  release c1
  await_job "$job"
  has "the first's trace" "$first.child" "$(alice zcat "datacrumbs-$first/c1.pfw.gz")"
  has "the second's trace" "$second.child" "$(alice zcat "datacrumbs-$second/c1.pfw.gz")"
  run alice bash -c 'zcat "$1" | grep -F "$2.child"' - "datacrumbs-$first/c1.pfw.gz" "$second"
  is "the second's files in the first's trace" "" "$output"
}

@test "fifty steps in one traced job" {
  script job.sh <<'EOF'
for i in {1..50}; do srun --overlap -n 1 sh -c ": >step.$i" || exit 1; done
echo it ran; exit 7
EOF
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_job "$job"
  assert_unharmed "$job"
  is "the steps in the trace" 50 "$(alice zcat "datacrumbs-$job/c1.pfw.gz" | grep -oE 'step\.[0-9]+"' | sort -u | wc -l)"
}

@test "an epilog that never ran is made up for, and nothing else is touched" {
  seven hold
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  on c1 datacrumbs_service start --job 4000002 --uid 1001 --probe-file /home/alice/p.json.gz \
    --work-dir "/home/alice/$here" --marker "$(on c1 find /usr/lib -name spank_datacrumbs.so)"
  is_traced 4000002 c1
  is "what was reaped" "ended the tracer of job 4000002" "$(on c1 datacrumbs_service reap)"
  run ! is_traced 4000002 c1
  is_traced "$job" c1
  release c1
  await_job "$job"
  assert_unharmed "$job"
}

@test "the next traced job has leftovers looked for" {
  on c1 datacrumbs_service start --job 4000003 --uid 1001 --probe-file /home/alice/p.json.gz \
    --work-dir "/home/alice/$here" --marker "$(on c1 find /usr/lib -name spank_datacrumbs.so)"
  seven
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_job "$job"
  on c1 timeout 30 bash -c 'while systemctl -q is-active datacrumbs@4000003.service; do sleep 0.1; done'
}

@test "the timer has leftovers looked for as well" {
  on c1 datacrumbs_service start --job 4000004 --uid 1001 --probe-file /home/alice/p.json.gz \
    --work-dir "/home/alice/$here" --marker "$(on c1 find /usr/lib -name spank_datacrumbs.so)"
  # As an admin enables it; it would wait a quarter of an hour.
  on c1 bash -c '
    mkdir -p /etc/systemd/system/datacrumbs_reap.timer.d
    printf "[Timer]\nOnBootSec=\nOnUnitActiveSec=\nRandomizedDelaySec=0\nAccuracySec=1s\nOnActiveSec=1s\n" \
      >/etc/systemd/system/datacrumbs_reap.timer.d/soon.conf
    systemctl daemon-reload && systemctl -q enable --now datacrumbs_reap.timer'
  on c1 timeout 30 bash -c 'while [[ -d /run/datacrumbs/4000004 ]]; do sleep 0.1; done'
  on c1 bash -c 'systemctl -q disable --now datacrumbs_reap.timer && rm -r /etc/systemd/system/datacrumbs_reap.timer.d'
}

@test "a plugin of another release of Slurm costs its option and nothing else" {
  local plugin
  plugin=$(on login find /usr/lib -name spank_datacrumbs.so)
  # The release that it was built for is a number in the library: 22.05.8 becomes 1.2.3.
  for node in login c1; do
    on "$node" cp -a "$plugin" /root/plugin
    on "$node" python3 -c '
import sys
data = open("/root/plugin", "rb").read()
ours = bytes.fromhex(sys.argv[1])
assert ours in data
open("/root/plugin.new", "wb").write(data.replace(ours, bytes([3, 2, 1, 0])))' "$(release_bytes)"
    on "$node" mv /root/plugin.new "$plugin"
  done
  seven
  run alice sbatch "${traced[@]}" job.sh
  has "the refusal" "unrecognized option" "$output"
  has "what sbatch logs" "spank_datacrumbs.so: Incompatible plugin version" "$output"
  job=$(submit -w c1 job.sh)
  await_job "$job"
  for node in login c1; do on "$node" mv /root/plugin "$plugin"; done
  assert_unharmed "$job"
}

# SLURM_VERSION_NUMBER as it lies in memory, in hexadecimal.
release_bytes() {
  on login slurmd -V 2>/dev/null | awk '{ split($2, v, "."); printf "%02x%02x%02x00", v[3], v[2], v[1] }' ||
    on c1 slurmd -V | awk '{ split($2, v, "."); printf "%02x%02x%02x00", v[3], v[2], v[1] }'
}

@test "an upgrade of our programs with a job running" {
  seven hold
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  on c1 bash -c '
    for program in /usr/sbin/datacrumbs /usr/sbin/datacrumbs_service; do
      cp -a "$program" "$program.new" && mv "$program.new" "$program"
    done
    systemctl daemon-reload'
  is_traced "$job" c1
  release c1
  await_job "$job"
  assert_unharmed "$job"
}
