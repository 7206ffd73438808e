#!/usr/bin/env bats
# What is in a trace, and what is not.

load suite

@test "a trace has the job's own calls, from every process that it forked" {
  script job.sh <<<'srun bash -c "touch-files mine.\$SLURMD_NODENAME"'
  job=$(submit "${traced[@]}" -N 2 job.sh)
  await_job "$job"
  is "the output" "" "$(output_of "$job")"
  for node in c1 c2; do
    for process in shell child grandchild; do
      count=$(calls "$job" "$node" | jq -r --arg path "mine.$node.$process" \
        'select(.name == "openat" and (.args.fname | endswith($path)) and .args.ret >= 0) | .pid' |
        sort -u | wc -l)
      ((count >= 1)) || {
        echo "no process has opened mine.$node.$process"
        return 1
      }
    done
    # bash, cat, sh and its cat
    pids=$(trace "$job" "$node" | jq -r 'select(.name == "openat") | .pid' | sort -u | wc -l)
    ((pids >= 4))
  done
  is "the files of c2 in the trace of c1" "" "$(opened "$job" c1 | grep mine.c2 || true)"
}

@test "a trace is the user's alone, gzip, and one JSON object a line" {
  script job.sh <<<'touch-files mine'
  job=$(submit "${traced[@]}" job.sh)
  await_job "$job"
  file=datacrumbs-$job/c1.pfw.gz
  is "the owner and the mode" "alice alice 600" "$(alice stat -c '%U %G %a' "$file")"
  alice gzip -t "$file"
  trace "$job" c1 >"$BATS_TEST_TMPDIR/lines"
  is "the number of objects" "$(grep -c . "$BATS_TEST_TMPDIR/lines")" \
    "$(jq -c 'select(type == "object")' "$BATS_TEST_TMPDIR/lines" | wc -l)"
  is "the calls without the members of a complete event" 0 "$(
    jq -c 'select(.ph == "X") | select([.name, .cat, .ts, .dur, .pid, .tid, (.args | .ret // .incomplete)] | any(. == null))' \
      "$BATS_TEST_TMPDIR/lines" | wc -l
  )"
}

@test "nothing of another user's job that does the same on the same node" {
  script_of_both <<'EOF'
hold
touch-files mine.$USER
hold
EOF
  mine=$(submit "${traced[@]}" -w c1 job.sh)
  his=$(his_submit -w c1 job.sh)
  # Both are there at once, do the same at once, and end after each other.
  await_both_held "$mine" "$his"
  release c1
  his_release
  await_held c1
  bob timeout 30 cat held.c1
  his_release
  await_job "$his"
  release c1
  await_job "$mine"
  opened "$mine" c1 >"$BATS_TEST_TMPDIR/paths"
  grep mine.alice.child "$BATS_TEST_TMPDIR/paths"
  is "the paths of bob" "" "$(grep bob "$BATS_TEST_TMPDIR/paths" || true)"
}

@test "two traced jobs on one node stay apart" {
  script_of_both <<'EOF'
hold
touch-files mine.$USER
EOF
  mine=$(submit "${traced[@]}" -w c1 job.sh)
  his=$(his_submit "${his_traced[@]}" -w c1 job.sh)
  await_both_held "$mine" "$his"
  is_traced "$mine" c1
  is_traced "$his" c1
  release c1
  his_release
  await_job "$mine"
  await_job "$his"
  is "the files of mine that bob's job opened" "" "$(opened "$his" c1 bob | grep mine.alice || true)"
  is "the files of his that alice's job opened" "" "$(opened "$mine" c1 | grep mine.bob || true)"
  opened "$mine" c1 | grep mine.alice.grandchild
  opened "$his" c1 bob | grep mine.bob.grandchild
}

@test "bob's trace is not alice's to read" {
  bob bash -c 'printf "#!/bin/bash\ntrue\n" >job.sh'
  job=$(bob sbatch --parsable "${his_traced[@]}" --output=%j.out -w c1 job.sh)
  await_job "$job"
  is "the owner" bob "$(bob stat -c %U "datacrumbs-$job/c1.pfw.gz")"
  run alice cat "/home/bob/$here/datacrumbs-$job/c1.pfw.gz"
  [[ $status != 0 ]]
}
