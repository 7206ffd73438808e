import CLibc
import TraceRequest

/// What the headers of a program or library say that matters to who puts probes into it. Used where
/// a probe file is built, signed, and attached.
///
/// 64-bit little-endian files only. The file may be anybody's and may change meanwhile, so nothing
/// is mapped (a file that is cut would end the reader), every number is checked, and no more is
/// read than the limits here.
public struct ELFHeaders: Sendable {
  /// Why a file's headers cannot be read.
  public struct Unreadable: Error, Sendable {
    /// The reason, for people.
    public let reason: String

    /// A reason.
    public init(reason: String) { self.reason = reason }
  }

  /// Where the program begins (e_entry), as an address; nil where the file has no such place.
  public let entry: UInt64?
  /// Whether it comes from the Go toolchain.
  public let isGo: Bool

  private let segments: [Elf64.Segment]
  private let sections: [Elf64.Section]

  /// Why no uprobe is put into any function of the file; nil where nothing is against it.
  public var refusal: String? {
    isGo ? "a Go program moves its stacks, which a return probe does not survive" : nil
  }

  /// Why no uprobe is put where the program begins.
  public static let entryRefusal =
    "the program begins there, which a return probe does not survive"

  /// Reads the headers of an open file.
  public init(descriptor: Int32) throws(Unreadable) {
    let header = try Self.read(descriptor, at: 0, count: Elf64.headerSize)
    guard header.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else {
      throw Unreadable(reason: "not a 64-bit little-endian ELF file")
    }
    let segmentCount = Int(header.number(at: 56, as: UInt16.self))
    let sectionCount = Int(header.number(at: 60, as: UInt16.self))
    guard segmentCount <= Elf64.segmentLimit,
      segmentCount == 0 || header.number(at: 54, as: UInt16.self) == Elf64.segmentSize,
      sectionCount == 0 || header.number(at: 58, as: UInt16.self) == Elf64.sectionSize
    else { throw Unreadable(reason: "an ELF file with unusual headers") }
    let segments = try Self.read(
      descriptor, at: header.number(at: 32, as: UInt64.self),
      count: segmentCount * Elf64.segmentSize
    ).parts(of: Elf64.segmentSize).map(Elf64.Segment.init)
    let sections = try Self.read(
      descriptor, at: header.number(at: 40, as: UInt64.self),
      count: sectionCount * Elf64.sectionSize
    ).parts(of: Elf64.sectionSize).map(Elf64.Section.init)
    self.segments = segments.filter { $0.type == Elf64.load }
    self.sections = sections
    let entry = header.number(at: 24, as: UInt64.self)
    self.entry = entry == 0 ? nil : entry

    let names = Int(header.number(at: 62, as: UInt16.self))
    var isGo = false
    if sections.indices.contains(names) {
      let text = try Self.read(
        descriptor, at: sections[names].offset,
        count: Int(min(sections[names].size, UInt64(Elf64.namesLimit))))
      isGo = sections.contains { section in
        Elf64.isGo(section: text.text(at: Int(section.name)))
      }
    }
    // Section headers can be cut off; the loader's own table stays.
    for note in segments where !isGo && note.type == Elf64.note {
      let bytes = try Self.read(
        descriptor, at: note.offset, count: Int(min(note.size, UInt64(Elf64.namesLimit))))
      isGo = Elf64.hasNote(of: "Go", in: bytes)
    }
    self.isGo = isGo
  }

  /// Where an address lies in the file; nil where no part of the file is loaded there.
  public func offset(of address: UInt64) -> UInt64? {
    for segment in segments
    where address >= segment.address && address - segment.address < segment.size {
      return address - segment.address &+ segment.offset
    }
    return nil
  }

  /// Where a place in the file is loaded, as far as the file says; nil where it is not.
  public func address(of offset: UInt64) -> UInt64? {
    for segment in segments
    where offset >= segment.offset && offset - segment.offset < segment.size {
      return offset - segment.offset &+ segment.address
    }
    return nil
  }

  /// Whether the program begins at a place in the file.
  public func isEntry(offset: UInt64) -> Bool {
    entry.flatMap(self.offset(of:)) == offset
  }

