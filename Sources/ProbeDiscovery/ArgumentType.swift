/// The type of an argument, and how it is passed.
struct ArgumentType {
  /// What the calling convention makes of it (System V ABI for x86-64, AAPCS64 for arm64).
  enum Place {
    /// An integer or a pointer: in an integer register, as long as there are some.
    case integer
    /// A floating-point number: in none of those.
    case float
    /// A structure, a union or a number of more than 64 bits, by value.
    case aggregate
  }

  /// In C.
  let text: String
  let place: Place
  /// In bytes; 0 or less where nobody says.
  let size: Int

  init(_ text: String, _ place: Place, size: Int) {
    self.text = text
    self.place = place
    self.size = size
  }

  /// A pointer to it.
  var pointer: ArgumentType {
    if text == "void ()" { return ArgumentType("void (*)()", .integer, size: 8) }
    return ArgumentType(text.hasSuffix("*") ? text + "*" : text + " *", .integer, size: 8)
  }

  /// It where it may not be changed. Of a pointer that says nothing.
  var constant: ArgumentType {
    if text.hasSuffix("*") || text.hasPrefix("const ") { return self }
    return ArgumentType("const " + text, place, size: size)
  }

  /// It under the name that a typedef gives it. Where a name would hide what a reader of values
  /// must know, that it is a pointer or has no sign, it keeps its own.
  func named(_ name: String) -> ArgumentType {
    func says(_ name: String, _ text: String) -> Bool {
      name.hasPrefix(text) || name.hasPrefix("__" + text)
    }
    if text.hasSuffix("*") || text.hasSuffix(")") { return self }
    let isUnsigned =
      place == .integer && text.split(separator: " ").contains { says(String($0), "u") }
    if isUnsigned, !says(name, "u"), !says(name, "size_t") { return self }
    return name.isEmpty ? self : ArgumentType(name, place, size: size)
  }
}

/// Deals a function's arguments out to the integer registers, which are those that a probe reads.
struct ArgumentRegisters {
  private var next = 0
  /// Behind an argument that takes nobody knows how many of them.
  private var isLost = false
  /// On x86-64, and the first six of eight on arm64.
  static let count = 6

  /// A large structure that is returned is written where a hidden first argument points to, on
  /// x86-64. What C++ does depends on the class.
  mutating func start(returning result: ArgumentType, isCPlusPlus: Bool) {
    guard result.place == .aggregate else { return }
    if isCPlusPlus { isLost = true }
    #if arch(x86_64)
      if result.size > 16 { next = 1 }
    #endif
  }

  /// The register of the next argument; nil where it is in none, or in one that nobody knows.
  mutating func take(_ type: ArgumentType, isCPlusPlus: Bool = false) -> Int? {
    switch type.place {
    case .float: return nil
    case .aggregate:
      // On x86-64 a large one is on the stack; a small one is in registers of either kind, and
      // C++ passes some classes by a pointer.
      #if arch(x86_64)
        if type.size > 16, !isCPlusPlus { return nil }
      #endif
      isLost = true
      return nil
    case .integer:
      guard !isLost, next < Self.count else { return nil }
      next += 1
      return next - 1
    }
  }
}
