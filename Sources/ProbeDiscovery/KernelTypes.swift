import CLibBPF
import Glibc

/// The functions of the running kernel and its modules with their arguments, from BTF, which
/// everybody may read.
final class KernelTypes {
  private let base: OpaquePointer
  private var modules: [OpaquePointer] = []
  private var prototypes: [String: (btf: OpaquePointer, id: UInt32)] = [:]

  /// nil where the kernel has no BTF.
  init?() {
    guard let base = btf__load_vmlinux_btf() else { return nil }
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
    return (0..<count).compactMap { index in
      let parameter = parameters[index]
      if parameter.type == 0 { return nil }  // ...
      let label = btf__name_by_offset(btf, parameter.name_off).map { String(cString: $0) } ?? ""
      let size = btf__resolve_size(btf, parameter.type)
      return ArgumentSignature(
        index: index, label: label, type: name(btf, parameter.type, depth: 16),
        size: size > 0 ? Int(size) : nil)
    }
  }

  private func name(_ btf: OpaquePointer, _ id: UInt32, depth: Int) -> String {
    guard id != 0 else { return "void" }
    guard depth > 0, let type = btf__type_by_id(btf, id) else { return "unsigned long" }
    let own = btf__name_by_offset(btf, type.pointee.name_off).map { String(cString: $0) } ?? ""
    switch kind(type) {
    case 2, 3:  // pointer, array
      if kind(type) == 2 {
        let target = name(btf, type.pointee.type, depth: depth - 1)
        return target.hasSuffix("*") ? target + "*" : target + " *"
      }
      return "void *"
    case 4: return "struct " + own
    case 5: return "union " + own
    case 6, 19: return own.isEmpty ? "int" : "enum " + own
    case 7: return (type.pointee.info >> 31 == 1 ? "union " : "struct ") + own
    case 10: return "const " + name(btf, type.pointee.type, depth: depth - 1)
    case 9, 11, 18: return name(btf, type.pointee.type, depth: depth - 1)
    case 13: return "void ()"
    default: return own.isEmpty ? "unsigned long" : own
    }
  }
}
