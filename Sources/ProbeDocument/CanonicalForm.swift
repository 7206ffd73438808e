import TraceRequest

extension JSON {
  /// The canonical form of RFC 8785: no white space, members sorted by the UTF-16 code units of
  /// their names. What is signed, sealed and handed to the tracer are these bytes.
  ///
  /// - Throws: at a number that is not an integer from -(2^53 - 1) to 2^53 - 1, written in the
  ///   shortest way. Outside of that range readers disagree on what a number is.
  public func canonical() throws(ProbeError) -> [UInt8] {
    try sorted().text
  }

  private func sorted() throws(ProbeError) -> JSON {
    switch self {
    case .null, .bool, .string: return self
    case .number(let text):
      guard let value = Int64(text), abs(value) < 1 << 53, String(value).hasSameBytes(as: text)
      else { throw .malformed("a number is not a plain integer (\(text.prefix(40)))") }
      return self
    case .array(let elements):
      var result: [JSON] = []
      result.reserveCapacity(elements.count)
      for element in elements { result.append(try element.sorted()) }
      return .array(result)
    case .object(let members):
      var result: [Member] = []
      result.reserveCapacity(members.count)
      for member in members { result.append(Member(member.name, try member.value.sorted())) }
      result.sort { $0.name.utf16.lexicographicallyPrecedes($1.name.utf16) }
      return .object(result)
    }
  }
}