  /// The names of functions, with the address of each: those of .symtab and of .dynsym.
  ///
  /// - Parameter limit: no more bytes of tables than this are read; nil comes back where the file
  ///   has more.
  public func functions(descriptor: Int32, limit: Int) throws(Unreadable) -> ELFFunctions? {
    var left = UInt64(limit)
    var tables: [ELFFunctions.Table] = []
    for section in sections where section.isSymbols {
      let (end, isHuge) = section.size.addingReportingOverflow(
        sections.indices.contains(Int(section.link)) ? sections[Int(section.link)].size : 0)
      guard sections.indices.contains(Int(section.link)) else { continue }
      guard !isHuge, end <= left else { return nil }
      left -= end
      let strings = sections[Int(section.link)]
      tables.append(
        ELFFunctions.Table(
          symbols: try Self.read(descriptor, at: section.offset, count: Int(section.size)),
          names: try Self.read(descriptor, at: strings.offset, count: Int(strings.size))))
    }
    return ELFFunctions(tables)
  }

  private static func read(
    _ descriptor: Int32, at offset: UInt64, count: Int
  ) throws(Unreadable) -> [UInt8] {
    guard count > 0 else { return [] }
    guard let start = off_t(exactly: offset), start <= off_t.max - off_t(count) else {
      throw Unreadable(reason: "an ELF file that is cut short or damaged")
    }
    // Room is made for what the file has, whatever a header promises.
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw Unreadable(reason: errorText(clibc_errno()))
    }
    guard start + off_t(count) <= status.st_size else {
      throw Unreadable(reason: "an ELF file that is cut short or damaged")
    }
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      while used < count {
        let result = pread(
          descriptor, buffer.baseAddress.map { $0 + used }, count - used, start + off_t(used))
        if result < 0, clibc_errno() == EINTR { continue }
        if result < 0 { failure = clibc_errno() }
        if result <= 0 { break }
        used += result
      }
    }
    guard failure == 0 else { throw Unreadable(reason: errorText(failure)) }
    guard bytes.count == count else {
      throw Unreadable(reason: "an ELF file that is cut short or damaged")
    }
    return bytes
  }
}

/// The functions of a program or library, by name and by address.
public struct ELFFunctions: Sendable {
  struct Table: Sendable {
    let symbols: [UInt8]
    let names: [UInt8]
  }

  private let tables: [Table]

  init(_ tables: [Table]) { self.tables = tables }

  /// The addresses of these functions; of a name that several functions have, all of them.
  public func addresses(of names: Set<String>) -> [String: Set<UInt64>] {
    var wanted: [UInt64: [String]] = [:]
    for name in names { wanted[Self.hash(name.utf8), default: []].append(name) }
    var found: [String: Set<UInt64>] = [:]
    forEach { table, start, address in
      guard let names = wanted[Self.hash(table.names[start...].prefix(while: Self.isName))]
      else { return }
      let text = Self.text(table.names[start...])
      for name in names where name.hasSameBytes(as: text) {
        found[name, default: []].insert(address)
      }
    }
    return found
  }

  /// All names of the functions at these addresses.
  public func names(at addresses: Set<UInt64>) -> [UInt64: Set<String>] {
    var found: [UInt64: Set<String>] = [:]
    if addresses.isEmpty { return [:] }
    forEach { table, start, address in
      if addresses.contains(address) {
        found[address, default: []].insert(Self.text(table.names[start...]))
      }
    }
    return found
  }

