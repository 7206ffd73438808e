import ProbeDocument
import TraceRequest

/// What a user asks the signing service to sign. Who asks is not in it: the kernel says that.
public struct SignRequest: Sendable {
  /// The functions to trace.
  public let categories: [ProbeCategory]
  /// How long the document shall be valid, in seconds; nil for as long as the site gives.
  public let lifetime: Int64?
  /// How the functions are to be recorded.
  public let options: RecordingOptions
  /// The path of the configuration, for those who read the document later.
  public let configuration: String?

  /// A request.
  public init(
    categories: [ProbeCategory], options: RecordingOptions = .standard, lifetime: Int64? = nil,
    configuration: String? = nil
  ) {
    self.categories = categories
    self.options = options
    self.lifetime = lifetime
    self.configuration = configuration
  }

  /// How many programs and libraries one request may name.
  static let binaryLimit = 64
  /// How many JSON values one request may hold. It has at most 8 MiB (`Frame`), and a value of a
  /// request of ours has at least 10 bytes on average.
  static let valueLimit = 800_000

  /// The folders above the programs and libraries, each once. The client sends an open descriptor
  /// for each, in this order, behind those of the binaries.
  public var folders: [String] {
    var folders: [String] = []
    for path in binaries {
      for end in path.utf8.indices where path.utf8[end] == UInt8(ascii: "/") {
        let folder = end == path.utf8.startIndex ? "/" : String(path[..<end])
        if !folders.contains(where: { $0.hasSameBytes(as: folder) }) { folders.append(folder) }
      }
    }
    return folders
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
    if let mode = options.mode { members.append(JSON.Member("mode", .string(mode.rawValue))) }
    if let interval = options.intervalMilliseconds {
      members.append(JSON.Member("profile_interval_ms", .number(String(interval))))
    }
    if let unit = options.timeUnit {
      members.append(JSON.Member("time_unit", .string(unit.rawValue)))
    }
    if !options.inclusionPaths.isEmpty {
      members.append(
        JSON.Member("inclusion_paths", .array(options.inclusionPaths.map { .string($0) })))
    }
    if let lifetime { members.append(JSON.Member("lifetime", .number(String(lifetime)))) }
    if let configuration { members.append(JSON.Member("configuration", .string(configuration))) }
    return JSON.object(members).text
  }

  /// Reads a request's body, with all the checks of a document's form.
  public init(text: [UInt8]) throws(ProbeError) {
    let json: JSON
    do {
      json = try JSON(reading: text, maximumDepth: 8, maximumValues: Self.valueLimit)
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
    var mode: RecordingOptions.Mode?
    var interval: Int?
    var inclusionPaths: [String] = []
    var unit: RecordingOptions.TimeUnit?
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
      case ("mode", .string(let word)):
        mode = RecordingOptions.Mode(rawValue: word)
        guard mode != nil else {
          throw ProbeError("a mode that is not known (\(word.prefix(20)))", Self.remedy)
        }
      case ("time_unit", .string(let word)):
        unit = RecordingOptions.TimeUnit(rawValue: word)
        guard unit != nil else {
          throw ProbeError("a time unit that is not known (\(word.prefix(20)))", Self.remedy)
        }
      case ("profile_interval_ms", .number(let digits)):
        interval = Int(digits) ?? 0
      case ("inclusion_paths", .array(let elements)):
        for element in elements {
          guard let path = element.string else {
            throw ProbeError("an inclusion path is no text", Self.remedy)
          }
          inclusionPaths.append(path)
        }
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
    self.init(
      categories: categories,
      options: try RecordingOptions(
        mode: mode, intervalMilliseconds: interval, inclusionPaths: inclusionPaths,
        timeUnit: unit),
      lifetime: lifetime, configuration: configuration)
  }

  /// Ten years: more is a slip of the pen.
  static let longestLifetime: Int64 = 10 * 366 * 86_400
  private static let remedy = "use datacrumbs_probes of the same release"
}
