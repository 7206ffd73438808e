import CLibc
import TraceRequest

/// A document that was verified, and the very bytes that its signature covers. There is no other
/// way to one than `ProbeVerification`.
public struct VerifiedProbes: Sendable {
  /// What may be traced.
  public let document: ProbeDocument
  /// Its canonical form: what the tracer gets.
  public let canonical: [UInt8]

  fileprivate init(document: ProbeDocument, canonical: [UInt8]) {
    self.document = document
    self.canonical = canonical
  }
}

/// What a machine demands of a probe file.
public struct ProbeVerification: Sendable {
  /// The name of our signatures.
  public static let algorithm = "ed25519"
  /// The name of the signatures of LLNL's DataCrumbs.
  public static let sharedSecretAlgorithm = "hmac-sha256"

  private let trustedKeys: TrustedKeys
  private let cluster: String?
  private let sharedSecret: SharedSecret?
  private let isSecretElsewhere: Bool

  /// - Parameters:
  ///   - cluster: the name of this cluster, which the document must then bear; nil where the site
  ///     does not tell its clusters apart.
  ///   - sharedSecret: what documents of LLNL's DataCrumbs are verified with; without it they are
  ///     refused.
  ///   - isSecretElsewhere: whether the site has such a secret that this process may not see.
  public init(
    trustedKeys: TrustedKeys = TrustedKeys(), cluster: String? = nil,
    sharedSecret: SharedSecret? = SharedSecret(path: SharedSecret.standardPath),
    isSecretElsewhere: Bool = SharedSecret.exists(path: SharedSecret.standardPath)
  ) {
    self.isSecretElsewhere = isSecretElsewhere
    self.trustedKeys = trustedKeys
    self.cluster = cluster
    self.sharedSecret = sharedSecret
  }

  /// Verifies the bytes of a probe file.
  ///
  /// - Parameters:
  ///   - packed: the file's whole content.
  ///   - uid: the user whose job it is.
  ///   - now: in seconds since 1970.
  public func verify(packed: [UInt8], uid: UInt32, now: Int64) throws(ProbeError) -> VerifiedProbes
  {
    let examined = try examine(packed, uid, now, mayLeaveSeal: false)
    guard examined.isSealChecked else { throw Self.noSecret }
    return VerifiedProbes(document: examined.document, canonical: examined.canonical)
  }

  /// How far a check for the user's information came.
  public enum Checked: Sendable {
    /// The document would be used.
    case whole
    /// All but the seal is as it must be. A shared secret is not for users to see; the node, which
    /// has it, decides.
    case sealLeftToNode
  }

  /// Checks the bytes of a probe file as far as this process can, to tell a user early what is
  /// wrong. Nothing may be traced for it: there is no way from here to `VerifiedProbes`.
  ///
  /// - Parameters: as for `verify(packed:uid:now:)`.
  public func check(packed: [UInt8], uid: UInt32, now: Int64) throws(ProbeError) -> Checked {
    try examine(packed, uid, now, mayLeaveSeal: true).isSealChecked ? .whole : .sealLeftToNode
  }

  private func examine(
    _ packed: [UInt8], _ uid: UInt32, _ now: Int64, mayLeaveSeal: Bool
  ) throws(ProbeError) -> (document: ProbeDocument, canonical: [UInt8], isSealChecked: Bool) {
    let json = try ProbeDocument.read(try Gzip.unpack(packed))
    guard case .object(let members) = json else {
      throw .malformed("the probe document is not an object")
    }
    let signed = JSON.object(members.filter { !$0.name.hasSameBytes(as: "checksum") })
    let canonical = try signed.canonical()
    switch json["checksum_algorithm"]?.string {
    case Self.algorithm?:
      try refuseOthers(
        members, ["summary", "categories", "checksum_algorithm", "key_id", "checksum"])
      try checkSignature(of: canonical, json)
      let document = try ProbeDocument(json: json)
      try checkSummary(document.summary, uid: uid, now: now)
      return (document, canonical, true)
    case Self.sharedSecretAlgorithm?:
      try refuseOthers(members, ["summary", "categories", "checksum_algorithm", "checksum"])
      let isSealChecked = try checkSharedSecret(json, mayLeaveSeal: mayLeaveSeal)
      let document = try ProbeDocument(json: json)
      try checkUser(document.summary, uid: uid)
      return (document, canonical, isSealChecked)
    default:
      throw .malformed("the probe document is not signed with \(Self.algorithm)")
    }
  }

  private func refuseOthers(_ members: [JSON.Member], _ known: [String]) throws(ProbeError) {
    for member in members where !known.contains(where: { $0.hasSameBytes(as: member.name) }) {
      throw .malformed("the probe document has a member that is not known (\(member.name))")
    }
  }

