#!/usr/bin/env bats
# The packages on real machines of the cluster: Debian's on c1, RPM's on c2. Each node loses what `make
# install` has put there first; so the cluster is of no use to other tests afterwards.
# usage: make check-packages

load ../Cluster/suite

packages=$BATS_TEST_DIRNAME/../../.build

setup_file() {
  # shellcheck source=Tests/Cluster/suite.bash
  source "$BATS_TEST_DIRNAME/../Cluster/suite.bash"
  local node file
  make -s -C "$BATS_TEST_DIRNAME/../.." install DESTDIR="$BATS_FILE_TMPDIR/stage" >/dev/null
  (cd "$BATS_FILE_TMPDIR/stage" && find . ! -type d) >"$BATS_FILE_TMPDIR/installed"
  for node in c1 c2; do
    on "$node" bash -c 'cd / && xargs rm -f && systemctl daemon-reload' <"$BATS_FILE_TMPDIR/installed"
  done
  for file in "$packages"/deb/*.deb; do on c1 tee "/root/${file##*/}" <"$file" >/dev/null; done
  for file in "$packages"/rpm/*/*.rpm; do on c2 tee "/root/${file##*/}" <"$file" >/dev/null; done
  # rpm itself, which Debian's machines do not have: this machine's is of the same release.
  ldd /usr/bin/rpm | grep -o '/[^ ]*' |
    tar -hc --files-from=- /usr/bin/rpm /usr/lib/rpm/{macros,macros.d,rpmrc,platform} 2>/dev/null |
    on c2 tar -C / --skip-old-files --keep-directory-symlink -x
}

# A job on that node that says that it ran and exits with 7.
seven() { script job.sh <<<"${1:-}"$'\necho it ran; exit 7'; }

assert_unharmed() {
  is "the exit code of $1" 7:0 "$(of_job "$1" ExitCode)"
  is "the output of $1" "it ran" "$(output_of "$1")"
}

assert_traced_job_on() {
  seven 'touch-files made'
  job=$(submit -w "$1" "${traced[@]}" job.sh)
  await_job "$job"
  assert_unharmed "$job"
  has "the trace" made.grandchild "$(opened "$job" "$1")"
}

# What of ours lies on a node beside what users and admins have made there.
files_on() {
  on "$1" find / -xdev -path /root -prune -o -name '*datacrumbs*' -not -path '/var/l*' -print
  on "$1" find /etc/datacrumbs -type f -not -path '*/trusted.d/*.pub' 2>/dev/null || true
}

# The same packages as of the next version, without the compression that takes a minute.
newer_debs() {
  local deb name
  for deb in "$packages"/deb/*-{common,tools,compute}_*.deb; do
    name=$(basename "$deb" | cut -d_ -f1)
    dpkg-deb -R "$deb" "$BATS_TEST_TMPDIR/$name"
    sed -i -e 's/^Version: .*/&+1/' -e 's/(= \([^)]*\))/(= \1+1)/' "$BATS_TEST_TMPDIR/$name/DEBIAN/control"
    dpkg-deb -Znone -b "$BATS_TEST_TMPDIR/$name" "$BATS_TEST_TMPDIR/$name.deb" >/dev/null
    on c1 tee "/root/newer-$name.deb" <"$BATS_TEST_TMPDIR/$name.deb" >/dev/null
  done
}

# --- Debian

@test "deb: what the packages depend on is all that a compute node needs" {
  on c1 bash -c 'dpkg -i /root/datacrumbs-slurm-{tools,common,compute}_*.deb' >/dev/null
  is "packages that are not configured" "" "$(on c1 dpkg --audit)"
  assert_traced_job_on c1
}

