/// A JSON value (RFC 8259) that keeps what its reader could otherwise lose:
/// the order of members, and a number as it was written.
public enum JSON: Sendable {
  case null
  case bool(Bool)
  /// The number's own text, such as `-12` or `1.5e3`.
  case number(String)
  case string(String)
  case array([JSON])
  case object([Member])

  /// One `name: value` of an object.
  public struct Member: Sendable {
    /// The name, without quotes or escapes.
    public let name: String
    /// What it names.
    public let value: JSON

    /// `name: value`
    public init(_ name: String, _ value: JSON) {
      self.name = name
      self.value = value
    }
  }

  /// The member of that name, or nil where there is none or this is no object.
  public subscript(name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name.hasSameBytes(as: name) }?.value
  }

  /// The text of a string value, else nil.
  public var string: String? {
    if case .string(let text) = self { return text }
    return nil
  }
}

extension String {
  /// Whether both hold the same UTF-8 bytes. `==` compares by canonical
  /// equivalence, under which two different names of a file, or two different
  /// signed texts, can be equal.
  public func hasSameBytes(as other: String) -> Bool {
    utf8.elementsEqual(other.utf8)
  }
}
