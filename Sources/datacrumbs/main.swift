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
      the folder for <node>.pfw.gz.
      """,
    version: "datacrumbs 0.1.0")

  @Argument(help: "The sealed probe file: JSON, plain or gzipped.")
  var probeFile: String

  @Argument(help: "The job id.")
  var runID: String

  @Argument(help: "The account whose job it is.")
  var user: String

  func run() throws {
    do {
      try TracerProgram.run(
        TracerRequest(
          probeFile: probeFile, runID: runID, user: user,
          marker: try variable("DATACRUMBS_MARKER"),
          traceDirectory: try variable("DATACRUMBS_TRACE_DIR"),
          memoryLimit: getenv("DATACRUMBS_MEMORY_LIMIT").map { String(cString: $0) },
          stateFile: getenv("DATACRUMBS_STATE_FILE").map { String(cString: $0) }))
    } catch let error as TracerError {
      report(error.message)
      throw ExitCode(error.exitStatus.rawValue)
    }
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
