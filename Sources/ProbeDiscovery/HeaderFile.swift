/// The function declarations of a C header, read without a compiler: kernel headers do not compile
/// alone, and neither do many of a library's.
struct HeaderFile {
  /// A declaration.
  struct Function {
    let name: String
    let arguments: [ArgumentSignature]
    /// A `static inline` function has no address that a probe could take.
    let isInline: Bool
  }

  /// In the header's order, each name once.
  let functions: [Function]

  init(text: [UInt8]) {
    var functions: [Function] = []
    var names: Set<String> = []
    for declaration in Self.declarations(Self.tokens(text)) {
      if let function = Self.function(declaration), names.insert(function.name).inserted {
        functions.append(function)
      }
    }
    self.functions = functions
  }

  // MARK: - Tokens

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// Words and single characters; comments, texts and preprocessor lines are left out.
  private static func tokens(_ text: [UInt8]) -> [Substring] {
    var tokens: [Substring] = []
    var index = 0
    var isLineStart = true
    func byte(_ at: Int) -> UInt8 { at < text.count ? text[at] : 0 }
    while index < text.count {
      let current = text[index]
      switch current {
      case UInt8(ascii: "\n"):
        isLineStart = true
        index += 1
        continue
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\\"):
        index += 1
        continue
      case UInt8(ascii: "#") where isLineStart:
        while index < text.count, text[index] != UInt8(ascii: "\n") {
          index += text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        continue
      case UInt8(ascii: "/") where byte(index + 1) == UInt8(ascii: "*"):
        index += 2
        while index < text.count,
          !(text[index] == UInt8(ascii: "*") && byte(index + 1) == UInt8(ascii: "/"))
        {
          index += 1
        }
        index += 2
        continue
      case UInt8(ascii: "/") where byte(index + 1) == UInt8(ascii: "/"):
        while index < text.count, text[index] != UInt8(ascii: "\n") { index += 1 }
        continue
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        index += 1
        while index < text.count, text[index] != current, text[index] != UInt8(ascii: "\n") {
          index += text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        index += 1
      default:
        let start = index
        index += 1
        if isWord(current) {
          while index < text.count, isWord(text[index]) { index += 1 }
        }
        tokens.append(Substring(decoding: text[start..<min(index, text.count)], as: UTF8.self))
      }
      isLineStart = false
    }
    return tokens
  }

  // MARK: - Declarations

  private struct Declaration {
    var tokens: [Substring] = []
    var hasBody = false
  }

  /// What stands between semicolons and bodies at the outermost level.
  private static func declarations(_ tokens: [Substring]) -> [Declaration] {
    var declarations: [Declaration] = []
    var current = Declaration()
    var index = 0
    while index < tokens.count {
      let token = tokens[index]
      index += 1
      switch token {
      case ";":
        declarations.append(current)
        current = Declaration()
      case "{":
        // extern "C" { ... } is not a body: what is inside is at the outermost level.
        if current.tokens == ["extern"] {
          current = Declaration()
          continue
        }
        var depth = 1
        while index < tokens.count, depth > 0 {
          if tokens[index] == "{" { depth += 1 }
          if tokens[index] == "}" { depth -= 1 }
          index += 1
        }
        if current.tokens.contains("(") {
          current.hasBody = true
          declarations.append(current)
          current = Declaration()
        }
      case "}": current = Declaration()
      default: current.tokens.append(token)
      }
    }
    return declarations
  }

  private static func closing(_ tokens: [Substring], from open: Int) -> Int? {
    var depth = 0
    for index in open..<tokens.count {
      if tokens[index] == "(" { depth += 1 }
      if tokens[index] == ")" {
        depth -= 1
        if depth == 0 { return index }
      }
    }
    return nil
  }

  private static let annotations: Set<Substring> = [
    "__attribute__", "__attribute", "__asm__", "__asm", "asm", "__nonnull", "__declspec",
    "__attribute_deprecated_msg__", "__wur_if", "__attr_access", "__attr_dealloc",
    "__attribute_alloc_size__", "__attribute_alloc_align__", "__printf", "__scanf", "__releases",
    "__acquires", "__must_hold", "_Static_assert", "static_assert", "__counted_by", "alignas",
  ]

  /// Without what only the compiler reads.
  private static func plain(_ tokens: [Substring]) -> [Substring] {
    var result: [Substring] = []
    var index = 0
    while index < tokens.count {
      if annotations.contains(tokens[index]) {
        if index + 1 < tokens.count, tokens[index + 1] == "(",
          let end = closing(tokens, from: index + 1)
        {
          index = end
        }
      } else {
        result.append(tokens[index])
      }
      index += 1
    }
    return result
  }

  private static func function(_ declaration: Declaration) -> Function? {
    let tokens = plain(declaration.tokens)
    guard tokens.first != "typedef", let open = tokens.firstIndex(of: "("), open >= 2,
      let end = closing(tokens, from: open), !tokens[..<open].contains("="),
      !tokens[..<open].contains("[")
    else { return nil }
    let name = tokens[open - 1]
    guard let first = name.utf8.first, isWord(first),
      !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
      // `int (*pointer)(void)` and macros that stand for a whole declaration.
      tokens[end...].dropFirst().first != "("
    else { return nil }
    let isInline = tokens[..<open].contains {
      $0 == "inline" || $0 == "__inline" || $0 == "__always_inline" || $0 == "__inline__"
    }
    return Function(
      name: String(name), arguments: arguments(Array(tokens[(open + 1)..<end])),
      isInline: isInline || (declaration.hasBody && tokens[..<open].contains("static")))
  }

  private static let qualifiers: Set<Substring> = [
    "__user", "__force", "__iomem", "__percpu", "__rcu", "restrict", "__restrict", "__restrict__",
    "register", "volatile", "__nonnull",
  ]
  private static let typeWords: Set<Substring> = [
    "void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "const",
    "struct", "union", "enum", "bool", "_Bool",
  ]

  private static func arguments(_ tokens: [Substring]) -> [ArgumentSignature] {
    var parts: [[Substring]] = [[]]
    var depth = 0
    for token in tokens {
      if token == "(" || token == "[" { depth += 1 }
      if token == ")" || token == "]" { depth -= 1 }
      if token == ",", depth == 0 {
        parts.append([])
      } else {
        parts[parts.count - 1].append(token)
      }
    }
    if parts.count == 1, parts[0].isEmpty || parts[0] == ["void"] { return [] }
    var result: [ArgumentSignature] = []
    var registers = ArgumentRegisters()
    for part in parts where part != [".", ".", "."] {
      if let index = registers.take(type(part)) { result.append(argument(part, index: index)) }
    }
    return result
  }

  /// How an argument is passed, as far as its declaration tells.
  private static func type(_ tokens: [Substring]) -> ArgumentType {
    let isPointer = tokens.contains { $0 == "*" || $0 == "[" }
    if !isPointer, tokens.contains("struct") || tokens.contains("union") {
      return ArgumentType("", .aggregate, size: 0)
    }
    let isFloat = !isPointer && (tokens.contains("float") || tokens.contains("double"))
    return ArgumentType("", isFloat ? .float : .integer, size: 8)
  }

  private static func argument(_ tokens: [Substring], index: Int) -> ArgumentSignature {
    if let open = tokens.firstIndex(of: "("), open + 1 < tokens.count, tokens[open + 1] == "*" {
      let label = open + 2 < tokens.count && tokens[open + 2] != ")" ? tokens[open + 2] : ""
      return ArgumentSignature(index: index, label: String(label), type: "void (*)()", size: 8)
    }
    var words = tokens.filter { !qualifiers.contains($0) }
    var isArray = false
    if let bracket = words.firstIndex(of: "[") {
      isArray = true
      words.removeSubrange(bracket...)
    }
    var label = ""
    if words.count > 1, let last = words.last, last != "*", !typeWords.contains(last),
      words.dropLast().contains(where: { !["const", "struct", "union", "enum"].contains($0) })
    {
      label = String(last)
      words.removeLast()
    }
    let pointers = words.filter { $0 == "*" }.count + (isArray ? 1 : 0)
    let base = words.filter { $0 != "*" }.joined(separator: " ")
    let type = pointers == 0 ? base : base + " " + String(repeating: "*", count: pointers)
    return ArgumentSignature(index: index, label: label, type: type)
  }
}
