import TraceRequest

/// What a category's functions are. The raw values are the document's `type`.
public enum ProbeKind: Int, Sendable, CaseIterable {
  /// System calls, by their names without a prefix: `openat`.
  case syscalls = 0
  /// Kernel functions.
  case kprobe = 1
  /// Functions of a program or library, by symbol.
  case uprobe = 2
  /// Static tracepoints (SDT notes) of a program or library.
  case usdt = 3
}

/// A named group of functions to trace.
public struct ProbeCategory: Sendable {
  /// What the functions are.
  public let kind: ProbeKind
  /// The `cat` of the group's events in the trace.
  public let name: String
  /// In the document's order.
  public let functions: [String]
  /// What to capture of a function's arguments; `null` where the document says nothing.
  public let functionArguments: JSON
  /// The program or library, for uprobes and USDT.
  public let binaryPath: String?
  /// The provider of USDT tracepoints.
  public let provider: String?

  /// Makes a category; what it holds is checked when it is read back.
  public init(
    kind: ProbeKind, name: String, functions: [String], functionArguments: JSON = .null,
    binaryPath: String? = nil, provider: String? = nil
  ) {
    self.kind = kind
    self.name = name
    self.functions = functions
    self.functionArguments = functionArguments
    self.binaryPath = binaryPath
    self.provider = provider
  }

  /// The category as a document writes it.
  public var json: JSON {
    var members = [
      JSON.Member("type", .number(String(kind.rawValue))),
      JSON.Member("name", .string(name)),
      JSON.Member("functions", .array(functions.map { .string($0) })),
    ]
    if case .object = functionArguments {
      members.append(JSON.Member("function_arguments", functionArguments))
    }
    if let binaryPath { members.append(JSON.Member("binary_path", .string(binaryPath))) }
    if let provider { members.append(JSON.Member("provider", .string(provider))) }
    return .object(members)
  }
}

/// Who may trace what, and until when. Reading one checks its form; only `ProbeVerification`
/// checks that it is to be trusted.
public struct ProbeDocument: Sendable {
  /// How many functions a document may name, over all of its categories.
  public static let functionLimit = 100_000
  /// How many JSON values a document may hold. A function with three arguments, more than functions
  /// have on average, takes 20: its name, the list, and six for each argument.
  static let valueLimit = 20 * functionLimit + 100_000

  /// The members of `summary`, by name.
  public let summary: [String: String]
  /// What to trace.
  public let categories: [ProbeCategory]

  /// Makes a document.
  public init(summary: [String: String], categories: [ProbeCategory]) {
    self.summary = summary
    self.categories = categories
  }

  /// Reads canonical bytes that were verified and sealed before.
  public init(canonical: [UInt8]) throws(ProbeError) {
    try self.init(json: try Self.read(canonical))
  }

  static func read(_ text: [UInt8]) throws(ProbeError) -> JSON {
    do {
      return try JSON(reading: text, maximumDepth: 8, maximumValues: valueLimit)
    } catch {
      throw .malformed("the probe document is not JSON (\(error.reason) at byte \(error.offset))")
    }
  }

  /// The document as JSON, without what signs it.
  public var json: JSON {
    let sorted = summary.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    return .object([
      JSON.Member("summary", .object(sorted.map { JSON.Member($0.key, .string($0.value)) })),
      JSON.Member("categories", .array(categories.map(\.json))),
    ])
  }

  /// Whether programs read that member of the summary. All others are for people: they are printed
  /// by `show`, which escapes them.
  private static func isRead(_ member: String) -> Bool {
    (["user", "uid", "cluster", "created", "expires"] + RecordingOptions.members)
      .contains { $0.hasSameBytes(as: member) }
  }

  /// Reads the document's own members; others are left to the caller.
  init(json: JSON) throws(ProbeError) {
    guard case .object(let summary)? = json["summary"] else {
      throw .malformed("the probe document has no summary")
    }
    var strings: [String: String] = [:]
    for member in summary {
      guard let text = member.value.string else {
        throw .malformed("the probe document's summary.\(member.name.prefix(64)) is not a string")
      }
      guard !Self.isRead(member.name) || text.isPlain(0...16384) else {
        throw .malformed(
          "the probe document's summary.\(member.name) is too long, or has control characters")
      }
      // Of two names that Swift takes for one, a program could see either.
      guard strings.updateValue(text, forKey: member.name) == nil else {
        throw .malformed(
          "the probe document's summary.\(member.name.prefix(64)) stands there twice")
      }
    }
    guard case .array(let elements)? = json["categories"], !elements.isEmpty else {
      throw .malformed("the probe document has no categories")
    }
    var categories: [ProbeCategory] = []
    var count = 0
    for element in elements {
      let category = try ProbeCategory(json: element)
      count += category.functions.count
      guard count <= Self.functionLimit else {
        throw .malformed("the probe document names more than \(Self.functionLimit) functions")
      }
      categories.append(category)
    }
    self.init(summary: strings, categories: categories)
  }
}

