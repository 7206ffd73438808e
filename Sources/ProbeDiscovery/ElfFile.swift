import CLibELF
import Glibc
import ProbeDocument
import TraceRequest

/// The functions and static tracepoints of a program or library.
struct ElfFile {
  /// A function that a uprobe can take.
  struct Function {
    let name: String
    /// Where it begins, in the file.
    let offset: UInt64
    /// Where it begins, in memory but for where the file is loaded.
    let address: UInt64
  }

  /// A static tracepoint (a note of SystemTap's form in .note.stapsdt).
  struct Tracepoint {
    let provider: String
    let name: String
    let arguments: [ArgumentSignature]
  }

  /// By name; of a name that several local functions have, all of them.
  private(set) var functions: [String: [Function]] = [:]
  /// Functions that the dynamic loader chooses an implementation of (IFUNC): what their symbol
  /// names is the code that chooses.
  private(set) var indirect: Set<String> = []
  /// Each once, whatever the number of its places.
  private(set) var tracepoints: [Tracepoint] = []
  /// Whether the table of all symbols was removed, so that exported ones are left.
  private(set) var isStripped = true
  /// What is against probes in it, and where it begins; nil where it is not of the kind that the
  /// tracer reads.
  let headers: ELFHeaders?
  /// Whether it has a section of BTF.
  private(set) var hasTypes = false

  private var segments: [GElf_Phdr] = []
  /// The versions of the exported symbols (.gnu.version), one a symbol.
  private var versions: UnsafeMutablePointer<Elf_Data>?
  /// Names whose default version was read: what a program gets that links to them now.
  private var defaults: Set<String> = []

  /// Reads a file.
  init(path: String) throws(ProbeError) {
    let descriptor: Int32
    do throws(RegularFile.Failure) {
      descriptor = try RegularFile.open(path)
    } catch .notRegular {
      throw ProbeError("\(path) is not a regular file", "correct the file", exitStatus: .noInput)
    } catch {
      throw ProbeError(
        "cannot read \(path) (\(error.text))", "correct the file", exitStatus: .noInput)
    }
    defer { close(descriptor) }
    headers = try? ELFHeaders(descriptor: descriptor)
    elf_version(UInt32(EV_CURRENT))
    guard let elf = elf_begin(descriptor, ELF_C_READ_MMAP, nil), elf_kind(elf) == ELF_K_ELF else {
      throw ProbeError("\(path) is no program or library (ELF)", "correct the file")
    }
    defer { elf_end(elf) }
    var count = 0
    if elf_getphdrnum(elf, &count) == 0 {
      for index in 0..<count {
        var header = GElf_Phdr()
        if gelf_getphdr(elf, Int32(index), &header) != nil, header.p_type == 1 {
          segments.append(header)
        }
      }
    }
    var sections: [(OpaquePointer, GElf_Shdr)] = []
    var section = elf_nextscn(elf, nil)
    while let current = section {
      var header = GElf_Shdr()
      if gelf_getshdr(current, &header) != nil { sections.append((current, header)) }
      section = elf_nextscn(elf, current)
    }
    // SHT_GNU_versym
    versions = sections.first { $1.sh_type == 0x6fff_ffff }.flatMap { elf_getdata($0.0, nil) }
    for (section, header) in sections { read(elf, section, header) }
    var names = 0
    if elf_getshdrstrndx(elf, &names) == 0 {
      hasTypes = sections.contains { _, header in
        elf_strptr(elf, names, Int(header.sh_name)).map { strcmp($0, ".BTF") == 0 } ?? false
      }
    }
    versions = nil
  }

  /// Why no uprobe is put into a function: its file cannot take any, or the program begins there.
  func refusal(of function: String) -> String? {
    if let refusal = headers?.refusal { return refusal }
    // `name:0x1234` is the name at an offset of the file.
    let name = String(function.prefix { $0 != ":" })
    return functions[name]?.contains { $0.address == headers?.entry } == true
      ? ELFHeaders.entryRefusal : nil
  }

  private mutating func read(_ elf: OpaquePointer, _ section: OpaquePointer, _ header: GElf_Shdr) {
    switch header.sh_type {
    case 2, 11:  // SHT_SYMTAB, SHT_DYNSYM
      if header.sh_type == 2 { isStripped = false }
      readSymbols(elf, section, header)
    case 7:  // SHT_NOTE
      readNotes(section)
    default: break
    }
  }

