#!/usr/bin/env bats
# The doors beside the plugin lead to the same path, and a job that goes through
# two of them is traced once.

load suite
eval "suite_$(declare -f teardown)"

teardown() {
  local machine
  for machine in login c1 c2; do
    on "$machine" bash -c '
      [[ ! -e /root/datacrumbs.conf ]] || mv /root/datacrumbs.conf /etc/slurm/plugstack.conf.d/
      sed -i "/^Prolog=\|^Epilog=\|^JobSubmitPlugins=/d" /etc/slurm/slurm.conf
      rm -f /etc/slurm/job_submit.lua'
  done
  # An option of JobSubmitPlugins counts when slurmctld starts.
  on login systemctl restart slurmctld
  on login scontrol reconfigure
  suite_teardown
}

# A line of slurm.conf for all machines: configure LINE...
configure() {
  local machine line
  for machine in login c1 c2; do
    for line; do on "$machine" tee -a /etc/slurm/slurm.conf >/dev/null <<<"$line"; done
  done
  on login systemctl restart slurmctld
  on login scontrol reconfigure
}

with_scripts() {
  configure Prolog=/usr/sbin/datacrumbs_service_run.sh Epilog=/usr/sbin/datacrumbs_service_stop.sh
}

# The site's word on requests: site POLICY
site() {
  on login bash -c 'cat >/etc/slurm/job_submit.lua' \
    < <(sed "s/^local policy = .*/local policy = \"$1\"/; s,-- \[1001\],[1001]," \
      "$BATS_TEST_DIRNAME/../../contrib/slurm/job_submit.lua")
  configure JobSubmitPlugins=lua
}

@test "Prolog= and Epilog= beside the plugin start a job once" {
  with_scripts
  script job.sh <<<'touch-files made; hold'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  is_traced "$job" c1
  release c1
  await_job "$job"
  is "the starts" 1 "$(on c1 journalctl -q -o cat DATACRUMBS_JOB_ID="$job" | grep -c '^traced: ')"
  has "the trace" made.child "$(alice zcat "datacrumbs-$job/c1.pfw.gz")"
}

@test "Prolog= and Epilog= do nothing for a job that did not ask" {
  with_scripts
  script job.sh <<<'echo it ran'
  job=$(submit -w c1 job.sh)
  await_job "$job"
  is "the output" "it ran" "$(output_of "$job")"
  is "the journal" "" "$(on c1 journalctl -q -o cat DATACRUMBS_JOB_ID="$job")"
}

@test "a comment alone is a request, as the wrappers write it" {
  script job.sh <<<'touch-files made'
  job=$(submit -w c1 --comment="$comment" job.sh)
  await_job "$job"
  has "the trace" made.child "$(alice zcat "datacrumbs-$job/c1.pfw.gz")"
}

# The login node is one where the plugin is not registered.
without_plugin_on_login() { on login mv /etc/slurm/plugstack.conf.d/datacrumbs.conf /root/; }

@test "datacrumbs_sbatch: the plugin's options where the plugin is not registered" {
  without_plugin_on_login
  script job.sh <<'EOF'
#SBATCH --comment="from the script"
echo "$# arguments: $*"
touch-files made
exit 7
EOF
  job=$(alice datacrumbs_sbatch --datacrumbs-enable --datacrumbs-probe-file=../p.json.gz \
    --parsable -wc1 --output=%j.out job.sh --datacrumbs-enable --comment=x -- "a b")
  await_job "$job"
  local expected=${comment/p.json.gz/$here/../p.json.gz}
  is "the exit code" 7:0 "$(of_job "$job" ExitCode)"
  is "the output" "4 arguments: --datacrumbs-enable --comment=x -- a b" "$(output_of "$job")"
  is "the comment" "${expected%\}},\"comment\":\"from the script\"}" "$(comment_of "$job")"
  has "the trace" made.grandchild "$(opened "$job" c1)"
}

