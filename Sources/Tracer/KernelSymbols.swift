import Glibc

/// Which of some functions this kernel has, by /proc/kallsyms.
struct KernelSymbols {
  private var found: Set<String> = []

  init(_ wanted: Set<String>) {
    guard let file = fopen("/proc/kallsyms", "re") else { return }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) > 0 {
      guard let line else { return }
      // "ffffffff81000000 T name\t[module]"
      let bytes = UnsafeBufferPointer(start: line, count: strlen(line))
      guard let space = bytes.firstIndex(of: 0x20), space + 3 < bytes.count else { continue }
      let type = bytes[space + 1] | 0x20
      guard type == 0x74 || type == 0x77 else { continue }  // t, w: code
      let name = bytes[(space + 3)...].prefix { $0 != 0x09 && $0 != 0x0a }
      let text = String(decoding: name.lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if wanted.contains(text) { found.insert(text) }
    }
  }

  func contains(_ name: String) -> Bool { found.contains(name) }
}
