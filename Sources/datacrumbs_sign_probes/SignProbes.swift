import ArgumentParser
import Glibc
import ProbeDocument
import TraceRequest
import Signing

struct SignProbes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datacrumbs_sign_probes",
    abstract: "Signs the probe files that the site's policy allows.",
    discussion: """
      Without a command it serves, as datacrumbs_sign_probes.service does: on the socket that systemd \
      made, with the key that systemd passes as the credential signing.key.
      """,
    version: "datacrumbs_sign_probes \(datacrumbsVersion)",
    subcommands: [Serve.self, Keys.self, ShowPolicy.self],
    defaultSubcommand: Serve.self)
}

extension ParsableCommand {
  /// Does the work; an error is one line and an exit code.
  func reporting(_ body: () throws(ProbeError) -> Void) throws {
    do throws(ProbeError) {
      try body()
    } catch {
      let line = Array((Self.program + ": " + error.text + "\n").utf8)
      _ = Glibc.write(STDERR_FILENO, line, line.count)
      throw ExitCode(error.exitStatus.rawValue)
    }
  }

  private static var program: String { "datacrumbs_sign_probes" }
}

struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Serve the socket (the default).")

  @Option(help: ArgumentHelp("Listen there instead of on systemd's socket.", valueName: "path"))
  var listen: String?

  @Option(
    help: ArgumentHelp(
      "Sign with that key instead of the credential signing.key.", valueName: "path"))
  var key: String?

  @Option(help: ArgumentHelp("What is signed, and for whom.", valueName: "path"))
  var policy = Policy.standardPath

  func run() throws {
    try reporting { () throws(ProbeError) in
      let key = try KeyStore.privateKey(path: try keyPath())
      let policy = try Policy(path: policy)
      let socket: Int32
      if let listen {
        socket = try SigningServer.listen(path: listen)
      } else if let inherited = SigningServer.inherited() {
        socket = inherited
      } else {
        throw ProbeError(
          "no socket of systemd's", "start datacrumbs_sign_probes.socket, or use --listen",
          exitStatus: .usage)
      }
      try SigningServer(SigningService(key: key, policy: policy, host: hostName()))
        .run(listening: socket)
    }
  }

  private func keyPath() throws(ProbeError) -> String {
    if let key { return key }
    guard let folder = getenv("CREDENTIALS_DIRECTORY") else {
      throw ProbeError(
        "no credentials of systemd's", "start datacrumbs_sign_probes.service, or use --key",
        exitStatus: .usage)
    }
    return String(cString: folder) + "/signing.key"
  }

  private func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
