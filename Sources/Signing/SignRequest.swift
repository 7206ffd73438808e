import ProbeDocument
import TraceRequest

/// What a user asks the signing service to sign. Who asks is not in it: the kernel says that.
public struct SignRequest: Sendable {
  /// The functions to trace.
  public let categories: [ProbeCategory]
  /// How long the document shall be valid, in seconds; nil for as long as the site gives.
  public let lifetime: Int64?
  /// The path of the configuration, for those who read the document later.
  public let configuration: String?

  /// A request.
  public init(categories: [ProbeCategory], lifetime: Int64? = nil, configuration: String? = nil) {
    self.categories = categories
    self.lifetime = lifetime
    self.configuration = configuration
  }

  /// The programs and libraries that the request names, each once. The client sends an open
  /// descriptor for each, in this order.
  public var binaries: [String] {
    var paths: [String] = []
    for case let path? in categories.map(\.binaryPath)
    where !paths.contains(where: { $0.hasSameBytes(as: path) }) {
      paths.append(path)
    }
    return paths
  }

  /// The body of a request's message.
  public var text: [UInt8] {
    var members = [JSON.Member("categories", .array(categories.map(\.json)))]
    if let lifetime { members.append(JSON.Member("lifetime", .number(String(lifetime)))) }
    if let configuration { members.append(JSON.Member("configuration", .string(configuration))) }
    return JSON.object(members).text
  }

  /// Reads a request's body, with all the checks of a document's form.
  public init(text: [UInt8]) throws(ProbeError) {
    let json: JSON
    do {
      json = try JSON(reading: text, maximumDepth: 8)
    } catch {
      throw ProbeError(
        "the request is not JSON (\(error.reason) at byte \(error.offset))", Self.remedy)
    }
    guard case .object(let members) = json else {
      throw ProbeError("the request is not an object", Self.remedy)
    }
    var categories: [ProbeCategory]?
    var lifetime: Int64?
    var configuration: String?
    for member in members {
      switch (member.name, member.value) {
      case ("categories", .array(let elements)):
        var read: [ProbeCategory] = []
        for element in elements { read.append(try ProbeCategory(json: element)) }
        categories = read
      case ("lifetime", .number(let digits)):
        guard let seconds = Int64(digits), (1...Self.longestLifetime).contains(seconds) else {
          throw ProbeError("a lifetime of \(digits.prefix(20)) seconds", Self.remedy)
        }
        lifetime = seconds
      case ("configuration", .string(let path)):
        guard path.utf8.count < 4096, path.onOneLine.hasSameBytes(as: path) else {
          throw ProbeError("the configuration's name is no path", Self.remedy)
        }
        configuration = path
      default:
        throw ProbeError(
          "the request has a member that is not known (\(member.name))", Self.remedy)
      }
    }
    guard let categories, !categories.isEmpty else {
      throw ProbeError("the request names nothing to trace", Self.remedy)
    }
    self.init(categories: categories, lifetime: lifetime, configuration: configuration)
  }

  /// Ten years: more is a slip of the pen.
  static let longestLifetime: Int64 = 10 * 366 * 86_400
  private static let remedy = "use datacrumbs_probes of the same release"
}