@test "deb: an upgrade with a job running, and two versions beside each other" {
  newer_debs
  seven $'touch-files before; hold; touch-files after'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  tracer=$(on c1 systemctl show -P MainPID "datacrumbs@$job.service")
  on c1 bash -c 'dpkg -i /root/newer-*.deb' >/dev/null
  has "the version" "+1" "$(on c1 dpkg -s datacrumbs-slurm-compute | grep ^Version)"
  # The old program goes on; the new one traces the next job beside it, and stops both.
  is "the tracer" "$tracer" "$(on c1 systemctl show -P MainPID "datacrumbs@$job.service")"
  old=$job
  next=$(submit -w c1 "${traced[@]}" --wrap='touch-files next; exit 7')
  await_job "$next"
  is "the next job's exit code" 7:0 "$(of_job "$next" ExitCode)"
  has "the next job's trace" next.grandchild "$(opened "$next" c1)"
  release c1
  await_job "$old"
  assert_unharmed "$old"
  for file in before after; do has "the trace" "$file.grandchild" "$(opened "$old" c1)"; done
}

@test "deb: a removal with a job running ends its trace, whole, and the job goes on" {
  seven $'touch-files before; hold; touch-files after'
  job=$(submit -w c1 "${traced[@]}" job.sh)
  await_held c1
  on c1 dpkg -r datacrumbs-slurm-compute >/dev/null
  run ! is_traced "$job" c1
  assert_nothing_left
  release c1
  await_job "$job"
  assert_unharmed "$job"
  alice gzip -t "datacrumbs-$job/c1.pfw.gz"
  has "the trace" before.grandchild "$(opened "$job" c1)"
}

@test "deb: what was removed and not purged is silent, and works again when it is back" {
  on c1 dpkg -r datacrumbs-slurm-common datacrumbs-slurm-tools >/dev/null
  is "what srun says on c1" "it ran" "$(on --user alice c1 srun -w c1 echo "it ran" 2>&1)"
  seven
  job=$(submit -w c1 job.sh)
  await_job "$job"
  assert_unharmed "$job"
  on c1 bash -c 'dpkg -i /root/newer-*.deb' >/dev/null
  assert_traced_job_on c1
}

@test "deb: a purge leaves nothing but the keys that the admin has put there" {
  on c1 dpkg -P datacrumbs-slurm-compute datacrumbs-slurm-common datacrumbs-slurm-tools >/dev/null 2>&1
  is "what is left" /etc/datacrumbs "$(files_on c1 | sort)"
  is "what srun says on c1" "it ran" "$(on --user alice c1 srun -w c1 echo "it ran" 2>&1)"
}

# --- RPM

@test "rpm: a compute node's packages trace a job" {
  on c2 bash -c 'rpm -i --nodeps /root/datacrumbs-slurm-{tools,common,compute}-*.rpm'
  assert_traced_job_on c2
}

@test "rpm: an upgrade with a job running" {
  seven $'touch-files before; hold; touch-files after'
  job=$(submit -w c2 "${traced[@]}" job.sh)
  await_held c2
  on c2 bash -c 'rpm -U --nodeps --replacepkgs /root/datacrumbs-slurm-{tools,common,compute}-*.rpm'
  is_traced "$job" c2
  release c2
  await_job "$job"
  assert_unharmed "$job"
  for file in before after; do has "the trace" "$file.grandchild" "$(opened "$job" c2)"; done
}

@test "rpm: a removal with a job running ends its trace, whole, and the job goes on" {
  seven $'touch-files before; hold; touch-files after'
  job=$(submit -w c2 "${traced[@]}" job.sh)
  await_held c2
  on c2 rpm -e --nodeps datacrumbs-slurm-compute
  run ! is_traced "$job" c2
  assert_nothing_left
  release c2
  await_job "$job"
  assert_unharmed "$job"
  has "the trace" before.grandchild "$(opened "$job" c2)"
  on c2 rpm -e --nodeps datacrumbs-slurm-common datacrumbs-slurm-tools
  is "what is left" /etc/datacrumbs "$(files_on c2 | sort)"
  is "what srun says on c2" "it ran" "$(on --user alice c2 srun -w c2 echo "it ran" 2>&1)"
}
