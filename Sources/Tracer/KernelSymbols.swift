import Glibc

/// Which of some functions this kernel has, by /proc/kallsyms.
struct KernelSymbols {
  private var found: Set<String> = []

  init(_ wanted: Set<String>) {
    guard let file = fopen("/proc/kallsyms", "re") else { return }
    defer { fclose(file) }
    // A kernel has 200,000 symbols: a String is made only where the hash says that it is wanted.
    let hashes = Set(wanted.map { Array($0.utf8).withUnsafeBytes { StringHash.of($0) } })
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while true {
      let length = getline(&line, &capacity, file)
      guard length > 0, let line else { return }
      // "ffffffff81000000 T name\t[module]"
      let bytes = UnsafeRawBufferPointer(start: line, count: length)
      guard let space = bytes.firstIndex(of: 0x20), space + 3 < bytes.count else { continue }
      let type = bytes[space + 1] | 0x20
      guard type == 0x74 || type == 0x77 else { continue }  // t, w: code
      let rest = bytes[(space + 3)...]
      let end = rest.firstIndex { $0 == 0x09 || $0 == 0x0a } ?? rest.endIndex
      let name = UnsafeRawBufferPointer(rebasing: rest[..<end])
      guard hashes.contains(StringHash.of(name)) else { continue }
      let text = String(decoding: name, as: UTF8.self)
      if wanted.contains(text) { found.insert(text) }
    }
  }

  func contains(_ name: String) -> Bool { found.contains(name) }
}
