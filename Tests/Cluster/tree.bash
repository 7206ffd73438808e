# shellcheck shell=bash
# The machines' root: a Debian tree, made once and kept in the cache.

tree_packages=(
  systemd systemd-sysv dbus libnss-myhostname iproute2 procps less
  munge slurm-wlm
  libbpf1 libdeflate0 libdw1 libelf1 libssl3 libstdc++6 zlib1g
  python3-minimal jq
  libslurm-dev # its headers: a plugin is for one release of Slurm
)
if [[ $release != bookworm ]]; then # 64-bit times changed the names
  tree_packages=("${tree_packages[@]/%libdw1/libdw1t64}")
  tree_packages=("${tree_packages[@]/%libelf1/libelf1t64}")
  tree_packages=("${tree_packages[@]/%libssl3/libssl3t64}")
fi

# Atomic: what was interrupted is never taken for a whole tree.
make_tree() {
  [[ ! -d $tree ]] || return 0
  mkdir -p "$cache"
  local cache_fd
  exec {cache_fd}<"$cache"
  flock "$cache_fd"
  if [[ ! -d $tree ]]; then
    rm -rf --one-file-system "$cache/.$release".* # who had begun these holds no lock any more
    debootstrap_tree {cache_fd}<&-
  fi
  exec {cache_fd}<&-
}

debootstrap_tree() {
  echo "cluster: making a $release tree in $tree, once, in about a minute" >&2
  local new log include
  new=$(mktemp -d "$cache/.$release.XXXXXX")
  chmod 755 "$new" # munge looks at every folder above its key
  log=$cache/$release.log
  include=$(IFS=, && echo "${tree_packages[*]}")
  if ! debootstrap --variant=minbase --include="$include" "$release" "$new" "$(mirror)" >"$log" 2>&1; then
    rm -rf --one-file-system "$new"
    tail -5 "$log" >&2
    die "debootstrap failed: $log says why"
  fi
  finish_tree "$new"
  mv -T "$new" "$tree"
}

# The mirror that this machine's own apt uses.
mirror() {
  local uri
  uri=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | grep -m1 /debian || true)
  echo "${uri:-http://deb.debian.org/debian}"
}

# What all machines of all clusters have in common.
finish_tree() {
  local root=$1 unit
  chroot "$root" useradd -m -u 1001 -s /bin/bash alice
  chroot "$root" useradd -m -u 1002 -s /bin/bash bob
  rm -rf "${root:?}/home" && mkdir "$root/home"
  : >"$root/etc/machine-id" # empty, not absent: a first boot would enable all units
  rm -f "$root/etc/hostname" "$root/etc/resolv.conf" "$root/etc/munge/munge.key"
  for unit in slurmctld slurmd munge; do
    systemctl -q --root="$root" disable "$unit.service"
  done
  # Nothing that a test waits for or that disturbs a measurement.
  systemctl -q --root="$root" mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    fstrim.timer e2scrub_all.timer e2scrub_reap.service systemd-tmpfiles-clean.timer \
    console-getty.service getty.target systemd-networkd-wait-online.service systemd-resolved.service
  systemctl -q --root="$root" enable systemd-networkd.service
}

# A tree is named by what is in it: another list of packages is another tree,
# and the one that a running cluster stands on never changes.
tree=$cache/$release-$({ echo "${tree_packages[*]}" && declare -f finish_tree; } | cksum | cut -d' ' -f1)
