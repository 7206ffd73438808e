# shellcheck shell=bash
# The three machines: an overlay on the tree, a veth on a bridge of their own,
# systemd as PID 1.

address_of() {
  case $1 in login) echo "$net.1" ;; c1) echo "$net.11" ;; c2) echo "$net.12" ;; esac
}

# Installs our programs once into a folder; each machine gets a copy of its own.
install_stage() {
  local slurm=
  [[ $release == bookworm ]] || slurm=$(slurm_release)
  make -s -C "$checkout" install SLURM="$slurm" DESTDIR="$state/stage" >"$state/install.log" 2>&1 ||
    die "make install failed: $(tail -3 "$state/install.log")"
}

# As 24.11: the release of Slurm that is in the tree.
slurm_release() {
  dpkg-query --admindir="$tree/var/lib/dpkg" -W -f '${Version}' slurm-wlm | grep -o '^[0-9]*\.[0-9]*'
}

make_network() {
  ip link add name "$bridge" type bridge
  ip link set "$bridge" up
}

prepare_machine() {
  local machine=$1 dir=$state/$1
  local root=$dir/root
  mkdir -p "$dir"/{upper,work,root}
  mount -t overlay "datacrumbs-$name-$machine" "$root" \
    -o "lowerdir=$tree,upperdir=$dir/upper,workdir=$dir/work"

  echo "$machine" >"$root/etc/hostname"
  {
    echo "127.0.0.1 localhost"
    local other
    for other in "${machines[@]}"; do echo "$(address_of "$other") $other"; done
  } >"$root/etc/hosts"
  cat >"$root/etc/systemd/network/10-host0.network" <<EOF
[Match]
Name=host0
[Network]
Address=$(address_of "$machine")/24
LinkLocalAddressing=no
LLDP=no
EOF

  local key=$state/munge.key
  [[ -e $key ]] || head -c 1024 /dev/urandom >"$key"
  install -m 0400 "$key" "$root/etc/munge/munge.key"
  chroot "$root" chown munge: /etc/munge/munge.key /etc/munge /var/log/munge /var/lib/munge
  chmod 0700 "$root/etc/munge" "$root/var/log/munge"
  write_slurm_conf "$root"

  cp -a --no-preserve=ownership "$state/stage/." "$root/"
  systemd-sysusers --root="$root" >/dev/null 2>&1 || die "systemd-sysusers failed in $machine"
  systemctl -q --root="$root" enable munge.service
  systemctl -q --root="$root" mask systemd-modules-load.service # the kernel is not the machine's
  # Tests restart Slurm's daemons more often than systemd takes for sane.
  local daemon
  for daemon in slurmctld slurmd; do
    mkdir -p "$root/etc/systemd/system/$daemon.service.d"
    printf '[Unit]\nStartLimitIntervalSec=0\n' >"$root/etc/systemd/system/$daemon.service.d/often.conf"
  done
  if [[ $machine == login ]]; then
    systemctl -q --root="$root" enable slurmctld.service
    [[ ! -e $root/usr/lib/systemd/system/datacrumbs_sign_probes.service ]] ||
      systemctl -q --root="$root" enable datacrumbs_sign_probes.service
  else
    systemctl -q --root="$root" enable slurmd.service
    # Slurm's own cgroups are of no use in here; a machine has one tree for itself.
    mkdir -p "$root/etc/systemd/system/slurmd.service.d"
    printf '[Service]\nDelegate=no\n' >"$root/etc/systemd/system/slurmd.service.d/cluster.conf"
  fi
}

write_slurm_conf() {
  local conf=$1/etc/slurm
  mkdir -p "$conf"
  cat >"$conf/slurm.conf" <<EOF
ClusterName=crumbs
SlurmctldHost=login
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
# A traced job's nodes are prepared when it is allocated, not at its first step.
PrologFlags=Alloc
PrologEpilogTimeout=300
ReturnToService=2
# Heterogeneous jobs are started by the backfill scheduler alone, every bf_interval.
# sched_interval: how soon a requeued job's begin time is noticed.
SchedulerParameters=bf_interval=1,sched_interval=2,sched_min_interval=100000,batch_sched_delay=0
KillWait=5
MpiDefault=none
PlugStackConfig=/etc/slurm/plugstack.conf
NodeName=c1 NodeAddr=$(address_of c1) CPUs=8 RealMemory=1000
NodeName=c2 NodeAddr=$(address_of c2) CPUs=8 RealMemory=1000
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=main Nodes=c1,c2 Default=YES MaxTime=60 OverSubscribe=YES PriorityTier=1
PartitionName=urgent Nodes=c1,c2 MaxTime=60 PriorityTier=2
EOF
  case $release in
  bookworm) echo "CgroupPlugin=cgroup/v1" >"$conf/cgroup.conf" ;;
  *) echo "CgroupPlugin=disabled" >"$conf/cgroup.conf" ;;
  esac
  echo "include /etc/slurm/plugstack.conf.d/*.conf" >"$conf/plugstack.conf"
}

