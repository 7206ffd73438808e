import TraceRequest

/// Why a probe document is refused.
public struct ProbeError: Error, Sendable {
  /// What is wrong, without the name of the file.
  public let what: String
  /// What to do.
  public let remedy: String
  /// What the program ends with.
  public let exitStatus: ExitStatus

  /// Makes the error of its parts.
  public init(_ what: String, _ remedy: String, exitStatus: ExitStatus = .badData) {
    self.what = what
    self.remedy = remedy
    self.exitStatus = exitStatus
  }

  /// `what is wrong: which file: what to do`, on one line.
  public func text(file: String) -> String {
    (what + ": " + file + ": " + remedy).onOneLine
  }

  /// `what is wrong: what to do`, where `what` names the thing already.
  public var text: String { (what + ": " + remedy).onOneLine }

  static let rebuild = "build the file again with datacrumbs_probes build"

  static func malformed(_ what: String) -> ProbeError {
    ProbeError(what, rebuild)
  }
}