  /// Each defined symbol that can be a function's, with where its name begins.
  private func forEach(_ body: (Table, Int, UInt64) -> Void) {
    for table in tables {
      table.symbols.withUnsafeBytes { symbols in
        for at in stride(
          from: 0, through: symbols.count - Elf64.symbolSize, by: Elf64.symbolSize)
        {
          let type = symbols[at + 4] & 15
          // STT_NOTYPE, as functions in assembly have it; STT_FUNC; STT_GNU_IFUNC.
          guard type == 0 || type == 2 || type == 10,
            symbols.loadUnaligned(fromByteOffset: at + 6, as: UInt16.self) != 0
          else { continue }
          let name = Int(symbols.loadUnaligned(fromByteOffset: at, as: UInt32.self))
          guard name > 0, name < table.names.count else { continue }
          body(table, name, symbols.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self))
        }
      }
    }
  }

  /// `memcpy@@GLIBC_2.14`: the version is not part of the function's name.
  private static func isName(_ byte: UInt8) -> Bool { byte != 0 && byte != UInt8(ascii: "@") }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix(while: isName), as: UTF8.self)
  }

  /// FNV-1a: a table of a million names is looked through without making a String of each.
  private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}

/// The layout of elf(5), 64 bits.
private enum Elf64 {
  static let headerSize = 64
  static let segmentSize = 56
  static let sectionSize = 64
  static let symbolSize = 24
  /// What the kernel takes of a program: 64 KiB of them.
  static let segmentLimit = 1170
  /// The names of sections, and a note, are shorter than this.
  static let namesLimit = 1 << 20
  static let load: UInt32 = 1
  static let note: UInt32 = 4

  struct Segment: Sendable {
    let type: UInt32
    let offset: UInt64
    let address: UInt64
    /// In the file.
    let size: UInt64

    init(_ bytes: ArraySlice<UInt8>) {
      type = bytes.number(at: 0, as: UInt32.self)
      offset = bytes.number(at: 8, as: UInt64.self)
      address = bytes.number(at: 16, as: UInt64.self)
      size = bytes.number(at: 32, as: UInt64.self)
    }
  }

  struct Section: Sendable {
    let name: UInt32
    let type: UInt32
    let offset: UInt64
    let size: UInt64
    let link: UInt32
    let entrySize: UInt64

    /// SHT_SYMTAB, SHT_DYNSYM
    var isSymbols: Bool { (type == 2 || type == 11) && entrySize == UInt64(symbolSize) }

    init(_ bytes: ArraySlice<UInt8>) {
      name = bytes.number(at: 0, as: UInt32.self)
      type = bytes.number(at: 4, as: UInt32.self)
      offset = bytes.number(at: 24, as: UInt64.self)
      size = bytes.number(at: 32, as: UInt64.self)
      link = bytes.number(at: 40, as: UInt32.self)
      entrySize = bytes.number(at: 56, as: UInt64.self)
    }
  }

  /// strip(1) leaves these: the program itself reads them. `.data.rel.ro.gopclntab` is in
  /// position-independent ones.
  static func isGo(section name: ArraySlice<UInt8>) -> Bool {
    let text = String(decoding: name, as: UTF8.self)
    return text == ".note.go.buildid" || text == ".go.buildinfo" || text.hasSuffix(".gopclntab")
  }

  static func hasNote(of owner: String, in bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while rest.count >= 12 {
      let nameSize = Int(rest.number(at: 0, as: UInt32.self))
      let contentSize = Int(rest.number(at: 4, as: UInt32.self))
      let name = rest.dropFirst(12).prefix(nameSize).prefix { $0 != 0 }
      if name.elementsEqual(owner.utf8) { return true }
      rest = rest.dropFirst(12 + (nameSize + 3) / 4 * 4 + (contentSize + 3) / 4 * 4)
    }
    return false
  }
}

extension RandomAccessCollection where Element == UInt8, Index == Int {
  /// A little-endian number; the caller has seen to it that it is there.
  fileprivate func number<Number: FixedWidthInteger>(at offset: Int, as: Number.Type) -> Number {
    var number: Number = 0
    for byte in 0..<MemoryLayout<Number>.size {
      number |= Number(truncatingIfNeeded: self[startIndex + offset + byte]) << (8 * byte)
    }
    return number
  }
}

extension Array where Element == UInt8 {
  fileprivate func parts(of size: Int) -> [ArraySlice<UInt8>] {
    stride(from: 0, to: count - count % size, by: size).map { self[$0..<($0 + size)] }
  }

  fileprivate func text(at offset: Int) -> ArraySlice<UInt8> {
    offset < count ? self[offset...].prefix { $0 != 0 } : []
  }
}
