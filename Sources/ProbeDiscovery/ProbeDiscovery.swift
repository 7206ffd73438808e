import CTracerBPF
import Glibc
import ProbeDocument
import Signing
import TraceRequest

/// Finds the functions that a configuration asks for, on this machine.
public final class ProbeDiscovery {
  /// What an entry of a configuration came to.
  public struct Outcome: Sendable {
    /// The entry's category; nil where nothing was found.
    public let category: ProbeCategory?
    /// The entry's name.
    public let name: String
    /// The entry's kind.
    public let kind: ProbeKind
    /// Whether the entry names its functions itself, so that none may be left out.
    public let isExplicit: Bool
    /// How many names were left out, by the reason.
    public let skipped: [String: Int]
    /// What the user should know besides: a stripped binary, say.
    public let remark: String?
  }

  private var elfFiles: [String: ElfFile] = [:]
  private lazy var symbols = KernelSymbols()
  private lazy var types = TypeInformation.ofKernel()
  private lazy var syscallArguments = Self.readSyscallArguments()

  private let progress: (Double) -> Void

  /// Discovery on this machine. What it reads it keeps, for the next entry.
  ///
  /// - Parameter progress: is told again and again how far the entry that is worked on has come,
  ///   from 0 to 1.
  public init(progress: @escaping (Double) -> Void = { _ in }) {
    self.progress = progress
  }

  /// What of an entry can be probed.
  private struct Found {
    var functions: [String] = []
    var arguments: [String: [ArgumentSignature]] = [:]
    var skipped: [String: Int] = [:]
    var names: Set<String> = []
    var remark: String?
    var provider: String?

    mutating func add(_ name: String, _ arguments: [ArgumentSignature]? = nil) {
      guard names.insert(name).inserted else { return }
      functions.append(name)
      if let arguments, !arguments.isEmpty { self.arguments[name] = arguments }
    }

    mutating func skip(_ reason: String) {
      skipped[reason, default: 0] += 1
    }
  }

  /// Finds an entry's functions.
  public func outcome(of entry: ProbeConfiguration.Entry) throws(ProbeError) -> Outcome {
    let pattern = try NamePattern(entry.regex, of: entry.name)
    let binary = try entry.binaryPath.map { path throws(ProbeError) in
      try realPath(path, of: entry.name)
    }
    var found = Found()
    found.provider = entry.provider
    progress(0)
    var isExplicit = false
    switch entry.source {
    case .list(let functions):
      isExplicit = true
      for function in functions where !Self.isSafe(function) {
        throw ProbeError("\(entry.name): \(function) is no function's name", "correct it")
      }
      let known = try debugArguments(of: functions, entry, binary)
      if entry.kind == .uprobe, let binary {
        let file = try elfFile(binary)
        for function in functions {
          if let refusal = file.refusal(of: function) {
            throw ProbeError(
              "\(entry.name): \(function) of \(binary) may not be probed (\(refusal))",
              "take it out of the configuration")
          }
        }
        found.remark = Self.remark(on: functions, in: file)
      }
      for (index, function) in functions.enumerated() {
        if index % 512 == 0 { progress(Double(index) / Double(functions.count)) }
        if let arguments = known[function] {
          found.add(function, arguments)
        } else {
          found.add(function, try explicitArguments(function, entry, binary))
        }
      }
    case .header(let path):
      try find(header: try realPath(path, of: entry.name), entry, pattern, binary, &found)
    case .binary(let path, let includeOffsets):
      try find(
        binary: try realPath(path, of: entry.name), entry, pattern,
        includeOffsets: includeOffsets, &found)
    case .kernelSymbols:
      try findKernelSymbols(entry, pattern, &found)
    case .tracepoints(let path, let provider):
      try find(
        tracepoints: try realPath(path, of: entry.name), provider, entry, pattern, &found)
    }
    return Outcome(
      category: found.functions.isEmpty ? nil : category(entry, binary, found), name: entry.name,
      kind: entry.kind, isExplicit: isExplicit, skipped: found.skipped, remark: found.remark)
  }

