import ArgumentParser
import Glibc
import TraceRequest
import Tracer

struct DataCrumbs: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datacrumbs",
    abstract: "Traces the tasks of one job on this node.",
    discussion: """
      Runs as datacrumbs@<jobid>.service, started as root. It loads and attaches its BPF programs, \
      becomes USER for good and records until SIGINT or SIGTERM.

      DATACRUMBS_MARKER names the object with datacrumbs_mark_task, DATACRUMBS_TRACE_DIR \
      the folder for <node>.pfw.gz. DATACRUMBS_CGROUP names a cgroup whose processes of USER are \
      the job's too.
      """,
    version: "datacrumbs 0.1.0")

  @Argument(help: "The sealed probe file: JSON, plain or gzipped.")
  var probeFile: String

  @Argument(help: "The job id.")
  var runID: String

  @Argument(help: "The account whose job it is.")
  var user: String

  func run() throws {
    let cgroup = optional("DATACRUMBS_CGROUP")
    do {
      try TracerProgram.run(
        TracerRequest(
          probeFile: probeFile, runID: runID, user: user,
          marker: cgroup == nil ? try variable("DATACRUMBS_MARKER") : optional("DATACRUMBS_MARKER"),
          cgroup: cgroup,
          traceDirectory: try variable("DATACRUMBS_TRACE_DIR"),
          memoryLimit: optional("DATACRUMBS_MEMORY_LIMIT"),
          stateFile: optional("DATACRUMBS_STATE_FILE")))
    } catch let error as TracerError {
      report(error.message)
      throw ExitCode(error.exitStatus.rawValue)
    }
  }

  private func optional(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  private func variable(_ name: String) throws -> String {
    guard let value = getenv(name), value.pointee != 0 else {
      report("\(name) is not set: start datacrumbs@<jobid>.service instead")
      throw ExitCode(64)
    }
    return String(cString: value)
  }
}

DataCrumbs.main()
