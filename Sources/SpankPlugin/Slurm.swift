/// What the plugin asks of Slurm: real in the plugin, a stand-in in unit tests.
protocol Slurm {
  /// 0 where Slurm does not tell it in this context.
  var jobID: UInt32 { get }
  /// nil where Slurm does not tell it in this context.
  var jobUser: UInt32? { get }
  /// A variable of the process that Slurm runs the plugin in.
  func environment(_ name: String) -> String?
  /// A variable of the job's environment, in slurmstepd.
  func jobEnvironment(_ name: String) -> String?
  /// The value that srun, sbatch or salloc holds for one of its own options.
  func option(_ name: String) -> String?
  /// False where this release of Slurm does not let a plugin set it.
  func setOption(_ name: String, _ value: String) -> Bool
  /// False where Slurm did not take it.
  func setJobControl(_ name: String, _ value: String) -> Bool
  /// One line: to the user's stderr in srun, sbatch, salloc and slurmstepd, to
  /// slurmd's log in prolog and epilog.
  func error(_ message: String)
}