  /// What the user should know of functions that a list names and the binary does not have. Another
  /// machine's may, so they stay.
  private static func remark(on functions: [String], in file: ElfFile) -> String? {
    // `name:0x1234` is the name at an offset of the file.
    let missing = functions.filter { file.functions[String($0.prefix { $0 != ":" })] == nil }
    guard let first = missing.first else { return nil }
    let others = missing.count == 1 ? "" : " and \(missing.count - 1) more"
    return file.indirect.contains(first)
      ? "\(first)\(others) chosen at load time (IFUNC)"
      : "\(first)\(others) not in the binary here"
  }

  private func category(
    _ entry: ProbeConfiguration.Entry, _ binary: String?, _ found: Found
  ) -> ProbeCategory {
    let members = found.functions.compactMap { name in
      found.arguments[name].map { arguments in
        JSON.Member(name, .array(arguments.map(\.json)))
      }
    }
    return ProbeCategory(
      kind: entry.kind, name: entry.name, functions: found.functions,
      functionArguments: members.isEmpty ? .null : .object(members), binaryPath: binary,
      provider: found.provider)
  }

  /// What C allows in a name, and what compilers make of it.
  private static func isSafe(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { byte in
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
      }
  }

  // MARK: - Sources of names

  private func explicitArguments(
    _ function: String, _ entry: ProbeConfiguration.Entry, _ binary: String?
  ) throws(ProbeError) -> [ArgumentSignature]? {
    switch entry.kind {
    case .syscalls:
      guard let arguments = syscallArguments[function] else {
        throw ProbeError(
          "\(entry.name): \(function) is no system call", "write it as syscalls(2) does: openat")
      }
      return arguments
    case .kprobe: return types?.arguments(of: function)
    case .uprobe: return nil
    case .usdt:
      guard let binary else { return nil }
      return try elfFile(binary).tracepoints
        .first { $0.name == function && (entry.provider ?? $0.provider) == $0.provider }?.arguments
    }
  }

  /// What debug information says of a binary's functions.
  private func debugArguments(
    of functions: [String], _ entry: ProbeConfiguration.Entry, _ binary: String?
  ) throws(ProbeError) -> [String: [ArgumentSignature]] {
    guard entry.kind == .uprobe, let binary else { return [:] }
    let file = try elfFile(binary)
    return arguments(
      of: Dictionary(
        functions.compactMap { name in file.functions[name]?.first.map { (name, $0) } },
        uniquingKeysWith: { first, _ in first }), in: binary)
  }

  /// The arguments of a binary's functions, by name: from its own DWARF or that of its debug file,
  /// else from its BTF. Where the compiler made a variant of its own (`.isra`, `.constprop`), the
  /// arguments are its own too, and not known.
  private func arguments(
    of functions: [String: ElfFile.Function], in path: String
  ) -> [String: [ArgumentSignature]] {
    let wanted = functions.filter { !$0.key.contains(".") }
    guard !wanted.isEmpty else { return [:] }
    if let information = DebugInformation(path: path) {
      let byAddress = information.arguments(
        at: Set(wanted.values.map(\.address)), progress: progress)
      return wanted.compactMapValues { byAddress[$0.address] }
    }
    guard elfFiles[path]?.hasTypes == true, let types = TypeInformation.ofBinary(path) else {
      return [:]
    }
    var known: [String: [ArgumentSignature]] = [:]
    for name in wanted.keys { known[name] = types.arguments(of: name) }
    return known
  }