  private func checkSignature(of canonical: [UInt8], _ json: JSON) throws(ProbeError) {
    guard let keyID = json["key_id"]?.string else {
      throw .malformed("the probe document has no key_id")
    }
    guard let signature = json["checksum"]?.string.flatMap({ [UInt8](base64: $0) }),
      signature.count == 64
    else { throw .malformed("the probe document's checksum is no signature") }
    guard try trustedKeys.key(id: keyID).verifies(signature: signature, of: canonical) else {
      throw Self.changed
    }
  }

  private static let changed = ProbeError(
    "the probe document's signature does not fit its content: it was changed after signing",
    ProbeError.rebuild, exitStatus: .notPermitted)

  private static let noSecret = ProbeError(
    "the probe document is signed with a shared secret (\(sharedSecretAlgorithm)), "
      + "which this machine does not have", ProbeError.rebuild, exitStatus: .notPermitted)

  /// DataCrumbs signs these three members, in this order, as json-c writes them.
  ///
  /// - Returns: whether the seal was checked. It is not where the secret is out of this process's
  ///   sight and the caller may leave it at that.
  private func checkSharedSecret(_ json: JSON, mayLeaveSeal: Bool) throws(ProbeError) -> Bool {
    guard sharedSecret != nil || mayLeaveSeal && isSecretElsewhere else { throw Self.noSecret }
    guard let summary = json["summary"], let categories = json["categories"],
      let checksum = json["checksum"]?.string
    else { throw .malformed("the probe document lacks its summary, categories or checksum") }
    guard SharedSecret.isForm(ofChecksum: checksum) else {
      throw .malformed("the probe document's checksum is no \(Self.sharedSecretAlgorithm)")
    }
    guard let sharedSecret else { return false }
    let text = JSON.object([
      JSON.Member("summary", summary), JSON.Member("categories", categories),
      JSON.Member("checksum_algorithm", .string(Self.sharedSecretAlgorithm)),
    ]).jsonC
    guard sharedSecret.verifies(checksum: checksum, of: text) else { throw Self.changed }
    return true
  }

  /// Documents of DataCrumbs name their user by account, and have no end.
  private func checkUser(_ summary: [String: String], uid: UInt32) throws(ProbeError) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 64 << 10)
    let isKnown = getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0 && found != nil
    guard isKnown, let name = entry.pw_name.map({ String(cString: $0) }),
      summary["user"]?.hasSameBytes(as: name) == true
    else {
      throw ProbeError(
        "the probe document is signed for user \(summary["user"] ?? "?"), not for uid \(uid)",
        "build your own with datacrumbs_probes build", exitStatus: .notPermitted)
    }
  }

  private func checkSummary(
    _ summary: [String: String], uid: UInt32, now: Int64
  ) throws(ProbeError) {
    guard let owner = summary["uid"], owner == String(uid) else {
      throw ProbeError(
        "the probe document is signed for user \(summary["user"] ?? "?") "
          + "(uid \(summary["uid"] ?? "?")), not for uid \(uid)",
        "build your own with datacrumbs_probes build", exitStatus: .notPermitted)
    }
    guard let created = summary["created"].flatMap(Timestamp.init),
      let expires = summary["expires"].flatMap(Timestamp.init)
    else { throw .malformed("the probe document's created or expires is no time") }
    // Clocks of a cluster differ by less than this.
    guard created.seconds <= now + 300 else {
      throw ProbeError(
        "the probe document is not valid before \(created.text)",
        "check this machine's clock against the signing service's", exitStatus: .notPermitted)
    }
    guard now < expires.seconds else {
      throw ProbeError(
        "the probe document expired at \(expires.text)", ProbeError.rebuild,
        exitStatus: .notPermitted)
    }
    if let cluster, summary["cluster"].map({ $0.hasSameBytes(as: cluster) }) != true {
      throw ProbeError(
        "the probe document is signed for cluster \(summary["cluster"] ?? "?"), not \(cluster)",
        "build one on this cluster with datacrumbs_probes build", exitStatus: .notPermitted)
    }
  }
}

extension ProbeDocument {
  /// The signed document's text, in its canonical form.
  public func signed(with key: PrivateKey) throws(ProbeError) -> [UInt8] {
    guard case .object(var members) = json else { return [] }
    members.append(JSON.Member("checksum_algorithm", .string(ProbeVerification.algorithm)))
    members.append(JSON.Member("key_id", .string(try key.publicKey().id)))
    let signature = try key.sign(try JSON.object(members).canonical())
    members.append(JSON.Member("checksum", .string(signature.base64)))
    return try JSON.object(members).canonical()
  }

  /// Signs the document and packs it: a probe file's content.
  public func signedAndPacked(with key: PrivateKey) throws(ProbeError) -> [UInt8] {
    try Gzip.pack(try signed(with: key))
  }
}