extension ProbeCategory {
  /// Reads one element of `categories`.
  public init(json: JSON) throws(ProbeError) {
    guard case .object(let members) = json else {
      throw .malformed("a category of the probe document is not an object")
    }
    let known = [
      "type", "name", "functions", "function_arguments", "binary_path", "provider",
      "include_offsets",
    ]
    if let unknown = members.first(where: { member in
      !known.contains { $0.hasSameBytes(as: member.name) }
    }) {
      throw .malformed("a category has a member that is not known (\(unknown.name))")
    }
    guard let name = json["name"]?.string, name.isPlain(Self.nameLengths) else {
      throw .malformed("a category has no name, or one that is too long or has control characters")
    }
    guard case .number(let type)? = json["type"] else {
      throw .malformed("category \(name) has no type")
    }
    if type == "4" {
      throw ProbeError(
        "category \(name) has type 4, custom BPF, which is never traced",
        "leave the category out: it is somebody's machine code for the kernel")
    }
    guard let kind = Int(type).flatMap(ProbeKind.init(rawValue:)), String(kind.rawValue) == type
    else { throw .malformed("category \(name) has a type that is not known (\(type.prefix(20)))") }
    guard case .array(let elements)? = json["functions"], !elements.isEmpty else {
      throw .malformed("category \(name) has no functions")
    }
    var functions: [String] = []
    functions.reserveCapacity(elements.count)
    for element in elements {
      guard let function = element.string, Self.isFunction(function) else {
        throw .malformed(
          "category \(name) has a function that is no name of 1 to 1024 ASCII characters")
      }
      functions.append(function)
    }
    try self.init(
      kind: kind, name: name, functions: functions,
      functionArguments: Self.arguments(json["function_arguments"], of: name),
      binaryPath: Self.path(json["binary_path"], of: name, kind: kind),
      provider: Self.provider(json["provider"], of: name))
  }

  private static let nameLengths = 1...256

  /// 1 to 1,024 bytes of ASCII without control characters and spaces. What symbols are compared with
  /// is bytes; names that only look alike must not pass a deny list.
  private static func isFunction(_ text: String) -> Bool {
    (1...1024).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  /// What C has for a name, of at most 64 bytes. It becomes a key of events.
  private static func isLabel(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
      }
  }

  private static func arguments(_ json: JSON?, of category: String) throws(ProbeError) -> JSON {
    switch json {
    case nil: return .null
    case .object(let members)?:
      for member in members {
        guard isFunction(member.name) else {
          throw .malformed(
            "category \(category): function_arguments has a function that is no name of 1 to 1024 "
              + "ASCII characters")
        }
        guard case .array(let elements) = member.value else {
          throw .malformed(
            "category \(category): function_arguments of \(member.name) is not an array")
        }
        for element in elements { try checkArgument(element, of: member.name, category) }
      }
      return .object(members)
    default: throw .malformed("category \(category): function_arguments is not an object")
    }
  }

  private static func checkArgument(
    _ json: JSON, of function: String, _ category: String
  ) throws(ProbeError) {
    if let label = json["label"] {
      guard let text = label.string, isLabel(text) else {
        throw .malformed(
          "category \(category): a label of \(function)'s arguments is no name of 1 to 64 letters, "
            + "digits and underscores")
      }
    }
    if let type = json["c_type"] {
      guard let text = type.string, text.isPlain(0...256) else {
        throw .malformed(
          "category \(category): a c_type of \(function)'s arguments is no text, or one that is "
            + "too long or has control characters")
      }
    }
  }

  private static func path(
    _ json: JSON?, of category: String, kind: ProbeKind
  ) throws(ProbeError) -> String? {
    guard let json else {
      guard kind == .uprobe || kind == .usdt else { return nil }
      throw .malformed("category \(category) has no binary_path")
    }
    guard let path = json.string, path.utf8.first == UInt8(ascii: "/"), path.isPlain(1...4095)
    else {
      throw .malformed(
        "category \(category): binary_path is no absolute path, or has control characters")
    }
    return path
  }

  private static func provider(
    _ json: JSON?, of category: String
  ) throws(ProbeError) -> String? {
    guard let json else { return nil }
    guard let provider = json.string, provider.isPlain(nameLengths) else {
      throw .malformed("category \(category): provider is no name")
    }
    return provider
  }
}

extension String {
  /// Whether it has so many bytes and no control character, of ASCII or of Unicode: it can be
  /// printed, and stand in a message of one line.
  func isPlain(_ lengths: ClosedRange<Int>) -> Bool {
    lengths.contains(utf8.count)
      && !unicodeScalars.contains {
        $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0.value == 0x2028
          || $0.value == 0x2029
      }
  }
}
