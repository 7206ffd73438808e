/// The name of one traced job on this node: Slurm's job id, or Flux's.
///
/// It becomes a unit's instance name and a folder's name, so it is made of
/// letters, digits and underscores alone, at most 64.
public struct RunID: Sendable, CustomStringConvertible {
  /// The id as text.
  public let description: String

  /// Nil where the text is no id.
  public init?(_ text: String) {
    let isName = text.utf8.allSatisfy {
      switch $0 {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isName, (1...64).contains(text.utf8.count) else { return nil }
    description = text
  }

  /// The id that such an environment file belongs to.
  init?(environmentFile name: String) {
    guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix) else { return nil }
    self.init(String(name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)))
  }

  private static let prefix = "datacrumbs-"
  private static let suffix = ".env"

  /// The systemd EnvironmentFile in the run directory.
  var environmentFile: String { Self.prefix + description + Self.suffix }

  /// The unit that runs the tracer.
  var unit: String { "datacrumbs@" + description + ".service" }
}
