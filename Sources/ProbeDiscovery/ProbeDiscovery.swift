import Glibc
import ProbeDocument
import Signing

/// Finds the functions that a configuration asks for.
public struct ProbeDiscovery: Sendable {
  /// What an entry of a configuration came to.
  public struct Outcome: Sendable {
    /// The entry's category; nil where nothing was found.
    public let category: ProbeCategory?
    /// The entry's name.
    public let name: String
    /// Whether the entry names its functions itself, so that none may be left out.
    public let isExplicit: Bool
    /// How many names were left out, by the reason.
    public let skipped: [String: Int]
  }

  /// Discovery on this machine.
  public init() {}

  /// Finds an entry's functions.
  public func outcome(of entry: ProbeConfiguration.Entry) throws(ProbeError) -> Outcome {
    let binary = try entry.binaryPath.map { path throws(ProbeError) in
      try realPath(path, of: entry.name)
    }
    switch entry.source {
    case .list(let functions):
      return Outcome(
        category: ProbeCategory(
          kind: entry.kind, name: entry.name, functions: functions, binaryPath: binary,
          provider: entry.provider),
        name: entry.name, isExplicit: true, skipped: [:])
    default:
      throw ProbeError("\(entry.name): only explicit functions are known", "write functions")
    }
  }

  /// The path without links: what is signed must be the file that was looked at.
  private func realPath(_ path: String, of name: String) throws(ProbeError) -> String {
    guard let resolved = realpath(path, nil) else {
      throw ProbeError(
        "\(name): there is no \(path) (\(String(cString: strerror(errno))))",
        "correct the file", exitCode: 66)
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