  private func find(
    header path: String, _ entry: ProbeConfiguration.Entry, _ pattern: NamePattern,
    _ binary: String?, _ found: inout Found
  ) throws(ProbeError) {
    let text: [UInt8]
    do throws(FileError) {
      text = try File.read(path, limit: 64 << 20)
    } catch {
      throw ProbeError("\(entry.name): cannot read \(path)", error.reason, exitStatus: .noInput)
    }
    let file = try binary.map { path throws(ProbeError) in try elfFile(path) }
    let declared = HeaderFile(text: text).functions
    for (index, function) in declared.enumerated() where pattern.matches(function.name) {
      if index % 256 == 0 { progress(Double(index) / Double(declared.count)) }
      if function.isInline {
        found.skip("inline in the header")
        continue
      }
      switch entry.kind {
      case .syscalls:
        guard function.name.hasPrefix("sys_") else {
          found.skip("not a system call")
          continue
        }
        let name = KernelSymbols.call(ofEntry: String(function.name.dropFirst(4)))
        guard try kernelSymbols(entry).syscalls[name] != nil else {
          found.skip("not in this kernel")
          continue
        }
        guard syscallArguments[name] != nil else {
          found.skip("not a call of 64-bit programs")
          continue
        }
        found.add(name, function.arguments.isEmpty ? syscallArguments[name] : function.arguments)
      case .kprobe:
        try addKernelFunction(function.name, entry, function.arguments, &found)
      case .uprobe:
        guard let file else { continue }
        add(function.name, of: file, includeOffsets: false, function.arguments, &found)
      case .usdt: throw ProbeError("\(entry.name): a header declares no usdt", "use type: usdt")
      }
    }
  }

  private func find(
    binary path: String, _ entry: ProbeConfiguration.Entry, _ pattern: NamePattern,
    includeOffsets: Bool, _ found: inout Found
  ) throws(ProbeError) {
    guard entry.kind == .uprobe else {
      throw ProbeError("\(entry.name): type binary is for uprobe", "correct probe or type")
    }
    let file = try elfFile(path)
    guard !file.functions.isEmpty else {
      throw ProbeError(
        "\(entry.name): \(path) is stripped of all symbols", "use a build that has them")
    }
    if file.isStripped { found.remark = "stripped: exported functions only" }
    for name in file.indirect where file.functions[name] == nil && pattern.matches(name) {
      found.skip("chosen at load time (IFUNC)")
    }
    let names = file.functions.keys.sorted().filter { pattern.matches($0) }
    // What has one place is known by its name.
    let known = arguments(
      of: Dictionary(
        names.compactMap { name in
          file.functions[name].flatMap { $0.count == 1 ? (name, $0[0]) : nil }
        }.filter { file.refusal(of: $0.0) == nil },
        uniquingKeysWith: { first, _ in first }), in: path)
    for name in names {
      add(name, of: file, includeOffsets: includeOffsets, known[name], &found)
    }
  }

  private func add(
    _ name: String, of file: ElfFile, includeOffsets: Bool, _ arguments: [ArgumentSignature]?,
    _ found: inout Found
  ) {
    guard let places = file.functions[name] else {
      found.skip(
        file.indirect.contains(name) ? "chosen at load time (IFUNC)" : "not in the binary")
      return
    }
    guard Self.isSafe(name) else {
      found.skip("a name with unusual characters")
      return
    }
    if let refusal = file.refusal(of: name) {
      found.skip(refusal)
      return
    }
    if includeOffsets {
      for place in places {
        found.add(name + ":0x" + String(place.offset, radix: 16), arguments)
      }
    } else if places.count > 1 {
      found.skip("several functions of one name (include_offsets tells them apart)")
    } else {
      found.add(name, arguments)
    }
  }

  private func findKernelSymbols(
    _ entry: ProbeConfiguration.Entry, _ pattern: NamePattern, _ found: inout Found
  ) throws(ProbeError) {
    let symbols = try kernelSymbols(entry)
    switch entry.kind {
    case .syscalls:
      for (name, own) in symbols.syscalls.sorted(by: { $0.key < $1.key })
      where pattern.matches("sys_" + name) || pattern.matches(name) || pattern.matches("sys_" + own)
      {
        // Entries for 32-bit programs and of other architectures are in there too.
        guard let arguments = syscallArguments[name] else {
          found.skip("not a call of 64-bit programs")
          continue
        }
        found.add(name, arguments)
      }
    case .kprobe:
      let names = symbols.functions.keys.filter { pattern.matches($0) }.sorted()
      let modules = Set(names.compactMap { symbols.functions[$0] }).subtracting([""])
      for module in modules {
        types?.load(module: String(module.dropFirst().dropLast()))  // [xfs]
      }
      for (index, name) in names.enumerated() {
        if index % 512 == 0 { progress(Double(index) / Double(names.count)) }
        try addKernelFunction(name, entry, nil, &found)
      }
    case .uprobe, .usdt:
      throw ProbeError("\(entry.name): type ksym is for kprobe", "correct probe or type")
    }
  }

