import TraceRequest

/// A probe file as it is read for people: `show` and `diff`. Nothing traces from it; there is no
/// way from here to `VerifiedProbes`.
public struct UnverifiedProbes: Sendable {
  /// What it says.
  public let document: ProbeDocument
  /// The name of its signature, empty where it has none.
  public let algorithm: String
  /// The id of the key that it claims, empty where it claims none.
  public let keyID: String

  /// Reads a probe file's content. What has no canonical form, and so can have no signature, is
  /// refused here too.
  public init(packed: [UInt8]) throws(ProbeError) {
    let json = try ProbeDocument.read(try Gzip.unpack(packed))
    _ = try json.canonical()
    document = try ProbeDocument(json: json)
    algorithm = json["checksum_algorithm"]?.string ?? ""
    keyID = json["key_id"]?.string ?? ""
  }
}
