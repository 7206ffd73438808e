#!/usr/bin/env bats
# Kinds of jobs.

load suite

@test "every component of a heterogeneous job is traced" {
  script job.sh <<<'srun --het-group=0,1 hold'
  job=$(submit "${traced[@]}" -w c1 : -w c2 job.sh)
  first=$(await_held c1)
  second=$(await_held c2)
  on login squeue -h -j "$job" -o %k | while read -r text; do is "a comment" "$comment" "$text"; done
  is_traced "$job" c1
  is_traced "$((job + 1))" c2
  release c1 c2
  await_job "$job"
  echo "held by $first and $second"
  has "what was opened on c1" held.c1 "$(opened "$job" c1)"
  has "what was opened on c2" held.c2 "$(opened "$((job + 1))" c2)"
}

@test "every task of an array job has its own trace" {
  script job.sh <<<'touch-files mine.$SLURM_ARRAY_TASK_ID'
  job=$(submit "${traced[@]}" --array=1-3 -w c1 job.sh)
  await_job "$job"
  ids=$(on login scontrol -o show job "$job" | grep -o '^JobId=[0-9]*' | cut -d= -f2 | sort)
  is "the number of tasks" 3 "$(wc -w <<<"$ids")"
  for id in $ids; do
    task=$(on login scontrol -o show job "$job" | grep "^JobId=$id " | grep -o ' ArrayTaskId=[0-9]*' | cut -d= -f2)
    is "the files that task $task opened" "mine.$task.child" \
      "$(opened "$id" c1 | grep -o 'mine.*child$' | grep -v grand | sort -u)"
  done
}

@test "several steps of a job go into one trace" {
  script job.sh <<'EOF'
# Not waiting for the processors of the step before: srun would say so in the output.
for step in 1 2 3 4 5; do srun --overlap -N 1 -n 1 touch-files "step.$step"; done
EOF
  job=$(submit "${traced[@]}" -w c1 job.sh)
  await_job "$job"
  is "the output" "" "$(output_of "$job")"
  for step in 1 2 3 4 5; do has "what was opened" "step.$step.grandchild" "$(opened "$job" c1)"; done
}

@test "a job's exit code and output are its own" {
  script job.sh <<<'echo out; echo err >&2; exit 42'
  job=$(submit "${traced[@]}" job.sh)
  await_job "$job"
  is "the exit code" 42:0 "$(of_job "$job" ExitCode)"
  is "the output" $'out\nerr' "$(output_of "$job")"
}

@test "a job that is submitted from within a traced job is traced for itself" {
  script inner.sh <<<'touch-files inner'
  script job.sh <<<'sbatch --parsable --output=inner.out inner.sh >inner.id'
  job=$(submit "${traced[@]}" -w c1 job.sh)
  await_job "$job"
  inner=$(alice cat inner.id)
  await_job "$inner"
  is "the inner job's comment" "$comment" "$(comment_of "$inner")"
  has "what the inner job opened" inner.grandchild "$(opened "$inner" "$(of_job "$inner" NodeList)")"
  is "what the outer job opened of it" "" "$(opened "$job" c1 | grep inner.grandchild || true)"
}

@test "two users' jobs on the same oversubscribed cores stay apart" {
  script_of_both <<'EOF'
hold
touch-files mine.$USER
EOF
  mine=$(submit "${traced[@]}" --oversubscribe -c 8 -w c1 job.sh)
  his=$(his_submit "${his_traced[@]}" --oversubscribe -c 8 -w c1 job.sh)
  await_both_held "$mine" "$his"
  release c1
  his_release
  await_job "$mine"
  await_job "$his"
  has "what alice's job opened" mine.alice.grandchild "$(opened "$mine" c1)"
  has "what bob's job opened" mine.bob.grandchild "$(opened "$his" c1 bob)"
  is "the paths of bob in alice's trace" "" "$(opened "$mine" c1 | grep bob || true)"
  is "the paths of alice in bob's trace" "" "$(opened "$his" c1 bob | grep alice || true)"
}

@test "a job that is preempted is cleaned up on its node" {
  script job.sh <<<'hold'
  script urgent.sh <<<'true'
  job=$(submit "${traced[@]}" --exclusive -w c1 job.sh)
  await_held c1
  urgent=$(submit -p urgent --exclusive -w c1 urgent.sh)
  await_job "$urgent"
  is "the urgent job" COMPLETED "$(of_job "$urgent" JobState)"
  is "the preempted job" PENDING "$(of_job "$job" JobState)"
  has "what the preempted job had opened" held.c1 "$(opened "$job" c1)"
  alice scancel "$job"
}

@test "a job that reaches its time limit is cleaned up on its node" {
  script job.sh <<<'hold'
  job=$(submit "${traced[@]}" -w c1 job.sh)
  await_held c1
  on login scontrol update "JobId=$job" EndTime=now
  await_job "$job"
  is "the state" TIMEOUT "$(of_job "$job" JobState)"
  has "what it opened" held.c1 "$(opened "$job" c1)"
}

@test "a node that loses its power comes back with no tracer and nothing left" {
  script job.sh <<<'hold'
  job=$(submit "${traced[@]}" --no-requeue -w c1 job.sh)
  await_held c1
  is_traced "$job" c1
  "$cluster" reboot c1
  run ! is_traced "$job" c1
  is "what is there after the boot" "" "$(on c1 find /run/datacrumbs -mindepth 1)"
  # The machines share a kernel, and slurmctld tells a reboot by the kernel's age.
  on login scontrol update NodeName=c1 State=DOWN Reason=power
  await_job "$job"
  # It may have come back by itself (ReturnToService=2).
  on login scontrol update NodeName=c1 State=RESUME 2>/dev/null || true
  is "the state" NODE_FAIL "$(of_job "$job" JobState)"
  await_idle
  script again.sh <<<'touch-files again'
  again=$(submit "${traced[@]}" -w c1 again.sh)
  await_job "$again"
  has "what the next job opened" again.grandchild "$(opened "$again" c1)"
}
