/// One thing that a `doctor` command looked at.
public struct Finding: Sendable {
  /// How one thing stands.
  public enum Verdict: String, Sendable {
    /// As it should be.
    case good = "ok"
    /// Tracing works, with less than all of it.
    case limited = "warning"
    /// Tracing does not work.
    case bad = "error"
  }

  /// How it stands.
  public let verdict: Verdict
  /// What was looked at and what was found.
  public let what: String
  /// What to do; empty where all is well.
  public let remedy: String

  /// A finding.
  public init(verdict: Verdict, what: String, remedy: String = "") {
    self.verdict = verdict
    self.what = what
    self.remedy = remedy
  }

  /// The finding on one line: `ok: what`, or `error: what: what to do`.
  public var text: String {
    (verdict.rawValue + ": " + what + (remedy.isEmpty ? "" : ": " + remedy)).onOneLine
  }
}
