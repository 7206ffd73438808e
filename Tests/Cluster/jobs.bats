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