  /// A kernel function that the tracer's kernel side can take: one that BTF describes. What the
  /// compiler inlined, split or cloned, and what must not be instrumented, is not there.
  private func addKernelFunction(
    _ name: String, _ entry: ProbeConfiguration.Entry, _ arguments: [ArgumentSignature]?,
    _ found: inout Found
  ) throws(ProbeError) {
    guard try kernelSymbols(entry).functions[name] != nil else {
      found.skip("not in this kernel, or inlined")
      return
    }
    guard let types else {
      found.add(name, arguments)
      return
    }
    guard types.has(name) else {
      found.skip("not traceable: split, cloned or excluded by the kernel")
      return
    }
    found.add(name, types.arguments(of: name) ?? arguments)
  }

  private func find(
    tracepoints path: String, _ provider: String?, _ entry: ProbeConfiguration.Entry,
    _ pattern: NamePattern, _ found: inout Found
  ) throws(ProbeError) {
    let file = try elfFile(path)
    let providers = Set(file.tracepoints.map(\.provider))
    guard let provider = provider ?? (providers.count == 1 ? providers.first : nil) else {
      throw ProbeError(
        providers.isEmpty
          ? "\(entry.name): \(path) has no static tracepoints"
          : "\(entry.name): \(path) has tracepoints of several providers "
            + "(\(providers.sorted().joined(separator: ", ")))",
        providers.isEmpty ? "correct the file" : "write one of them as provider")
    }
    guard providers.contains(provider) else {
      throw ProbeError(
        "\(entry.name): \(path) has no tracepoints of \(provider)",
        providers.isEmpty
          ? "it has none at all" : "it has: " + providers.sorted().joined(separator: ", "))
    }
    found.provider = provider
    for point in file.tracepoints.sorted(by: { $0.name < $1.name })
    where point.provider == provider && pattern.matches(point.name) {
      found.add(point.name, point.arguments)
    }
  }

  // MARK: - What is read once

  private func elfFile(_ path: String) throws(ProbeError) -> ElfFile {
    if let file = elfFiles[path] { return file }
    let file = try ElfFile(path: path)
    elfFiles[path] = file
    return file
  }

  private func kernelSymbols(
    _ entry: ProbeConfiguration.Entry
  ) throws(ProbeError) -> KernelSymbols {
    guard let symbols else {
      throw ProbeError(
        "\(entry.name): cannot read \(KernelSymbols.path)", "build where it can be read",
        exitStatus: .noInput)
    }
    return symbols
  }

  private static func readSyscallArguments() -> [String: [ArgumentSignature]] {
    let types: [UInt8: String] = [
      UInt8(ascii: "s"): "const char *", UInt8(ascii: "f"): "int", UInt8(ascii: "z"): "size_t",
      UInt8(ascii: "p"): "void *", UInt8(ascii: "x"): "unsigned int",
      UInt8(ascii: "u"): "unsigned long", UInt8(ascii: "d"): "int",
    ]
    var calls: [String: [ArgumentSignature]] = [:]
    for index in 0..<UInt32(datacrumbs_syscall_count) {
      guard let call = datacrumbs_syscall_at(index) else { break }
      let arguments = String(cString: call.pointee.arguments).split(separator: " ")
      calls[String(cString: call.pointee.name)] = arguments.enumerated().map { index, text in
        let parts = text.split(separator: ":")
        return ArgumentSignature(
          index: index, label: String(parts.first ?? ""),
          type: parts.last?.utf8.first.flatMap { types[$0] } ?? "")
      }
    }
    return calls
  }

  /// The path without links: what is signed must be the file that was looked at.
  private func realPath(_ path: String, of name: String) throws(ProbeError) -> String {
    guard let resolved = realpath(path, nil) else {
      throw ProbeError(
        "\(name): there is no \(path) (\(errorText(errno)))",
        "correct the file", exitStatus: .noInput)
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
