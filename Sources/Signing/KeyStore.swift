import Glibc
import ProbeDocument
import TraceRequest

/// The site's signing keys: `<key id>.key` in a folder that only root reads, and `signing.key`, a
/// link to the one that signs. Their public halves are in the folder of trusted keys.
///
/// Each step of a rotation is one rename or one new file, so that the service and the nodes see the
/// state before it or after it.
public struct KeyStore: Sendable {
  /// Where the private keys are.
  public static let standardDirectory = "/etc/datacrumbs/keys"

  private let directory: String
  private let trusted: String

  /// A key of the store.
  public struct Entry: Sendable {
    /// What a key is good for.
    public enum State: String, Sendable {
      /// New documents are signed with it.
      case signing
      /// Its documents are valid; it signs when `key activate` says so, or no more.
      case trusted
      /// Its documents are refused.
      case retired
    }

    /// The key's id.
    public let id: String
    /// What it is good for.
    public let state: State
    /// Whether its private half is here.
    public let isPrivate: Bool
  }

  /// The store in those folders.
  public init(
    directory: String = KeyStore.standardDirectory,
    trusted: String = TrustedKeys.standardDirectory
  ) {
    self.directory = directory
    self.trusted = trusted
  }

  private var signingLink: String { directory + "/signing.key" }

  /// Reads a private key's file.
  public static func privateKey(path: String) throws(ProbeError) -> PrivateKey {
    let text: [UInt8]
    do throws(FileError) {
      text = try File.read(path, limit: 4096)
    } catch {
      throw ProbeError(
        "cannot read the private key \(path) (\(error.reason))",
        "make one with datacrumbs_sign_probes key create", exitStatus: .noInput)
    }
    let line = String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    guard let raw = [UInt8](base64: line), let key = try? PrivateKey(raw: raw) else {
      throw ProbeError(
        "\(path) is no private key", "make one with datacrumbs_sign_probes key create")
    }
    return key
  }

  /// Makes a key and has this machine trust it. It signs where there was none that signs.
  ///
  /// - Parameter isMissingOnly: make none where there is one that signs; its public half is
  ///   exported again where it is missing.
  /// - Returns: the id of the key, and whether it signs.
  public func create(isMissingOnly: Bool) throws(ProbeError) -> (id: String, isSigning: Bool) {
    try makeFolder(directory, mode: 0o700)
    try makeFolder(trusted, mode: 0o755)
    if isMissingOnly, File.exists(signingLink) {
      let key = try Self.privateKey(path: signingLink).publicKey()
      if !File.exists(trusted + "/" + key.id + ".retired") { try export(key, to: trusted) }
      return (key.id, true)
    }
    let key = try PrivateKey.random()
    let publicKey = try key.publicKey()
    try write(directory + "/" + publicKey.id + ".key", key.raw.base64 + "\n", mode: 0o400)
    try export(publicKey, to: trusted)
    let isFirst = !File.exists(signingLink)
    if isFirst { try activate(publicKey.id) }
    return (publicKey.id, isFirst)
  }

  /// Signs with another of the keys from now on (the service reads it when it starts).
  public func activate(_ id: String) throws(ProbeError) {
    let key = try Self.privateKey(path: directory + "/" + id + ".key").publicKey()
    guard key.id.hasSameBytes(as: id) else {
      throw ProbeError("the key file of \(id) holds another key", "make a new key")
    }
    guard !File.exists(trusted + "/" + id + ".retired") else {
      throw ProbeError(
        "key \(id) is retired", "activate another, or create one", exitStatus: .notPermitted)
    }
    let temporary = signingLink + ".new"
    unlink(temporary)
    guard symlink(id + ".key", temporary) == 0, rename(temporary, signingLink) == 0 else {
      throw failure("cannot write", signingLink)
    }
  }

  /// The keys that are here, private, trusted or retired.
  public func list() throws(ProbeError) -> [Entry] {
    let privateIDs = Set(File.names(in: directory, suffix: ".key")).subtracting(["signing"])
    let trustedIDs = Set(File.names(in: trusted, suffix: ".pub"))
    let retiredIDs = Set(File.names(in: trusted, suffix: ".retired"))
    let signing =
      File.exists(signingLink) ? try Self.privateKey(path: signingLink).publicKey().id : nil
    return privateIDs.union(trustedIDs).union(retiredIDs).sorted().map { id in
      let state: Entry.State =
        retiredIDs.contains(id) ? .retired : id == signing ? .signing : .trusted
      return Entry(id: id, state: state, isPrivate: privateIDs.contains(id))
    }
  }

  /// Writes a trusted key's public half, or the note that it is retired, into another folder:
  /// what a compute node is given.
  ///
  /// - Returns: the names of the files.
  public func export(_ id: String?, to folder: String) throws(ProbeError) -> [String] {
    let entries = try list().filter { entry in id.map { $0.hasSameBytes(as: entry.id) } ?? true }
    guard !entries.isEmpty else {
      throw ProbeError(
        "there is no such key (\(id ?? "none at all"))",
        "see datacrumbs_sign_probes key list", exitStatus: .noInput)
    }
    try makeFolder(folder, mode: 0o755)
    var names: [String] = []
    for entry in entries {
      if entry.state == .retired {
        try write(folder + "/" + entry.id + ".retired", Self.retiredText, mode: 0o644)
        unlink(folder + "/" + entry.id + ".pub")
        names.append(entry.id + ".retired")
      } else {
        try export(try TrustedKeys(directory: trusted).key(id: entry.id), to: folder)
        names.append(entry.id + ".pub")
      }
    }
    return names
  }

  /// Refuses a key's documents from now on, and forgets its private half.
  public func retire(_ id: String) throws(ProbeError) {
    guard let entry = try list().first(where: { $0.id.hasSameBytes(as: id) }) else {
      throw ProbeError(
        "there is no key \(id)", "see datacrumbs_sign_probes key list", exitStatus: .noInput)
    }
    guard entry.state != .signing else {
      throw ProbeError(
        "key \(id) signs", "activate another first: datacrumbs_sign_probes key activate ID",
        exitStatus: .notPermitted)
    }
    // The note first: it wins over the public key, wherever both are.
    try write(trusted + "/" + id + ".retired", Self.retiredText, mode: 0o644)
    unlink(trusted + "/" + id + ".pub")
    unlink(directory + "/" + id + ".key")
  }

  private static let retiredText = "Documents that are signed with this key are refused.\n"

  private func export(_ key: PublicKey, to folder: String) throws(ProbeError) {
    let file = TrustedKeys.file(of: key)
    try write(folder + "/" + file.name, file.text, mode: 0o644)
  }

  private func makeFolder(_ path: String, mode: mode_t) throws(ProbeError) {
    guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("cannot make", path) }
  }

  private func write(_ path: String, _ text: String, mode: mode_t) throws(ProbeError) {
    do throws(FileError) {
      try File.write(path, Array(text.utf8), mode: mode)
    } catch {
      throw ProbeError(
        "cannot write \(path) (\(error.reason))", "run it as root", exitStatus: .notPermitted)
    }
  }

  private func failure(_ what: String, _ path: String) -> ProbeError {
    ProbeError("\(what) \(path) (\(errorText(errno)))", "run it as root", exitStatus: .notPermitted)
  }
}
