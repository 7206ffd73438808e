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
      guard let marker = markerPath, let user = slurm.jobUser else {
        return slurm.error(
          "job \(job) is not traced: Slurm tells neither its user nor the plugin's path")
      }
      var arguments = [
        "start", "--job", "\(job)", "--uid", "\(user)", "--probe-file", request.probeFile,
        "--marker", marker,
      ]
      if let directory = slurm.environment("SLURM_JOB_WORK_DIR") {
        arguments += ["--work-dir", directory]
      }
      run(arguments, job: job)
    } catch {
      run(["start", "--job", "\(job)", "--refused", error.text], job: job)
    }
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
