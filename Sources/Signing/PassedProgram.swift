import ProbeDocument
import TraceRequest

/// A program or library that was passed to the signing service: what can be said of its functions by
/// where they are, whatever their names.
struct PassedProgram: Sendable {
  /// Its headers.
  let headers: ELFHeaders
  private let descriptor: Descriptor
  private let isRoots: Bool

  /// Reads the headers.
  ///
  /// - Parameter isRoots: whether nobody but root can have made it what it is.
  init(_ descriptor: Descriptor, isRoots: Bool) throws(ELFHeaders.Unreadable) {
    self.descriptor = descriptor
    self.isRoots = isRoots
    headers = try ELFHeaders(descriptor: descriptor.number)
  }

  /// Bytes of symbol tables that are read of a file of root's, and of a user's.
  private static let limits = (root: 128 << 20, user: 16 << 20)

  /// Why functions are refused for where they are: the one where the program begins, and those
  /// that are a denied function under another name.
  ///
  /// A user's own file is looked at as far as it is of an ordinary size, and not for other names,
  /// which its owner could choose anyway; the tracer looks again.
  ///
  /// - Parameter denial: why a function of that name is refused, nil where it is not.
  func refusals(
    of functions: [String], denial: (String) -> String?
  ) throws(ELFHeaders.Unreadable) -> [String: String] {
    let limit = isRoots ? Self.limits.root : Self.limits.user
    guard let known = try headers.functions(descriptor: descriptor.number, limit: limit) else {
      if !isRoots { return [:] }
      throw ELFHeaders.Unreadable(reason: "more than \(limit >> 20) MiB of symbols")
    }
    var places = known.addresses(of: Set(functions))
    for function in functions {
      if let offset = Self.offset(in: function) {
        places[function] = headers.address(of: offset).map { [$0] } ?? []
      }
    }
    var refusals: [String: String] = [:]
    let names = isRoots ? known.names(at: places.values.reduce(into: []) { $0.formUnion($1) }) : [:]
    for (function, addresses) in places {
      if let entry = headers.entry, addresses.contains(entry) {
        refusals[function] = ELFHeaders.entryRefusal
        continue
      }
      let others = addresses.flatMap { names[$0] ?? [] }.sorted()
      for other in others where refusals[function] == nil {
        refusals[function] = denial(other).map { "it is \(other): \($0)" }
      }
    }
    return refusals
  }

  /// `name:0x1234` is the name at an offset of the file.
  private static func offset(in function: String) -> UInt64? {
    guard let colon = function.lastIndex(of: ":") else { return nil }
    let digits = function[colon...].dropFirst()
    return digits.hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : nil
  }
}
