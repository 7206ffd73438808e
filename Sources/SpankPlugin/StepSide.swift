import CLibc
import TraceRequest

/// slurmstepd: tells the user what the node service left in its status file,
/// and ends the task where the site wants untraced jobs to fail.
struct StepSide<S: Slurm> {
  let slurm: S
  var runDirectory = "/run/datacrumbs"

  /// What keeps this node from tracing, nil where it traces or was not asked.
  private var failure: (reason: String, failsJob: Bool)? {
    guard let text = contents("status") else {
      guard slurm.jobEnvironment("SLURM_SPANK_" + TraceRequest.jobControlVariable) != nil else {
        return nil
      }
      return ("the node service left no status; the node's slurmd log says why", false)
    }
    guard let status = try? JSON(reading: text), let state = status["state"]?.string else {
      return ("the node service's status cannot be read", false)
    }
    if state.hasSameBytes(as: "tracing") { return nil }
    let failsJob = status["on_failure"]?.string.map { $0.hasSameBytes(as: "fail_job") } ?? false
    return (status["reason"]?.string ?? "state " + state, failsJob)
  }

  /// What the trace lacks by now, by the tracer's own word; nil where it lacks nothing.
  private var trouble: String? {
    guard let text = contents("tracer"), let tracer = try? JSON(reading: text),
      let state = tracer["state"]?.string, state.hasSameBytes(as: "degraded")
    else { return nil }
    return tracer["reason"]?.string ?? "it does not say why"
  }

  func userInit() {
    if let failure {
      slurm.error("this node does not trace job \(slurm.jobID): " + failure.reason.onOneLine)
    } else if let trouble {
      slurm.error("the trace of job \(slurm.jobID) has gaps on this node: " + trouble.onOneLine)
    }
  }

  /// Whether the task must end.
  func taskInit() -> Bool {
    failure?.failsJob ?? false
  }

  /// At most 64 KiB of one of the job's files on this node; nil where it is not there.
  private func contents(_ name: String) -> [UInt8]? {
    let path = runDirectory + "/\(slurm.jobID)/" + name
    let file = clibc_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = read(file, &buffer, buffer.count)
    return count >= 0 ? Array(buffer[..<count]) : []
  }
}
