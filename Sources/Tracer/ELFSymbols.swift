import Glibc
import TraceRequest

/// Where the functions of an ELF file begin, as offsets into the file: what a uprobe takes.
///
/// 64-bit little-endian files only; every offset in the file is checked against
/// its length, since the file may be anybody's.
struct ELFSymbols {
  private let image: UnsafeRawBufferPointer
  private var offsets: [String: UInt64] = [:]
  private var addresses: [String: UInt64] = [:]
  /// Where the loader puts how far errno is from the thread pointer; nil where the file has no errno
  /// of its own. The C library has one.
  private var errnoSlot: UInt64?

  struct Unreadable: Error {
    let reason: String
  }

  /// Reads .symtab and .dynsym of the file at `path` for the functions in `wanted`.
  init(path: String, wanted: Set<String>) throws(Unreadable) {
    let fd: Int32
    do throws(RegularFile.Failure) {
      fd = try RegularFile.open(path)
    } catch {
      throw Unreadable(reason: error.text)
    }
    defer { close(fd) }
    var status = stat()
    guard fstat(fd, &status) == 0 else { throw Unreadable(reason: errorText(errno)) }
    let size = Int(status.st_size)
    guard size >= MemoryLayout<Elf64_Ehdr>.size,
      let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, fd, 0), base != MAP_FAILED
    else { throw Unreadable(reason: "not an ELF file") }
    image = UnsafeRawBufferPointer(start: base, count: size)
    defer { munmap(base, size) }
    try collect(wanted)
  }

  /// The file offset of a function, nil where the file has no such function.
  subscript(name: String) -> UInt64? { offsets[name] }

  /// How many bytes behind a function that word lies, in whatever place the file is loaded; nil
  /// where the file has no errno of its own.
  func errnoDistance(of name: String) -> UInt64? {
    guard let errnoSlot, let address = addresses[name] else { return nil }
    return errnoSlot &- address
  }

  private func load<T>(_ offset: UInt64, as type: T.Type) -> T? {
    let size = UInt64(MemoryLayout<T>.size)
    guard offset <= UInt64(image.count), UInt64(image.count) - offset >= size else { return nil }
    return image.loadUnaligned(fromByteOffset: Int(offset), as: type)
  }

  private mutating func collect(_ wanted: Set<String>) throws(Unreadable) {
    guard let header = load(0, as: Elf64_Ehdr.self),
      header.e_ident.0 == 0x7f, header.e_ident.1 == UInt8(ascii: "E"),
      header.e_ident.2 == UInt8(ascii: "L"), header.e_ident.3 == UInt8(ascii: "F"),
      header.e_ident.4 == 2, header.e_ident.5 == 1
    else { throw Unreadable(reason: "not a 64-bit little-endian ELF file") }

    var segments: [Elf64_Phdr] = []
    for index in 0..<UInt64(header.e_phnum) {
      let (at, overflow) = header.e_phoff.addingReportingOverflow(
        index * UInt64(header.e_phentsize))
      guard !overflow, let segment = load(at, as: Elf64_Phdr.self) else { break }
      if segment.p_type == 1 { segments.append(segment) }
    }
    func section(_ index: UInt64) -> Elf64_Shdr? {
      let (at, overflow) = header.e_shoff.addingReportingOverflow(
        index * UInt64(header.e_shentsize))
      return overflow ? nil : load(at, as: Elf64_Shdr.self)
    }
    for index in 0..<UInt64(header.e_shnum) {
      guard let table = section(index) else { break }
      guard table.sh_type == 2 || table.sh_type == 11, table.sh_entsize >= 24,
        let strings = section(UInt64(table.sh_link))
      else { continue }
      collect(table, strings, segments, wanted)
      if table.sh_type == 11, let place = errnoPlace(table, strings) {
        for index in 0..<UInt64(header.e_shnum) where errnoSlot == nil {
          guard let relocations = section(index) else { break }
          errnoSlot = slot(of: place, in: relocations)
        }
      }
    }
  }

  /// Where errno lies in the file's thread-local memory, by its dynamic symbol.
  private func errnoPlace(_ table: Elf64_Shdr, _ strings: Elf64_Shdr) -> UInt64? {
    let limit = UInt64(image.count)
    guard table.sh_offset <= limit, table.sh_size <= limit - table.sh_offset,
      strings.sh_offset <= limit, strings.sh_size <= limit - strings.sh_offset
    else { return nil }
    for index in 0..<(table.sh_size / table.sh_entsize) {
      guard let symbol = load(table.sh_offset + index * table.sh_entsize, as: Elf64_Sym.self)
      else { return nil }
      // STT_TLS
      if symbol.st_info & 15 == 6, symbol.st_shndx != 0, UInt64(symbol.st_name) < strings.sh_size,
        name(at: strings.sh_offset + UInt64(symbol.st_name), in: strings) == "errno"
      {
        return symbol.st_value
      }
    }
    return nil
  }

  /// The address that a relocation fills with the place's distance from the thread pointer:
  /// R_X86_64_TPOFF64 without a symbol, as the file's own variables have it.
  private func slot(of place: UInt64, in relocations: Elf64_Shdr) -> UInt64? {
    let limit = UInt64(image.count)
    guard relocations.sh_type == 4, relocations.sh_entsize >= 24, relocations.sh_offset <= limit,
      relocations.sh_size <= limit - relocations.sh_offset
    else { return nil }
    for index in 0..<(relocations.sh_size / relocations.sh_entsize) {
      guard
        let relocation = load(
          relocations.sh_offset + index * relocations.sh_entsize, as: Elf64_Rela.self)
      else { return nil }
      if relocation.r_info == 18, relocation.r_addend == Int64(bitPattern: place) {
        return relocation.r_offset
      }
    }
    return nil
  }

  private mutating func collect(
    _ table: Elf64_Shdr, _ strings: Elf64_Shdr, _ segments: [Elf64_Phdr], _ wanted: Set<String>
  ) {
    let limit = UInt64(image.count)
    guard table.sh_offset <= limit, table.sh_size <= limit - table.sh_offset,
      strings.sh_offset <= limit, strings.sh_size <= limit - strings.sh_offset
    else { return }
    for index in 0..<(table.sh_size / table.sh_entsize) {
      guard let symbol = load(table.sh_offset + index * table.sh_entsize, as: Elf64_Sym.self)
      else { return }
      let type = symbol.st_info & 15
      // STT_FUNC, STT_GNU_IFUNC is the resolver and not the function.
      guard type == 2, symbol.st_shndx != 0, UInt64(symbol.st_name) < strings.sh_size,
        let name = name(at: strings.sh_offset + UInt64(symbol.st_name), in: strings),
        wanted.contains(name), offsets[name] == nil
      else { continue }
      for segment in segments
      where symbol.st_value >= segment.p_vaddr
        && symbol.st_value - segment.p_vaddr < segment.p_filesz
      {
        addresses[name] = symbol.st_value
        offsets[name] = symbol.st_value - segment.p_vaddr &+ segment.p_offset
        break
      }
    }
  }

  private func name(at offset: UInt64, in strings: Elf64_Shdr) -> String? {
    let end = Int(strings.sh_offset + strings.sh_size)
    let bytes = image[Int(offset)..<end]
    guard let stop = bytes.firstIndex(of: 0) else { return nil }
    return String(decoding: bytes[..<stop], as: UTF8.self)
  }
}