  private mutating func readSymbols(
    _ elf: OpaquePointer, _ section: OpaquePointer, _ header: GElf_Shdr
  ) {
    guard header.sh_entsize > 0, let data = elf_getdata(section, nil) else { return }
    for index in 0..<Int(header.sh_size / header.sh_entsize) {
      var symbol = GElf_Sym()
      guard gelf_getsym(data, Int32(index), &symbol) != nil, symbol.st_shndx != 0,
        let text = elf_strptr(elf, Int(header.sh_link), Int(symbol.st_name))
      else { continue }
      // `memcpy@@GLIBC_2.14`: the version is not part of the function's name.
      let written = String(cString: text)
      let name = String(written.prefix { $0 != "@" })
      let type = symbol.st_info & 0xf
      guard !name.isEmpty else { continue }
      if type == 10 { indirect.insert(name) }  // STT_GNU_IFUNC
      guard type == 2, let offset = offset(of: symbol.st_value) else { continue }  // STT_FUNC
      add(
        Function(name: name, offset: offset, address: symbol.st_value),
        isOld: header.sh_type == 11
          ? isHiddenVersion(index) : written.contains("@") && !written.contains("@@"))
    }
  }

  /// Whether an exported symbol is a version that is kept for old programs.
  private func isHiddenVersion(_ index: Int) -> Bool {
    var version: GElf_Versym = 0
    guard let versions, gelf_getversym(versions, Int32(index), &version) != nil else {
      return false
    }
    return version & 0x8000 != 0
  }

  private mutating func add(_ function: Function, isOld: Bool) {
    if isOld, defaults.contains(function.name) { return }
    if !isOld, defaults.insert(function.name).inserted {
      // Old versions that stood before it.
      functions[function.name] = functions[function.name]?.filter { $0.offset == function.offset }
    }
    if functions[function.name, default: []].contains(where: { $0.offset == function.offset }) {
      return
    }
    functions[function.name, default: []].append(function)
  }

  private func offset(of address: UInt64) -> UInt64? {
    guard
      let segment = segments.first(where: {
        address >= $0.p_vaddr && address - $0.p_vaddr < $0.p_filesz
      })
    else { return nil }
    return address - segment.p_vaddr + segment.p_offset
  }

  // MARK: - Static tracepoints

  private mutating func readNotes(_ section: OpaquePointer) {
    guard let data = elf_getdata(section, nil), let base = data.pointee.d_buf else { return }
    let bytes = UnsafeRawBufferPointer(start: base, count: data.pointee.d_size)
    var position = 0
    while position < bytes.count {
      var note = GElf_Nhdr()
      var name = 0
      var content = 0
      let next = gelf_getnote(data, position, &note, &name, &content)
      guard next > position else { return }
      position = next
      let owner = bytes[name..<min(name + Int(note.n_namesz), bytes.count)].prefix { $0 != 0 }
      guard note.n_type == 3, String(decoding: owner, as: UTF8.self) == "stapsdt" else { continue }
      // Three addresses of 64 bits, then provider, name and arguments, each ended by a NUL.
      let end = min(content + Int(note.n_descsz), bytes.count)
      guard content + 24 <= end else { continue }
      let texts = bytes[(content + 24)..<end].split(
        separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
      guard texts.count >= 3 else { continue }
      add(
        provider: String(decoding: texts[0], as: UTF8.self),
        name: String(decoding: texts[1], as: UTF8.self),
        arguments: String(decoding: texts[2], as: UTF8.self))
    }
  }

  private mutating func add(provider: String, name: String, arguments: String) {
    guard !tracepoints.contains(where: { $0.provider == provider && $0.name == name }) else {
      return
    }
    // `-4@%edi 8@8(%rbp)`: the size, negative where it is signed, before the @.
    let signatures = arguments.split(separator: " ").enumerated().compactMap { index, text in
      text.firstIndex(of: "@").flatMap { Int(text[..<$0]) }.map { size in
        ArgumentSignature(
          index: index, label: "", type: size < 0 ? "int\(-size * 8)_t" : "uint\(size * 8)_t",
          size: abs(size))
      }
    }
    tracepoints.append(Tracepoint(provider: provider, name: name, arguments: signatures))
  }
}
