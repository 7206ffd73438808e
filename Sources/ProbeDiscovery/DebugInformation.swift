import CLibDW
import CLibELF
import Glibc

/// The arguments of a binary's functions, from its DWARF or that of its separate debug file
/// (.gnu_debuglink or build id, below /usr/lib/debug). No server is asked for it: libdw would wait
/// for those of DEBUGINFOD_URLS, which some distributions set for everybody.
final class DebugInformation {
  private let session: OpaquePointer
  private let callbacks: UnsafeMutablePointer<Dwfl_Callbacks>
  private let dwarf: OpaquePointer
  /// What leads from DWARF's addresses to those of the binary's symbols.
  private let bias: UInt64

  /// nil where there is none.
  init?(path: String) {
    unsetenv("DEBUGINFOD_URLS")
    callbacks = .allocate(capacity: 1)
    callbacks.initialize(to: Dwfl_Callbacks())
    callbacks.pointee.find_elf = dwfl_build_id_find_elf
    callbacks.pointee.find_debuginfo = dwfl_standard_find_debuginfo
    callbacks.pointee.section_address = dwfl_offline_section_address
    guard let session = dwfl_begin(callbacks) else {
      callbacks.deallocate()
      return nil
    }
    var dwarfBias: Dwarf_Addr = 0
    var elfBias: GElf_Addr = 0
    guard let module = dwfl_report_offline(session, path, path, -1),
      dwfl_report_end(session, nil, nil) == 0,
      dwfl_module_getelf(module, &elfBias) != nil,
      let dwarf = dwfl_module_getdwarf(module, &dwarfBias)
    else {
      dwfl_end(session)
      callbacks.deallocate()
      return nil
    }
    self.session = session
    self.dwarf = dwarf
    bias = dwarfBias &- elfBias
  }

  deinit {
    dwfl_end(session)
    callbacks.deallocate()
  }

  /// The arguments of the functions that begin at these addresses of the binary, by address.
  ///
  /// - Parameter progress: is told now and then how much of the information was read, from 0 to 1.
  func arguments(
    at addresses: Set<UInt64>, progress: (Double) -> Void
  ) -> [UInt64: [ArgumentSignature]] {
    var found: [UInt64: [ArgumentSignature]] = [:]
    var offset: Dwarf_Off = 0
    let size = dwarf_getelf(dwarf).flatMap(Self.informationSize) ?? 0
    while found.count < addresses.count {
      var next: Dwarf_Off = 0
      var headerSize = 0
      guard
        dwarf_nextcu(dwarf, offset, &next, &headerSize, nil, nil, nil) == 0
      else { break }
      var unit = Dwarf_Die()
      if dwarf_offdie(dwarf, offset + Dwarf_Off(headerSize), &unit) != nil {
        read(&unit, of: addresses, isCPlusPlus: Self.isCPlusPlus(&unit), depth: 8, &found)
      }
      offset = next
      if size > 0 { progress(min(1, Double(offset) / Double(size))) }
    }
    return found
  }

  private static func informationSize(_ elf: OpaquePointer) -> UInt64? {
    var names = 0
    guard elf_getshdrstrndx(elf, &names) == 0 else { return nil }
    var section = elf_nextscn(elf, nil)
    while let current = section {
      var header = GElf_Shdr()
      if gelf_getshdr(current, &header) != nil,
        let name = elf_strptr(elf, names, Int(header.sh_name)), strcmp(name, ".debug_info") == 0
      {
        return header.sh_size
      }
      section = elf_nextscn(elf, current)
    }
    return nil
  }

  private static func isCPlusPlus(_ unit: inout Dwarf_Die) -> Bool {
    // DW_LANG_C_plus_plus, _03, _11 and _14 (DWARF 5, table 7.17); later ones are written as _14.
    [0x0004, 0x0019, 0x001a, 0x0021].contains(dwarf_srclang(&unit))
  }

  /// Functions stand below their unit or its namespaces; members of a class have their code there
  /// too, and only their declaration in the class.
  private func read(
    _ parent: inout Dwarf_Die, of addresses: Set<UInt64>, isCPlusPlus: Bool, depth: Int,
    _ found: inout [UInt64: [ArgumentSignature]]
  ) {
    var child = Dwarf_Die()
    guard depth > 0, dwarf_child(&parent, &child) == 0 else { return }
    repeat {
      switch dwarf_tag(&child) {
      case Int32(DW_TAG_namespace):
        read(&child, of: addresses, isCPlusPlus: isCPlusPlus, depth: depth - 1, &found)
      case Int32(DW_TAG_subprogram):
        guard let address = entry(&child, in: addresses) else { break }
        found[address] = arguments(&child, isCPlusPlus: isCPlusPlus)
      default: break
      }
    } while Self.advance(&child)
  }

  private static func advance(_ die: inout Dwarf_Die) -> Bool {
    var sibling = Dwarf_Die()
    guard dwarf_siblingof(&die, &sibling) == 0 else { return false }
    die = sibling
    return true
  }

