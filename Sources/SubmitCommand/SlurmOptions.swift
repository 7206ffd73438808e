import TraceRequest

/// Which options of srun, sbatch and salloc take an argument: to find where the options end and
/// the script, with options of its own, begins.
///
/// From `src/common/slurm_opt.c` of Slurm 19.05 to 26.05, where an option of one name means the
/// same in all releases as far as arguments go. An option that is not listed takes an argument:
/// most do, and so do most that a later release may add.
struct SlurmOptions {
  enum Program: String {
    case srun, sbatch, salloc
  }

  let program: Program

  /// Options without an argument, and those whose argument is optional and so stands behind a `=`.
  private static let withoutArgument = [
    "async", "bcast", "bell", "compress", "consolidate-segments", "contiguous", "debugger-test",
    "disable-status", "exact", "exclusive", "external", "external-launcher", "get-user-env", "help",
    "hold", "ignore-pbs", "immediate", "interactive", "kill-command", "kill-on-bad-exit", "label",
    "multi-prog", "nice", "no-allocate", "no-bell", "no-kill", "no-requeue", "no-shell",
    "oom-kill-step", "overcommit", "overlap", "oversubscribe", "parsable", "preserve-env",
    "propagate", "pty", "quiet", "quit-on-interrupt", "reboot", "requeue", "resv-ports",
    "send-libs", "share", "spread-job", "spread-segments", "stepmgr", "test-only", "unbuffered",
    "usage", "use-min-nodes", "verbose", "version", "wait-for-children", "whole", "x11",
  ]

  /// The names that a shortened one could stand for; getopt_long(3) accepts what is unique.
  private static let withArgument = [
    "accel-bind", "account", "acctg-freq", "array", "batch", "bb", "bbf", "bcast-exclude", "begin",
    "chdir", "cluster", "cluster-constraint", "clusters", "comment", "constraint", "container",
    "container-id", "core-spec", "cores-per-socket", "cpu-bind", "cpu-freq", "cpus-per-gpu",
    "cpus-per-task", "deadline", "delay-boot", "dependency", "distribution", "epilog", "error",
    "exclude", "export", "export-file", "extra", "extra-node-info", "gid", "gpu-bind", "gpu-freq",
    "gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task", "gres", "gres-flags", "het-group",
    "hint", "input", "job-name", "jobid", "kill-on-invalid-dep", "licenses", "mail-type",
    "mail-user", "mcs-label", "mem", "mem-bind", "mem-per-cpu", "mem-per-gpu", "mincpus", "mpi",
    "msg-timeout", "network", "nodefile", "nodelist", "nodes", "ntasks", "ntasks-per-core",
    "ntasks-per-gpu", "ntasks-per-node", "ntasks-per-socket", "open-mode", "output", "partition",
    "power", "prefer", "priority", "profile", "prolog", "qos", "relative", "reservation", "segment",
    "signal", "slurmd-debug", "sockets-per-node", "switches", "task-epilog", "task-prolog",
    "tasks-per-node", "thread-spec", "threads", "threads-per-core", "time", "time-min", "tmp",
    "tres-bind", "tres-per-task", "treewidth", "uid", "wait-all-nodes", "wckey", "wrap",
  ]

  private static let shortWithArgument = Array("AabBcCdDeFGiJLmMnNopqrStTwx".utf8)

  /// The whole name of a long option: its own, or the only one that begins so.
  func wholeName(_ name: String) -> String {
    let known = Self.withoutArgument + Self.withArgument + ["wait"]
    if known.contains(name) { return name }
    let candidates = known.filter { $0.utf8.starts(with: name.utf8) }
    return candidates.count == 1 ? candidates[0] : name
  }

  /// Whether a long option, by its whole name, takes the next word where none is behind a `=`.
  func takesNextWord(long name: String) -> Bool {
    // sbatch --wait waits for the job; srun --wait=SECONDS for its last task.
    if name == "wait" { return program == .srun }
    return !Self.withoutArgument.contains(name)
  }

  /// Whether a short option takes what is behind it, or else the next word.
  func takesNextWord(short letter: UInt8) -> Bool {
    if letter == UInt8(ascii: "W") { return program == .srun }
    return Self.shortWithArgument.contains(letter)
  }
}
