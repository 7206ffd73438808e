#!/usr/bin/env bats
# A job that asks for tracing, by each way of asking.

load suite

# Both nodes run `hold` for the job that prints; checks what holds for any
# traced two-node job, and lets it go on.
assert_traced_while_held() {
  local job=$1 node
  for node in c1 c2; do is "the job on $node" "$job" "$(await_held "$node")"; done
  is "the comment" "$comment" "$(comment_of "$job")"
  for node in c1 c2; do is_traced "$job" "$node"; done
  release c1 c2
}

assert_trace_on_both() {
  local node
  for node in c1 c2; do
    has "what was opened on $node" "held.$node" "$(opened "$1" "$node")"
  done
}

@test "sbatch with two options traces a two-node job while it runs" {
  script job.sh <<<'srun hold'
  job=$(alice sbatch --parsable "${traced[@]}" -N 2 job.sh)
  assert_traced_while_held "$job"
  await_job "$job"
  is "the state" COMPLETED "$(of_job "$job" JobState)"
  is "the exit code" 0:0 "$(of_job "$job" ExitCode)"
  assert_trace_on_both "$job"
}

@test "srun traces its job" {
  alice srun "${traced[@]}" -N 2 hold 3>&- &
  job=$(await_held c1)
  is "the job on c2" "$job" "$(await_held c2)"
  is "the comment" "$comment" "$(comment_of "$job")"
  is_traced "$job" c1
  is_traced "$job" c2
  release c1 c2
  wait $!
  await_job "$job"
  assert_trace_on_both "$job"
}

@test "salloc traces the steps that srun starts in it" {
  alice salloc "${traced[@]}" -N 2 srun hold 2>/dev/null 3>&- &
  job=$(await_held c1)
  await_held c2
  is "the comment" "$comment" "$(comment_of "$job")"
  is_traced "$job" c1
  is_traced "$job" c2
  release c1 c2
  wait $!
  await_job "$job"
  assert_trace_on_both "$job"
}

@test "#SBATCH lines ask as options do" {
  script job.sh <<'EOF'
#SBATCH --nodes=2
#SBATCH --datacrumbs-enable
#SBATCH --datacrumbs-probe-file=/home/alice/p.json.gz
srun hold
EOF
  job=$(submit job.sh)
  assert_traced_while_held "$job"
  await_job "$job"
  assert_trace_on_both "$job"
}

@test "environment variables stand in for the options" {
  script job.sh <<<'srun hold'
  job=$(alice env DATACRUMBS_ENABLE=1 DATACRUMBS_PROBE_FILE=/home/alice/p.json.gz \
    sbatch --parsable -N 2 job.sh)
  assert_traced_while_held "$job"
  await_job "$job"
  assert_trace_on_both "$job"
}

@test "a relative path starts from where the user submits" {
  on --user alice login cat p.json.gz | alice tee mine.json.gz >/dev/null
  script job.sh <<<'hold'
  job=$(submit -w c1 --datacrumbs-enable --datacrumbs-probe-file=mine.json.gz job.sh)
  await_held c1
  is "the comment" "${comment/p.json.gz/$here/mine.json.gz}" "$(comment_of "$job")"
  is_traced "$job" c1
  release c1
  await_job "$job"
}

@test "an option wins over its environment variable" {
  script job.sh <<<true
  job=$(alice env DATACRUMBS_PROBE_FILE=/nowhere sbatch --parsable "${traced[@]}" job.sh)
  is "the comment" "$comment" "$(comment_of "$job")"
  await_job "$job"
}

@test "DATACRUMBS_ENABLE=no asks for nothing" {
  script job.sh <<<true
  job=$(alice env DATACRUMBS_ENABLE=no DATACRUMBS_PROBE_FILE=/nowhere sbatch --parsable job.sh)
  is "the comment" "" "$(comment_of "$job" | tr -d ' ' | sed 's/(null)//')"
  await_job "$job"
}

@test "a request that came by the comment alone is honoured" {
  script job.sh <<<'srun hold'
  job=$(submit -N 2 --comment="$comment" job.sh)
  assert_traced_while_held "$job"
  await_job "$job"
  assert_trace_on_both "$job"
}

@test "a job that does not ask has no unit, no file, no folder and no comment" {
  script job.sh <<<'srun hold'
  before=$(on c1 journalctl -q -o cat | grep -c datacrumbs || true)
  job=$(submit -N 2 job.sh)
  await_held c1
  await_held c2
  is "the comment" "" "$(comment_of "$job" | tr -d ' ' | sed 's/(null)//')"
  assert_nothing_left # of ours is on either node while the job runs
  release c1 c2
  await_job "$job"
  is "the lines of the journal that name us" "$before" \
    "$(on c1 journalctl -q -o cat | grep -c datacrumbs || true)"
  is "what the job left beside its output" "" "$(alice find . -name 'datacrumbs*')"
}
