import ArgumentParser
import Glibc
import NodeService
import ProbeDiscovery
import ProbeDocument
import Signing
import TraceRequest

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look at all that you need to have jobs traced, and say what to do.")

  @Argument(help: "A probe file to look at besides.")
  var file: String?

  @Option(
    help: ArgumentHelp("The folder that jobs are submitted from.", valueName: "folder"))
  var directory = "."

  @Option(help: ArgumentHelp("The signing service's socket.", valueName: "path"))
  var socket = SigningServer.standardPath

  @Option(help: ArgumentHelp("The folder of trusted keys.", valueName: "folder"))
  var trusted = TrustedKeys.standardDirectory

  func run() throws {
    let probeFile = file.map { path in
      (path, Result { () throws(ProbeError) in try contents(of: path, limit: Gzip.packedLimit) })
    }
    let findings = UserDoctor(socket: socket, trusted: trusted)
      .findings(traceFolder: traceFolder(), probeFile: probeFile)
    for finding in findings { print(finding.text) }
    if findings.contains(where: { $0.verdict == .bad }) {
      throw ExitCode(ExitStatus.unavailable.rawValue)
    }
  }

  /// As this machine's settings have it; a site keeps them alike everywhere.
  private func traceFolder() -> String {
    let resolved = realpath(directory, nil)
    defer { free(resolved) }
    let folder = resolved.map { String(cString: $0) } ?? directory
    let settings = (try? Configuration(path: Configuration.path)) ?? Configuration()
    return settings.traceFolder(
      job: "JOBID", workDirectory: folder, user: Asker(uid: getuid()).name, node: "NODE")
  }
}