# Each machine gets a cgroup of its own: in a shared one the three systemds
# would remove each other's. One folder a hierarchy that nspawn looks at.
cgroups_of() {
  local hierarchy
  for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [[ ! -e $hierarchy/cgroup.procs ]] || echo "$hierarchy/datacrumbs-$name-$1"
  done
}

boot_machine() {
  local machine=$1 dir=$state/$1
  (
    local cgroup fd
    # Nobody who waits for the end of a pipe or for our lock waits for a machine.
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      ((fd <= 2)) || exec {fd}>&-
    done
    for cgroup in $(cgroups_of "$machine"); do
      mkdir -p "$cgroup"
      echo "$BASHPID" >"$cgroup/cgroup.procs"
    done
    exec_machine
  ) >"$dir/console.log" 2>&1 </dev/null &
  echo $! >"$dir/nspawn.pid"
  disown $!
}

# Becomes systemd-nspawn; uses the caller's machine and dir.
exec_machine() {
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec setsid systemd-nspawn --quiet \
    --directory="$dir/root" --boot --machine="$name-$machine" --hostname="$machine" \
    --register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off \
    --network-bridge="$bridge" --capability=all --system-call-filter="bpf perf_event_open" \
    --bind="$state/home:/home"
}

# The host's pid of a machine's PID 1: nspawn's only child.
leader_of() {
  local nspawn
  { read -r nspawn <"$state/$1/nspawn.pid"; } 2>/dev/null || return 0
  { cut -d' ' -f1 "/proc/$nspawn/task/$nspawn/children"; } 2>/dev/null || true
}

# Until a machine's systemd says that it has booted, for at most 60 s.
await_boot() {
  local machine=$1 deadline=$((SECONDS + 60)) verdict
  until [[ -S $state/$machine/root/run/systemd/private ]] ||
    [[ -n $(leader_of "$machine") && -S /proc/$(leader_of "$machine")/root/run/dbus/system_bus_socket ]]; do
    if ((SECONDS >= deadline)) || ! kill -0 "$(cat "$state/$machine/nspawn.pid")" 2>/dev/null; then
      tail -5 "$state/$machine/console.log" >&2
      die "$machine does not boot: its last words are above"
    fi
    sleep 0.1
  done
  ip link set "vb-${name}-$machine" up 2>/dev/null || true
  verdict=$(run "$machine" timeout 60 systemctl is-system-running --wait) || {
    run "$machine" systemctl --failed --no-pager >&2 || true
    die "$machine is $verdict"
  }
}

# A machine that loses its power and comes back.
reboot_machine() {
  kill_machine "$1"
  boot_machine "$1"
  await_boot "$1"
}

# What an admin does once: the signer's public key goes to the compute nodes.
trust_signer() {
  local machine
  for machine in c1 c2; do
    find "$state/login/root/etc/datacrumbs/trusted.d" -name '*.pub' \
      -exec cp -t "$state/$machine/root/etc/datacrumbs/trusted.d" {} +
  done
}

run() {
  local user=root directory=
  while [[ ${1:-} == --* ]]; do
    case $1 in
    --user) user=${2:?} ;;
    --directory) directory=${2:?} ;;
    *) die "unknown option of run: $1" ;;
    esac
    shift 2
  done
  local machine=${1:?machine} leader home=/root
  shift
  leader=$(leader_of "$machine")
  [[ -n $leader ]] || die "$machine is not up: cluster up"
  [[ $user == root ]] || home=/home/$user
  nsenter --target "$leader" --all --wdns="${directory:-$home}" -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    TERM="${TERM:-dumb}" HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/bash \
    setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"
}

shell() {
  run "$@" bash -l
}

# Removes what is there, also after an `up` that was killed at any line.
remove() {
  local machine
  for machine in "${machines[@]}"; do
    kill_machine "$machine"
    while mountpoint -q "$state/$machine/root"; do umount -l "$state/$machine/root"; done
  done
  ip link delete "$bridge" 2>/dev/null || true
  rm -rf --one-file-system "$state"
  rmdir --ignore-fail-on-non-empty "$states" 2>/dev/null || true
}

# All that a machine consists of is in its cgroup, nspawn included.
kill_machine() {
  local cgroup pids deadline=$((SECONDS + 20))
  for cgroup in $(cgroups_of "$1"); do
    while [[ -d $cgroup ]]; do
      ((SECONDS < deadline)) || die "cannot end the processes of $1: $cgroup/cgroup.procs lists them"
      mapfile -t pids < <(find "$cgroup" -name cgroup.procs -exec cat {} + 2>/dev/null)
      ((${#pids[@]} == 0)) || kill -KILL "${pids[@]}" 2>/dev/null || true
      find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.05
    done
  done
}
