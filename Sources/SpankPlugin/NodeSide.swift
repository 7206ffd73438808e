import CLibc
import TraceRequest

/// The job's prolog and epilog on one node: hands the request to the node
/// service. A job that did not ask costs a look at two variables, and at its end one for a folder.
struct NodeSide<S: Slurm> {
  let slurm: S
  let settings: () -> PluginSettings
  var runDirectory = "/run/datacrumbs"

  func prolog(markerPath: String?) {
    let job = slurm.jobID
    do throws(RequestError) {
      guard let request = try TraceRequest(prologEnvironment: slurm.environment) else { return }
      start(
        request.probeFile, workDirectory: slurm.environment("SLURM_JOB_WORK_DIR"),
        markerPath: markerPath)
    } catch {
      run(["start", "--job", "\(job)", "--refused", error.text], job: job)
    }
  }

  /// slurmstepd, as root, before a step's tasks: makes up for a prolog that slurmd left out.
  ///
  /// Up to Slurm 22.05 slurmd does so to a requeued job where it looked for expired jobs less
  /// than 2 s before: it takes the job for one that it has prepared already
  /// (_clear_expired_job_states in slurm_cred.c).
  func stepBegin(markerPath: () -> String?) {
    guard
      let probeFile = slurm.jobEnvironment("SLURM_SPANK_" + TraceRequest.jobControlVariable),
      access(runDirectory + "/\(slurm.jobID)/status", F_OK) != 0
    else { return }
    // A step is not told the job's working directory.
    start(
      probeFile, workDirectory: slurm.jobEnvironment("SLURM_SUBMIT_DIR"), markerPath: markerPath())
  }

  private func start(_ probeFile: String, workDirectory: String?, markerPath: String?) {
    let job = slurm.jobID
    guard let marker = markerPath, let user = slurm.jobUser else {
      return slurm.error(
        "job \(job) is not traced: Slurm tells neither its user nor the plugin's path")
    }
    var arguments = [
      "start", "--job", "\(job)", "--uid", "\(user)", "--probe-file", probeFile,
      "--marker", marker,
    ]
    if let workDirectory { arguments += ["--work-dir", workDirectory] }
    run(arguments, job: job)
  }

  func epilog() {
    // What was started is stopped, whatever the comment says by now.
    let job = slurm.jobID
    guard access(runDirectory + "/\(job)", F_OK) == 0 else { return }
    run(["stop", "--job", "\(job)"], job: job)
  }

  private func run(_ arguments: [String], job: UInt32) {
    let settings = settings()
    let program = ProgramRun(
      path: settings.services + "/datacrumbs_service", arguments: arguments,
      limit: settings.serviceLimit, inheritsEnvironment: false)
    switch program.run() {
    case .ended(code: 0, _): return
    case .ended(let code, let message):
      slurm.error("job \(job): \(message) (exit code \(code))")
    case .timedOut:
      slurm.error(
        "job \(job): \(program.path) took longer than \(settings.serviceLimit) s and was killed")
    case .notStarted(let reason):
      slurm.error("job \(job): cannot run \(program.path): \(reason)")
    }
  }
}
