import CLibBPF
import Glibc

/// Functions with their arguments, from BTF: of the running kernel and its modules, which everybody
/// may read, or of a program or library that has it in a section.
final class TypeInformation {
  private let base: OpaquePointer
  private var modules: [OpaquePointer] = []
  private var prototypes: [String: (btf: OpaquePointer, id: UInt32)] = [:]

  /// The kernel's; nil where it has none.
  static func ofKernel() -> TypeInformation? {
    btf__load_vmlinux_btf().map(TypeInformation.init(base:))
  }

  /// A program's or library's; nil where it has none.
  static func ofBinary(_ path: String) -> TypeInformation? {
    btf__parse_elf(path, nil).map(TypeInformation.init(base:))
  }

  private init(base: OpaquePointer) {
    self.base = base
    add(base, from: 1)
  }

  deinit {
    modules.forEach { btf__free($0) }
    btf__free(base)
  }

  /// Adds a module's functions.
  func load(module: String) {
    guard let btf = btf__load_module_btf(module, base) else { return }
    modules.append(btf)
    add(btf, from: btf__type_cnt(base))
  }

  private func add(_ btf: OpaquePointer, from first: UInt32) {
    let count = btf__type_cnt(btf)
    guard first < count else { return }
    for id in first..<count {
      guard let type = btf__type_by_id(btf, id), kind(type) == 12,  // BTF_KIND_FUNC
        let name = btf__name_by_offset(btf, type.pointee.name_off)
      else { continue }
      prototypes[String(cString: name)] = (btf, type.pointee.type)
    }
  }

  private func kind(_ type: UnsafePointer<btf_type>) -> UInt32 {
    type.pointee.info >> 24 & 0x1f
  }

  /// Whether a function is there under its own name, as the compiler left it.
  func has(_ function: String) -> Bool { prototypes[function] != nil }

  /// A function's arguments; nil where it is not known.
  func arguments(of function: String) -> [ArgumentSignature]? {
    guard let (btf, id) = prototypes[function], let type = btf__type_by_id(btf, id),
      kind(type) == 13  // BTF_KIND_FUNC_PROTO
    else { return nil }
    let count = Int(type.pointee.info & 0xffff)
    let parameters = UnsafeRawPointer(type).advanced(by: MemoryLayout<btf_type>.size)
      .assumingMemoryBound(to: btf_param.self)
    var registers = ArgumentRegisters()
    if type.pointee.type != 0 {
      registers.start(returning: described(btf, type.pointee.type, depth: 16), isCPlusPlus: false)
    }
    return (0..<count).compactMap { position in
      let parameter = parameters[position]
      if parameter.type == 0 { return nil }  // ...
      let type = described(btf, parameter.type, depth: 16)
      return registers.take(type).map { index in
        ArgumentSignature(
          index: index,
          label: btf__name_by_offset(btf, parameter.name_off).map { String(cString: $0) } ?? "",
          type: type.text, size: type.size > 0 ? type.size : nil)
      }
    }
  }

  private func described(_ btf: OpaquePointer, _ id: UInt32, depth: Int) -> ArgumentType {
    guard id != 0 else { return ArgumentType("void", .integer, size: 0) }
    guard depth > 0, let type = btf__type_by_id(btf, id) else {
      return ArgumentType("unsigned long", .integer, size: 8)
    }
    let own = btf__name_by_offset(btf, type.pointee.name_off).map { String(cString: $0) } ?? ""
    let size = Int(btf__resolve_size(btf, id))
    func target() -> ArgumentType { described(btf, type.pointee.type, depth: depth - 1) }
    switch kind(type) {
    case 2: return target().pointer
    case 3: return ArgumentType("void *", .integer, size: 8)  // an array
    case 4: return ArgumentType("struct " + own, .aggregate, size: size)
    case 5: return ArgumentType("union " + own, .aggregate, size: size)
    case 6, 19: return ArgumentType(own.isEmpty ? "int" : "enum " + own, .integer, size: size)
    case 7:  // declared only
      return ArgumentType(
        (type.pointee.info >> 31 == 1 ? "union " : "struct ") + own, .aggregate, size: size)
    case 8: return target().named(own)
    case 10: return target().constant
    case 9, 11, 18: return target()
    case 13: return ArgumentType("void ()", .integer, size: 8)
    case 16: return ArgumentType(own, .float, size: size)
    default:
      let text = own.isEmpty ? "unsigned long" : own
      return ArgumentType(text, size > 8 ? .aggregate : .integer, size: size)
    }
  }
}
