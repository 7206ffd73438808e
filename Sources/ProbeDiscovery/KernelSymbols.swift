import Glibc

/// The functions of the running kernel, as /proc/kallsyms lists them for everybody (without their
/// addresses).
struct KernelSymbols {
  /// Functions, by name, with the module of those that a module brings.
  let functions: [String: String]
  /// System calls that this kernel has, by the names that programs have for them, with the name of
  /// the kernel's entry (both without a prefix). Those that it was built without are weak symbols.
  let syscalls: [String: String]

  static let path = "/proc/kallsyms"

  init?(path: String = KernelSymbols.path) {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var functions: [String: String] = [:]
    var syscalls: [String: String] = [:]
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while true {
      let count = getline(&line, &capacity, file)
      guard count > 0, let line else { break }
      let text = UnsafeRawBufferPointer(start: line, count: count)
      guard let symbol = Self.symbol(text) else { continue }
      if symbol.letter == UInt8(ascii: "T"), let entry = Self.syscall(symbol.name) {
        let call = Self.call(ofEntry: entry)
        if syscalls[call] == nil || call != entry { syscalls[call] = entry }
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

  /// The name of the call whose entry in the kernel has another: those that were there before in an
  /// older form (arch/x86/entry/syscalls/syscall_64.tbl).
  static func call(ofEntry entry: String) -> String {
    let calls = [
      "newstat": "stat", "newlstat": "lstat", "newfstat": "fstat", "newuname": "uname",
      "umount": "umount2", "sendfile64": "sendfile",
    ]
    return calls[entry] ?? entry
  }

  /// x86-64's `__x64_sys_openat` and arm64's `__arm64_sys_openat`.
  private static func syscall(_ name: String) -> String? {
    for prefix in ["__x64_sys_", "__arm64_sys_"] where name.hasPrefix(prefix) {
      return String(name.dropFirst(prefix.utf8.count))
    }
    return nil
  }
}