  private func entry(_ function: inout Dwarf_Die, in addresses: Set<UInt64>) -> UInt64? {
    var address: Dwarf_Addr = 0
    if dwarf_entrypc(&function, &address) == 0 {
      return addresses.contains(address &+ bias) ? address &+ bias : nil
    }
    // Of a function in several pieces each piece is a range, and any may be its beginning.
    var base: Dwarf_Addr = 0
    var end: Dwarf_Addr = 0
    var offset = 0
    while true {
      offset = dwarf_ranges(&function, offset, &base, &address, &end)
      guard offset > 0 else { return nil }
      if addresses.contains(address &+ bias) { return address &+ bias }
    }
  }

  private func arguments(
    _ function: inout Dwarf_Die, isCPlusPlus: Bool
  ) -> [ArgumentSignature] {
    var registers = ArgumentRegisters()
    if let result = type(of: &function) {
      registers.start(returning: result, isCPlusPlus: isCPlusPlus)
    }
    var arguments: [ArgumentSignature] = []
    var child = Dwarf_Die()
    guard dwarf_child(&function, &child) == 0 else { return [] }
    repeat {
      guard dwarf_tag(&child) == Int32(DW_TAG_formal_parameter) else { continue }
      guard let type = type(of: &child) else { break }
      guard let index = registers.take(type, isCPlusPlus: isCPlusPlus) else { continue }
      var attribute = Dwarf_Attribute()
      let label =
        dwarf_attr_integrate(&child, UInt32(DW_AT_name), &attribute)
        .flatMap { dwarf_formstring($0) }.map { String(cString: $0) } ?? ""
      arguments.append(
        ArgumentSignature(
          index: index, label: label, type: type.text, size: type.size))
    } while Self.advance(&child)
    return arguments
  }

  // MARK: - Types

  private func type(of die: inout Dwarf_Die) -> ArgumentType? {
    var attribute = Dwarf_Attribute()
    var type = Dwarf_Die()
    guard dwarf_attr_integrate(&die, UInt32(DW_AT_type), &attribute) != nil,
      dwarf_formref_die(&attribute, &type) != nil
    else { return nil }
    return described(&type, depth: 16)
  }

  private func target(of die: inout Dwarf_Die, depth: Int) -> ArgumentType {
    var attribute = Dwarf_Attribute()
    var type = Dwarf_Die()
    guard dwarf_attr(&die, UInt32(DW_AT_type), &attribute) != nil,
      dwarf_formref_die(&attribute, &type) != nil
    else { return ArgumentType("void", .integer, size: 0) }
    return described(&type, depth: depth - 1)
  }

  private func described(_ die: inout Dwarf_Die, depth: Int) -> ArgumentType {
    guard depth > 0 else { return ArgumentType("void", .integer, size: 8) }
    let own = dwarf_diename(&die).map { String(cString: $0) } ?? ""
    let size = Int(dwarf_bytesize(&die))
    switch dwarf_tag(&die) {
    case Int32(DW_TAG_base_type):
      var attribute = Dwarf_Attribute()
      var encoding: Dwarf_Word = 0
      if dwarf_attr(&die, UInt32(DW_AT_encoding), &attribute) != nil {
        dwarf_formudata(&attribute, &encoding)
      }
      // DW_ATE_complex_float and DW_ATE_float.
      if encoding == 3 { return ArgumentType(own, .aggregate, size: size) }
      if encoding == 4 { return ArgumentType(own, .float, size: size) }
      return ArgumentType(own, size > 8 ? .aggregate : .integer, size: size)
    case Int32(DW_TAG_pointer_type), Int32(DW_TAG_reference_type),
      Int32(DW_TAG_rvalue_reference_type):
      return target(of: &die, depth: depth).pointer
    case Int32(DW_TAG_ptr_to_member_type):
      return ArgumentType("void *", size > 8 ? .aggregate : .integer, size: size)
    case Int32(DW_TAG_const_type):
      return target(of: &die, depth: depth).constant
    case Int32(DW_TAG_volatile_type), Int32(DW_TAG_restrict_type), Int32(DW_TAG_atomic_type):
      return target(of: &die, depth: depth)
    case Int32(DW_TAG_typedef):
      return target(of: &die, depth: depth).named(own)
    case Int32(DW_TAG_structure_type): return ArgumentType("struct " + own, .aggregate, size: size)
    case Int32(DW_TAG_class_type): return ArgumentType(own, .aggregate, size: size)
    case Int32(DW_TAG_union_type): return ArgumentType("union " + own, .aggregate, size: size)
    case Int32(DW_TAG_enumeration_type):
      return ArgumentType(own.isEmpty ? "int" : "enum " + own, .integer, size: size)
    case Int32(DW_TAG_array_type): return target(of: &die, depth: depth).pointer
    case Int32(DW_TAG_subroutine_type): return ArgumentType("void ()", .integer, size: 8)
    default: return ArgumentType(own, .integer, size: size)
    }
  }
}