@test "datacrumbs_salloc and datacrumbs_srun do the same, and become what they stand for" {
  without_plugin_on_login
  ask=(--datacrumbs-enable --datacrumbs-probe-file=/home/alice/p.json.gz)
  is "the allocation's trace" "in it" "$(alice datacrumbs_salloc "${ask[@]}" -w c1 \
    bash -c 'srun touch-files allocated && echo "in it"' 2>/dev/null)"
  run alice datacrumbs_srun "${ask[@]}" -w c1 bash -c 'touch-files ran; exit 7'
  is "the exit code" 7 "$status"
  await_idle
  traces=$(alice bash -c 'zcat datacrumbs-*/c1.pfw.gz')
  has "the traces" allocated.grandchild "$traces"
  has "the traces" ran.grandchild "$traces"
  # exec, not a child: the program has the process that was started.
  alice bash -c 'printf "#!/bin/sh\necho \$\$\n" >sbatch && chmod 755 sbatch'
  is "the process" same "$(alice bash -c '
    PATH=$PWD:$PATH datacrumbs_sbatch -N 1 job.sh >process & wait $!; [[ $(<process) == "$!" ]] && echo same')"
}

@test "the wrappers refuse what the plugin refuses, in its words" {
  without_plugin_on_login
  script job.sh <<<true
  run alice datacrumbs_sbatch --datacrumbs-enable job.sh
  is "the exit code" 64 "$status"
  has "the message" "no probe file to trace with: --datacrumbs-enable" "$output"
  run alice datacrumbs_sbatch --datacrumbs-enable --datacrumbs-probe-file=/nowhere job.sh
  is "the exit code" 66 "$status"
  has "the message" "/nowhere" "$output"
  run alice datacrumbs_sbatch --datacrumbs-dry-run --datacrumbs-enable \
    --datacrumbs-probe-file=/home/alice/p.json.gz -N 2 job.sh
  is "the command" "sbatch '--comment=$comment' -N 2 job.sh" "$output"
  is "the queue" "" "$(on login squeue -h)"
}

@test "the keys of early releases are refused by name on the node" {
  local key
  for key in probes composite; do
    script job.sh <<<'echo it ran'
    job=$(submit -w c1 --comment="{\"datacrumbs\":{\"enable\":\"yes\",\"$key\":\"x\"}}" job.sh)
    await_job "$job"
    has "the output" "it ran" "$(output_of "$job")"
    assert_untraced "$job" c1 "the key is no longer used: \"$key\" in the job's comment"
  done
}

@test "no scheduler at all: datacrumbs_service_wrapper and datacrumbs_wrap" {
  on c1 bash -c 'cd "$1" && datacrumbs_service_wrapper start 1 alice /home/alice/p.json.gz' - "/home/alice/$here"
  is_traced 1 c1
  on --user alice c1 bash -c 'cd "$1" && datacrumbs_wrap touch-files wrapped && touch-files bare' - "/home/alice/$here"
  on c1 datacrumbs_service_wrapper stop 1 alice /home/alice/p.json.gz
  run ! is_traced 1 c1
  local seen
  seen=$(alice zcat datacrumbs-1/c1.pfw.gz)
  has "the trace" wrapped.shell "$seen"
  has "the trace" wrapped.grandchild "$seen"
  [[ $seen != *bare.shell* ]]
}

@test "datacrumbs_wrap starts and stops its own tracer, and keeps the exit code" {
  run on c1 bash -c 'cd "$1" && datacrumbs_wrap --job 2 --user alice --probe-file ../p.json.gz \
    sh -c "touch-files whole; exit 7"' - "/home/alice/$here"
  is "the exit code" 7 "$status"
  has "the trace" whole.child "$(alice zcat datacrumbs-2/c1.pfw.gz)"
}

