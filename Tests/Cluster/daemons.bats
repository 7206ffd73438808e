#!/usr/bin/env bats
# Slurm's daemons go away and come back, and jobs are taken from their nodes, at every moment of a traced job.

load suite
load breakage

# Gives a requeued job its next run at once: it would wait two minutes.
run_again() {
  on login timeout 60 bash -c '
    until [[ $(squeue -h -j "$1" -o "%t %r") == "PD BeginTime" ]]; do sleep 0.2; done
    # Within the second of the requeue slurmd would refuse it as revoked.
    scontrol update JobId="$1" StartTime=now+3' - "$1"
  await_held c1
}

# --- slurmd

@test "slurmd is restarted while a prolog waits for its tracer" {
  hold_tracer c1 start
  seven 'touch-files made'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_paused c1
  # It ends when its prologs and epilogs have.
  on c1 systemctl --no-block restart slurmd
  go_on c1
  await_job "$job"
  assert_unharmed "$job"
  has "the trace" made.child "$(opened "$job" c1)"
}

@test "slurmd is killed while a prolog waits for its tracer" {
  hold_tracer c1 start
  seven hold
  job=$(submit --requeue -w c1 "${traced[@]}" job.sh)
  await_paused c1
  kill_slurmd c1
  go_on c1
  # As with any prolog, slurmctld was not told that this one ended: when slurmd reports
  # without the job, 20 s after its start, it is requeued.
  on c1 timeout 60 bash -c '
    until [[ $(squeue -h -j "$1" -o %t) == PD ]]; do systemctl restart slurmd && sleep 1; done' - "$job"
  run_again "$job"
  is_traced "$job" c1
  release c1
  await_job "$job"
  assert_unharmed "$job"
}

@test "slurmd is restarted, then killed, in the middle of a traced job" {
  seven $'touch-files before; hold; touch-files after'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  on c1 systemctl restart slurmd
  is_traced "$job" c1
  kill_slurmd c1
  is_traced "$job" c1
  release c1
  await_job "$job"
  assert_unharmed "$job"
  for file in before after; do has "the trace" "$file.child" "$(opened "$job" c1)"; done
}

@test "slurmd is restarted while an epilog waits for its tracer" {
  hold_tracer c1 stop
  seven 'touch-files made'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_paused c1
  # It ends when its prologs and epilogs have.
  on c1 systemctl --no-block restart slurmd
  go_on c1
  await_job "$job"
  assert_unharmed "$job"
  has "the trace" made.child "$(opened "$job" c1)"
}

@test "slurmd is killed while an epilog waits for its tracer" {
  hold_tracer c1 stop
  seven 'touch-files made'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_paused c1
  kill_slurmd c1
  go_on c1
  # As with any epilog, slurmctld was not told that this one ended. It asks again, within a minute and a half.
  on login timeout 120 bash -c 'while [[ -n $(squeue -h -j "$1") ]]; do sleep 0.2; done' - "$job"
  assert_unharmed "$job"
  has "the trace" made.child "$(opened "$job" c1)"
}

# --- slurmctld

@test "slurmctld is away while a prolog waits for its tracer" {
  hold_tracer c1 start
  seven 'touch-files made'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_paused c1
  on login systemctl stop slurmctld
  go_on c1
  on c1 timeout 30 bash -c 'until systemctl -q is-active "$1"; do sleep 0.1; done' - "datacrumbs@$job.service"
  on login systemctl start slurmctld
  await_job "$job"
  assert_unharmed "$job"
  has "the trace" made.child "$(opened "$job" c1)"
}

@test "slurmctld is away when a traced job ends" {
  seven $'hold\ntouch-files made'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  on login systemctl stop slurmctld
  release c1
  alice timeout 30 bash -c 'until grep -qs "it ran" "$1"; do sleep 0.1; done' - "$job.out"
  on login systemctl start slurmctld
  await_job "$job"
  assert_unharmed "$job"
  has "the trace" made.child "$(opened "$job" c1)"
}

# --- jobs that are taken from their nodes

@test "a tracer that is killed and a new one for the job's next run after a requeue" {
  seven hold
  job=$(submit --requeue -w c1 "${traced[@]}" job.sh)
  await_held c1
  on c1 systemctl kill --signal=KILL "datacrumbs@$job.service"
  alice scontrol requeue "$job"
  run_again "$job"
  is_traced "$job" c1
  release c1
  await_job "$job"
  assert_unharmed "$job"
}

@test "a requeued job on a busy node is traced, where slurmd 22.05 leaves its prolog out" {
  seven $'hold\ntouch-files made'
  job=$(submit --requeue -w c1 "${traced[@]}" job.sh)
  await_held c1
  alice scontrol requeue "$job"
  # A job within the two seconds before has slurmd take this one for prepared.
  alice bash -c 'until [[ -e enough ]]; do srun -w c1 true; done' 2>/dev/null 3>&- &
  run_again "$job"
  alice touch enough
  wait $!
  is_traced "$job" c1
  release c1
  await_job "$job"
  assert_unharmed "$job"
  has "the traces" made.child "$(alice bash -c 'zcat "$1"/c1*.pfw.gz' - "datacrumbs-$job")"
}

@test "a job that its node's loss of power requeues is traced again" {
  seven $'touch-files run.${SLURM_RESTART_COUNT:-0}\nhold'
  job=$(submit --requeue -w c1 "${traced[@]}" job.sh)
  await_held c1
  "$cluster" reboot c1
  is "what is there after the boot" "" "$(on c1 find /run/datacrumbs -mindepth 1)"
  # The machines share a kernel, and slurmctld tells a reboot by the kernel's age.
  on login scontrol update NodeName=c1 State=DOWN Reason=power
  # It may have come back by itself (ReturnToService=2).
  on login scontrol update NodeName=c1 State=RESUME 2>/dev/null || true
  run_again "$job"
  is_traced "$job" c1
  release c1
  await_job "$job"
  assert_unharmed "$job"
  # The first run's trace stands beside it, as far as the power lasted.
  has "the traces" "run.1.child" "$(alice bash -c 'zcat "$1"/c1*.pfw.gz' - "datacrumbs-$job" 2>/dev/null)"
}

@test "scancel while the prolog waits for the tracer" {
  hold_tracer c1 start
  seven
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_paused c1
  alice scancel "$job"
  go_on c1
  await_job "$job"
  await_idle
  is "the state" CANCELLED "$(of_job "$job" JobState)"
}
