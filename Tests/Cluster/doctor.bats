#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each `run` is followed by its own tests
# datacrumbs_service doctor on a compute node: what is wrong, and what to do.

load suite

setup_file() {
  # shellcheck source=Tests/Cluster/suite.bash
  source "$BATS_TEST_DIRNAME/suite.bash"
  # The plugin as of another release of Slurm; Slurm's own number in it becomes 1.2.3.
  on c1 bash -c 'cat "$(find /usr/lib -name spank_datacrumbs.so)"' >"$BATS_FILE_TMPDIR/plugin"
  python3 - "$BATS_FILE_TMPDIR/plugin" "$(on c1 slurmd -V)" <<'END'
import sys
major, minor, micro = (int(part) for part in sys.argv[2].split()[-1].split("."))
data = open(sys.argv[1], "rb").read()
ours = bytes([micro, minor, major, 0])
assert ours in data
open(sys.argv[1], "wb").write(data.replace(ours, bytes([3, 2, 1, 0])))
END
  on c1 tee /root/another.so <"$BATS_FILE_TMPDIR/plugin" >/dev/null
}

@test "a node where all is well" {
  run on c1 datacrumbs_service doctor
  is "the exit code" 0 "$status"
  [[ $output != *error:* ]]
  has "the findings" "ok: systemd answers" "$output"
  has "the findings" "ok: trusted key " "$output"
  release=$(on c1 slurmd -V | cut -d' ' -f2)
  has "the findings" "ok: the plugin is for Slurm $release, slurmd is $release" "$output"
}

# diagnoses BREAK MEND LINE [ARGUMENT...]: what doctor says between the two commands on c1.
diagnoses() {
  local line=$3 mend=$2
  on c1 bash -c "$1"
  run on c1 datacrumbs_service doctor "${@:4}"
  on c1 bash -c "$mend"
  has "the findings" "$line" "$output"
  [[ $line == warning* ]] || is "the exit code" 69 "$status"
}

@test "what is wrong is named, and the exit code tells" {
  diagnoses 'mv /etc/datacrumbs/trusted.d /root/' 'mv /root/trusted.d /etc/datacrumbs/' \
    "error: no trusted key in /etc/datacrumbs/trusted.d: copy the .pub file"
  diagnoses 'chmod 777 /etc/datacrumbs/trusted.d' 'chmod 755 /etc/datacrumbs/trusted.d' \
    "error: not safe to use: /etc/datacrumbs/trusted.d"
  diagnoses 'echo garbage >/etc/datacrumbs/trusted.d/00.pub' 'rm /etc/datacrumbs/trusted.d/00.pub' \
    "error: /etc/datacrumbs/trusted.d/00.pub: "
  diagnoses 'echo on_failure: explode >>/etc/datacrumbs/datacrumbs.conf' \
    'sed -i /explode/d /etc/datacrumbs/datacrumbs.conf' "error: bad configuration: /etc/datacrumbs/datacrumbs.conf:"
  diagnoses 'chmod 666 /etc/datacrumbs/datacrumbs.conf' 'chmod 644 /etc/datacrumbs/datacrumbs.conf' \
    "error: not only root's to write: /etc/datacrumbs/datacrumbs.conf"
  diagnoses 'mv /usr/lib/systemd/system/datacrumbs@.service /root/' \
    'mv /root/datacrumbs@.service /usr/lib/systemd/system/' "error: no unit: datacrumbs@.service: install it"
  diagnoses 'chmod 777 /run/datacrumbs' 'chmod 755 /run/datacrumbs' "error: not safe to use: /run/datacrumbs"
  diagnoses 'mv /etc/slurm/plugstack.conf.d/datacrumbs.conf /root/' \
    'mv /root/datacrumbs.conf /etc/slurm/plugstack.conf.d/' "warning: no plugin is registered: "
  diagnoses true true "error: the plugin is for Slurm 1.02.3, slurmd is " --plugin /root/another.so
  diagnoses true true "error: no plugin: /nowhere.so: install it" --plugin /nowhere.so
}

@test "a systemd that does not answer is named within seconds" {
  kill -STOP "$("$cluster" leader c1)"
  run on c1 timeout 20 datacrumbs_service doctor
  kill -CONT "$("$cluster" leader c1)"
  is "the exit code" 69 "$status"
  has "the findings" "systemd must be PID 1 and alive" "$output"
}