@test "the wrapper says what it is missing" {
  run on c1 datacrumbs_service_wrapper start 1 nobody-here /home/alice/p.json.gz
  is "the exit code" 64 "$status"
  has "the message" "no such user: nobody-here" "$output"
  run on --user alice c1 datacrumbs_service_wrapper start 1 alice /home/alice/p.json.gz
  is "the exit code" 77 "$status"
  has "the message" "not permitted: start: run it as root" "$output"
}

@test "a scheduler that is not known is an error that names it" {
  run on c1 datacrumbs_service_run.sh --scheduler PBS
  is "the exit code" 64 "$status"
  is "the message" "datacrumbs_service: unknown scheduler: PBS: SLURM and FLUX are known" "$output"
  run on c1 datacrumbs_service_run.sh
  is "the exit code" 64 "$status"
  has "the message" "neither SLURM_JOB_ID nor FLUX_JOB_ID is set" "$output"
}

@test "Flux: the jobspec's request, and a job id in base 58" {
  on c1 tee /usr/local/bin/flux >/dev/null <<'EOF'
#!/bin/sh
[ "$*" = "job info 6731191091817518 jobspec" ] || exit 1
echo '{"attributes":{"system":{"datacrumbs":{"enable":"yes","probe_file":"/home/alice/p.json.gz"}}}}'
EOF
  on c1 chmod 755 /usr/local/bin/flux
  on c1 env DATACRUMBS_FLUX=/usr/local/bin/flux FLUX_JOB_ID=fuZZybuNNy FLUX_JOB_USERID=1001 \
    datacrumbs_service_run.sh
  has "the status" '"state":"tracing"' "$(on c1 datacrumbs_service status --job 6731191091817518 --json)"
  has "the status" '"scheduler":"FLUX"' "$(on c1 datacrumbs_service status --job 6731191091817518 --json)"
  on --user alice c1 bash -c 'cd && datacrumbs_wrap --job 6731191091817518 touch-files "$1/fluxed"' - "$here"
  on c1 env FLUX_JOB_ID=fuZZybuNNy FLUX_JOB_USERID=1001 datacrumbs_service_stop.sh
  has "the trace" fluxed.child "$(on c1 zcat /home/alice/datacrumbs-6731191091817518/c1.pfw.gz)"
}

@test "job_submit.lua: the site strips requests, and the user is told" {
  site strip
  script job.sh <<<'echo it ran'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_job "$job"
  has "the output" "it ran" "$(output_of "$job")"
  assert_untraced "$job" c1 "the site does not trace this job"
}

@test "job_submit.lua: the site refuses requests" {
  site refuse
  script job.sh <<<true
  run submit -w c1 "${traced[@]}" job.sh
  [[ $status != 0 ]]
  has "the refusal" "datacrumbs: this site does not trace jobs" "$output"
}

@test "job_submit.lua: a request is seen however it is spelled, and whenever it is made" {
  site refuse
  script job.sh <<<hold
  for comment in '{"\u0064atacrumbs":{"enable":"yes","probe_file":"/home/alice/p.json.gz"}}' \
    '{"datacrumbs" : {"enable":"yes","note":"{","probe_file":"/home/alice/p.json.gz"}}'; do
    run submit -w c1 --comment="$comment" job.sh
    [[ $status != 0 ]]
    has "the refusal" "datacrumbs: this site does not trace jobs" "$output"
  done
  job=$(submit -w c1 --comment=mine job.sh)
  await_held c1
  run alice scontrol update "JobId=$job" "Comment=$comment"
  [[ $status != 0 ]]
  is "the comment" mine "$(comment_of "$job")"
  release c1
  await_job "$job"
}

@test "job_submit.lua: the site traces jobs that did not ask" {
  site enforce
  script job.sh <<<'touch-files made'
  job=$(submit -w c1 job.sh)
  await_job "$job"
  has "the trace" made.child "$(alice zcat "datacrumbs-$job/c1.pfw.gz")"
}
