#!/usr/bin/env bats
# Whatever goes wrong on a node, the job runs as if nothing had been asked, and
# its stderr says why it is not traced.

load suite

# A job that waits in the queue with a probe file of its own that is valid.
submit_held() {
  on --user alice login cat p.json.gz | alice tee p.json.gz >/dev/null
  script job.sh <<<'echo it ran; exit 7'
  job=$(submit --hold -w c1 --datacrumbs-enable --datacrumbs-probe-file=p.json.gz job.sh)
}

# It ran to its end, untraced, for that reason.
assert_ran_untraced() {
  alice scontrol release "$job"
  await_job "$job"
  is "the exit code" 7:0 "$(of_job "$job" ExitCode)"
  has "the output" "it ran" "$(output_of "$job")"
  assert_untraced "$job" c1 "$1"
  is "the traces" "" "$(alice find . -name '*.pfw.gz')"
  has "the journal" "not traced: " "$(on c1 journalctl -q -o cat DATACRUMBS_JOB_ID="$job")"
}

@test "a probe file that was replaced by garbage before the job starts" {
  submit_held
  alice tee p.json.gz <<<garbage
  assert_ran_untraced "the probe file is not gzip, or damaged: /home/alice/$here/p.json.gz: build the file again with datacrumbs_probes build"
}

@test "a probe file that was removed before the job starts" {
  submit_held
  alice rm p.json.gz
  assert_ran_untraced ""
  has "the output" "/home/alice/$here/p.json.gz" "$(output_of "$job")"
  has "the output" "No such file or directory" "$(output_of "$job")"
}

@test "a probe file that was made unreadable before the job starts" {
  submit_held
  alice chmod 000 p.json.gz
  assert_ran_untraced ""
  has "the output" "Permission denied" "$(output_of "$job")"
}

@test "a probe file that became a link to what the user cannot read" {
  submit_held
  alice ln -sf /etc/shadow p.json.gz
  assert_ran_untraced ""
  has "the output" "/home/alice/$here/p.json.gz" "$(output_of "$job")"
}

@test "a probe file that became a FIFO" {
  submit_held
  alice bash -c 'rm p.json.gz && mkfifo p.json.gz'
  assert_ran_untraced ""
  has "the output" "/home/alice/$here/p.json.gz" "$(output_of "$job")"
}

@test "every node says for itself that it does not trace" {
  on --user alice login cat p.json.gz | alice tee p.json.gz >/dev/null
  script job.sh <<<'srun true'
  job=$(submit --hold -N 2 --datacrumbs-enable --datacrumbs-probe-file=p.json.gz job.sh)
  alice rm p.json.gz
  alice scontrol release "$job"
  await_job "$job"
  is "the exit code" 0:0 "$(of_job "$job" ExitCode)"
  assert_untraced "$job" c1 ""
  assert_untraced "$job" c2 ""
}

@test "a tracer that is killed leaves the job alone and a trace that reads" {
  script job.sh <<'EOF'
touch-files before
hold
echo it ran
exit 7
EOF
  job=$(submit "${traced[@]}" -w c1 job.sh)
  await_held c1
  # What was traced reaches the file within a limit, also where there is little.
  alice timeout 20 bash -c 'until zcat "$1" | grep -q before.grandchild; do sleep 0.1; done' - \
    "datacrumbs-$job/c1.pfw.gz"
  on c1 systemctl kill --signal=KILL "datacrumbs@$job.service"
  on c1 timeout 30 bash -c 'while systemctl -q is-active "$1"; do sleep 0.1; done' - "datacrumbs@$job.service"
  release c1
  await_job "$job"
  is "the exit code" 7:0 "$(of_job "$job" ExitCode)"
  is "the output" "it ran" "$(output_of "$job")"
  alice gzip -t "datacrumbs-$job/c1.pfw.gz"
  has "what was opened" before.grandchild "$(opened "$job" c1)"
}

@test "scancel cleans up as the end of a job does" {
  script job.sh <<<'srun hold'
  job=$(submit "${traced[@]}" -N 2 job.sh)
  await_held c1
  await_held c2
  alice scancel "$job"
  await_job "$job"
  is "the state" CANCELLED "$(of_job "$job" JobState)"
  for node in c1 c2; do
    has "what was opened on $node" "held.$node" "$(opened "$job" "$node")"
  done
}
