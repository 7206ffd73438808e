import Glibc

/// The functions of the running kernel, as /proc/kallsyms lists them for everybody (without their
/// addresses).
struct KernelSymbols {
  /// Functions, by name, with the module of those that a module brings.
  let functions: [String: String]
  /// System calls that this kernel has, without a prefix. Those that it was built without are weak
  /// symbols.
  let syscalls: Set<String>

  static let path = "/proc/kallsyms"

  init?(path: String = KernelSymbols.path) {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var functions: [String: String] = [:]
    var syscalls: Set<String> = []
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while true {
      let count = getline(&line, &capacity, file)
      guard count > 0, let line else { break }
      let text = UnsafeRawBufferPointer(start: line, count: count)
      guard let symbol = Self.symbol(text) else { continue }
      if let call = Self.syscall(symbol.name) {
        if symbol.letter == UInt8(ascii: "T") { syscalls.insert(call) }
      }
      functions[symbol.name] = symbol.module
    }
    guard !functions.isEmpty else { return nil }
    self.functions = functions
    self.syscalls = syscalls
  }

  /// `ffffffff81000000 T name\t[module]`
  private static func symbol(
    _ line: UnsafeRawBufferPointer
  ) -> (letter: UInt8, name: String, module: String)? {
    let fields = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == 10 }
    guard fields.count >= 3, fields[1].count == 1, let letter = fields[1].first,
      letter == UInt8(ascii: "T") || letter == UInt8(ascii: "t") || letter == UInt8(ascii: "W")
    else { return nil }
    let module = fields.count > 3 ? String(decoding: fields[3], as: UTF8.self) : ""
    return (letter, String(decoding: fields[2], as: UTF8.self), module)
  }

  /// x86-64's `__x64_sys_openat` and arm64's `__arm64_sys_openat`.
  private static func syscall(_ name: String) -> String? {
    for prefix in ["__x64_sys_", "__arm64_sys_"] where name.hasPrefix(prefix) {
      return String(name.dropFirst(prefix.utf8.count))
    }
    return nil
  }
}
