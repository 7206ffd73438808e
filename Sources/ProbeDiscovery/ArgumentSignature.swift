import TraceRequest

/// One argument of a function, as `function_arguments` has it.
struct ArgumentSignature: Sendable {
  /// Which of the integer registers it is in, from 0; of a system call or a tracepoint its number.
  let index: Int
  /// Its name; `arg1` and so on where nobody knows it.
  let label: String
  /// Its type in C.
  let type: String
  /// How many bytes a trace captures of it.
  let byteCount: Int

  var isPointer: Bool { type.utf8.contains(UInt8(ascii: "*")) }

  /// A signature whose size follows from its type.
  ///
  /// - Parameter size: of a value, in bytes, where it is known.
  init(index: Int, label: String, type: String, size: Int? = nil) {
    self.index = index
    self.label = Self.isWord(label) ? label : "arg\(index + 1)"
    self.type = type.isEmpty || type.utf8.count > 256 ? "unsigned long" : type
    let isText = type.hasSuffix("char *") && !type.contains("unsigned")
    if isText {
      byteCount = Self.textLimit
    } else if type.utf8.contains(UInt8(ascii: "*")) {
      byteCount = 8
    } else {
      byteCount = min(max(size ?? Self.size(of: type), 1), 8)
    }
  }

  /// What C has for a name.
  private static func isWord(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
      }
  }

  /// What is captured of a text, which ends sooner in most cases.
  static let textLimit = 256

  /// Of a type of x86-64 and arm64 (LP64).
  private static func size(of type: String) -> Int {
    let words = type.split(separator: " ")
    func has(_ word: Substring) -> Bool { words.contains(word) }
    if has("char") || has("bool") || has("_Bool") || has("u8") || has("s8") { return 1 }
    if has("short") || has("u16") || has("s16") || has("umode_t") { return 2 }
    if has("long") || has("double") || has("size_t") || has("ssize_t") { return 8 }
    if has("int") || has("unsigned") || has("float") || has("u32") || has("s32") || has("pid_t")
      || has("uid_t") || has("gid_t") || has("mode_t") || has("enum") || has("key_serial_t")
    {
      return 4
    }
    return 8
  }

  var json: JSON {
    .object([
      JSON.Member("index", .number(String(index))),
      JSON.Member("label", .string(label)),
      JSON.Member("c_type", .string(type)),
      JSON.Member("is_pointer", .bool(isPointer)),
      JSON.Member("num_bytes", .number(String(byteCount))),
    ])
  }
}
