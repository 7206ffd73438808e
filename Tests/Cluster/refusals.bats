#!/usr/bin/env bats
# What is wrong at submission is refused there, and nothing is queued.

load suite

# refused MESSAGE COMMAND...: in alice's folder, with job.sh.
refused() {
  local message=$1 before
  shift
  script job.sh <<<true
  before=$(jobs)
  run alice "$@"
  is "the message" "$message" "$output"
  is "the exit code" 1 "$status"
  # Jobs of other tests may be forgotten meanwhile (MinJobAge).
  is "new jobs" "" "$(comm -13 <(sort <<<"$before") <(jobs | sort))"
}

# What a probe file is refused for: the verifier's own words.
refused_file() {
  refused "sbatch: error: datacrumbs: the probe file is refused: $1: nothing was submitted" \
    sbatch --datacrumbs-enable --datacrumbs-probe-file=p.json.gz job.sh
}

@test "--datacrumbs-enable without a probe file" {
  reason='datacrumbs: no probe file to trace with: --datacrumbs-enable: name one with --datacrumbs-probe-file=PATH'
  refused "sbatch: error: $reason" sbatch --datacrumbs-enable job.sh
  refused "srun: error: $reason" srun --datacrumbs-enable true
  refused "salloc: error: $reason" salloc --datacrumbs-enable true
}

@test "a probe file without --datacrumbs-enable" {
  reason='datacrumbs: a probe file without --datacrumbs-enable: ../p.json.gz: add --datacrumbs-enable to trace the job, or leave the probe file out'
  refused "sbatch: error: $reason" sbatch --datacrumbs-probe-file=../p.json.gz job.sh
  refused "srun: error: $reason" srun --datacrumbs-probe-file=../p.json.gz true
  refused "salloc: error: $reason" salloc --datacrumbs-probe-file=../p.json.gz true
}

@test "a value of DATACRUMBS_ENABLE that says neither yes nor no" {
  refused 'sbatch: error: datacrumbs: unknown value of DATACRUMBS_ENABLE: maybe: set it to yes or no, or unset it' \
    env DATACRUMBS_ENABLE=maybe sbatch job.sh
}

@test "a path that does not exist" {
  refused "sbatch: error: datacrumbs: cannot read the probe file (No such file or directory): /home/alice/$here/none: give the path of a probe file that datacrumbs_probes built" \
    sbatch --datacrumbs-enable --datacrumbs-probe-file=none job.sh
}

@test "a folder, a device and a FIFO" {
  for path in /home/alice /dev/null "/home/alice/$here/held.c1"; do
    refused "sbatch: error: datacrumbs: the probe file is not a regular file: $path: give the path of a probe file that datacrumbs_probes built" \
      sbatch --datacrumbs-enable --datacrumbs-probe-file="$path" job.sh
  done
}

@test "a file that the user cannot read" {
  on --user bob login install -m 600 p.json.gz "/home/bob/$here/mine"
  refused "sbatch: error: datacrumbs: cannot read the probe file (Permission denied): /home/bob/$here/mine: give the path of a probe file that datacrumbs_probes built" \
    sbatch --datacrumbs-enable --datacrumbs-probe-file="/home/bob/$here/mine" job.sh
}

@test "a file that is no probe file" {
  alice tee p.json.gz <<<garbage
  refused_file "the probe file is not gzip, or damaged: /home/alice/$here/p.json.gz: build the file again with datacrumbs_probes build"
}

@test "a document that was changed after it was signed" {
  on --user alice login zcat p.json.gz | sed s/openat/unlink/ | gzip | alice tee p.json.gz >/dev/null
  refused_file "the probe document's signature does not fit its content: it was changed after signing: /home/alice/$here/p.json.gz: build the file again with datacrumbs_probes build"
}

@test "a document that was signed for somebody else" {
  on --user bob login cat p.json.gz | alice tee p.json.gz >/dev/null
  refused_file "the probe document is signed for user bob (uid 1002), not for uid 1001: /home/alice/$here/p.json.gz: build your own with datacrumbs_probes build"
}

@test "a document that has expired" {
  forge p.json.gz '.summary.created = "2020-01-01T00:00:00Z" | .summary.expires = "2020-01-02T00:00:00Z"'
  refused_file "the probe document expired at 2020-01-02T00:00:00Z: /home/alice/$here/p.json.gz: build the file again with datacrumbs_probes build"
}

@test "a step that asks for what its job did not" {
  reason="datacrumbs: tracing is decided for the whole job and cannot be asked for by a step: /home/alice/p.json.gz: give --datacrumbs-enable and --datacrumbs-probe-file to sbatch or salloc"
  script job.sh <<<"srun ${traced[*]} true"
  job=$(submit job.sh)
  await_job "$job"
  is "the output" "srun: error: $reason" "$(output_of "$job")"
  is "the exit code" 1:0 "$(of_job "$job" ExitCode)"
}
