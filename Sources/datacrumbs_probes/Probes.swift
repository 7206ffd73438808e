import ArgumentParser
import Glibc
import ProbeDocument
import TraceRequest
import Signing

struct Probes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datacrumbs_probes",
    abstract: "Build, verify, show and compare probe files: what a traced job records.",
    version: "datacrumbs_probes \(datacrumbsVersion)",
    subcommands: [Build.self, Verify.self, Show.self, Diff.self, DoctorCommand.self])
}

/// The largest configuration, in bytes.
let configurationLimit = 4 << 20

/// Does the work; an error is one line and an exit code.
func reporting(_ body: () throws(ProbeError) -> Void) throws {
  do throws(ProbeError) {
    try body()
  } catch {
    let line = Array(("datacrumbs_probes: " + error.text + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
    throw ExitCode(error.exitStatus.rawValue)
  }
}

/// A file's bytes.
func contents(of path: String, limit: Int) throws(ProbeError) -> [UInt8] {
  do throws(FileError) {
    return try File.read(path, limit: limit)
  } catch {
    throw ProbeError("cannot read \(path)", error.reason, exitStatus: .noInput)
  }
}

/// Does the work with a file's name in each error.
func naming<Result>(
  _ path: String, _ body: () throws(ProbeError) -> Result
) throws(ProbeError) -> Result {
  do throws(ProbeError) {
    return try body()
  } catch {
    throw ProbeError(error.what + ": " + path, error.remedy, exitStatus: error.exitStatus)
  }
}
