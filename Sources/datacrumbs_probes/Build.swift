import ArgumentParser
import Glibc
import ProbeDiscovery
import ProbeDocument
import TraceRequest
import Signing

struct Build: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find the functions that a configuration names, have them signed, write a probe file."
  )

  @Argument(help: "The configuration, as DataCrumbs writes it (YAML).")
  var configuration: String

  @Argument(help: "The probe file to write, such as probes.json.gz.")
  var output: String?

  @Flag(help: "Find the functions and print the table; sign and write nothing.")
  var dryRun = false

  @Option(help: ArgumentHelp("Valid for so long, such as 12h or 30d.", valueName: "duration"))
  var lifetime: String?

  @Option(help: ArgumentHelp("The signing service's socket.", valueName: "path"))
  var socket = SigningServer.standardPath

  @Option(help: ArgumentHelp("The folder of trusted keys.", valueName: "folder"))
  var trusted = TrustedKeys.standardDirectory

  func validate() throws {
    if output == nil, !dryRun {
      throw ValidationError("Name the probe file to write, or use --dry-run.")
    }
    if let lifetime, seconds(ofDuration: lifetime) == nil {
      throw ValidationError("--lifetime \(lifetime) is no duration such as 12h or 30d.")
    }
  }

  func run() throws {
    try reporting { () throws(ProbeError) in
      let text = try contents(of: configuration, limit: configurationLimit)
      guard let yaml = String(validating: text, as: UTF8.self) else {
        throw ProbeError("\(configuration) is not UTF-8", "save it as UTF-8")
      }
      let parsed = try ProbeConfiguration(
        yaml: try ProbeConfiguration.filled(
          yaml, path: configuration, ProbeConfiguration.templateVariables()),
        path: configuration)
      let progress = Progress(total: parsed.entries.count)
      let discovery = ProbeDiscovery { progress.show($0) }
      var table = BuildTable()
      for entry in parsed.entries {
        progress.begin(entry.name)
        do throws(ProbeError) {
          table.add(try discovery.outcome(of: entry))
        } catch {
          progress.end()
          throw error
        }
      }
      progress.end()
      guard !table.categories.isEmpty else {
        print(table.text)
        throw ProbeError("\(configuration) matches no function", "look at the table's reasons")
      }
      guard !dryRun, let output else {
        print(table.text)
        return
      }
      let packed = try Gzip.pack(try sign(&table, parsed.options))
      let verified = try ProbeVerification(trustedKeys: TrustedKeys(directory: trusted))
        .verify(packed: packed, uid: getuid(), now: Timestamp.now.seconds)
      do throws(FileError) {
        try File.write(output, packed, mode: 0o600)
      } catch {
        throw ProbeError("cannot write \(output)", error.reason, exitStatus: .cannotCreate)
      }
      print(table.text)
      print(
        "\(output): signed until \(verified.document.summary["expires"] ?? "?")".onOneLine)
    }
  }

  /// Has the table's categories signed. Functions that the site's policy refuses are left out
  /// where a pattern found them, and an error where the configuration names them.
  private func sign(
    _ table: inout BuildTable, _ options: RecordingOptions
  ) throws(ProbeError) -> [UInt8] {
    let client = SigningClient(path: socket)
    var refusal: Refusal?
    // A list of refused functions that is too long for one answer comes in parts.
    for _ in 0..<64 {
      let request = SignRequest(
        categories: table.categories, options: options,
        lifetime: lifetime.flatMap { seconds(ofDuration: $0) },
        configuration: realPath(configuration))
      do throws(Refusal) {
        return try client.sign(request)
      } catch {
        guard !error.functions.isEmpty, table.remove(error.functions), !table.categories.isEmpty
        else { throw error.error }
        refusal = error
      }
    }
    throw refusal?.error
      ?? ProbeError("nothing was signed", "try again", exitStatus: .internalError)
  }

  private func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
