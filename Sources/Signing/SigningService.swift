import COpenSSL
import Glibc
import ProbeDocument
import TraceRequest

/// Decides on a request, and signs it. It has no state: what it needs to know about the asker
/// comes from the kernel, what it may sign from the policy.
public struct SigningService: Sendable {
  private let key: PrivateKey
  private let policy: Policy
  private let host: String

  /// A service with that key.
  public init(key: PrivateKey, policy: Policy, host: String) {
    self.key = key
    self.policy = policy
    self.host = host
  }

  /// What the policy allows to somebody.
  public func allowance(of asker: Asker) throws(Refusal) -> Allowance {
    do throws(ProbeError) {
      return Allowance(try policy.rule(for: asker), cluster: policy.cluster, asker: asker)
    } catch {
      throw Refusal(error)
    }
  }

  /// A document that was signed.
  public struct Signed: Sendable {
    /// Its canonical form, with the signature.
    public let bytes: [UInt8]
    /// Until when it is valid.
    public let expires: Timestamp
    /// How many functions it names.
    public let functionCount: Int
  }

  /// Signs what a request asks for, where the policy allows it to the asker.
  ///
  /// - Parameters:
  ///   - request: the body of the request's message.
  ///   - passed: what the descriptors beside the request show: the programs and libraries that it
  ///     names, then the folders above them.
  ///   - now: in seconds since 1970.
  public func sign(
    request: [UInt8], passed: [FileFacts], asker: Asker, now: Int64
  ) throws(Refusal) -> Signed {
    let parsed: SignRequest
    let lifetime: Int64
    do throws(ProbeError) {
      parsed = try SignRequest(text: request)
      lifetime = try policy.lifetime(of: parsed, asker: asker)
    } catch {
      throw Refusal(error)
    }
    try policy.check(parsed, passed: passed, asker: asker)
    do throws(ProbeError) {
      return try sign(parsed, asker: asker, now: now, lifetime: lifetime)
    } catch {
      throw Refusal(error)
    }
  }

  private func sign(
    _ request: SignRequest, asker: Asker, now: Int64, lifetime: Int64
  ) throws(ProbeError) -> Signed {
    var summary = [
      "user": asker.name,
      "uid": String(asker.uid),
      "host": host,
      "created": Timestamp(seconds: now).text,
      "expires": Timestamp(seconds: now + lifetime).text,
      "generator": "datacrumbs_sign_probes \(datacrumbsVersion)",
    ]
    summary.merge(request.options.summary) { own, _ in own }
    summary["cluster"] = policy.cluster
    summary["configuration"] = request.configuration
    return Signed(
      bytes: try ProbeDocument(summary: summary, categories: request.categories).signed(with: key),
      expires: Timestamp(seconds: now + lifetime),
      functionCount: request.categories.reduce(0) { $0 + $1.functions.count })
  }
}

/// The release of all programs.
public let datacrumbsVersion = "0.1.0"

extension Array where Element == UInt8 {
  /// The SHA-256 digest, in 64 lower-case hexadecimal digits.
  var digest: String {
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(self, count, &digest)
    return digest.hexadecimal
  }
}
