import CTracerBPF

/// One argument of a function: its name and how its value is read.
struct TracedArgument {
  enum Kind: UInt8 {
    case path = 0x73  // s
    case descriptor = 0x66  // f
    case size = 0x7a  // z
    case pointer = 0x70  // p
    case flags = 0x78  // x
    case unsigned = 0x75  // u
    case signed = 0x64  // d
  }

  let name: String
  let kind: Kind
}

/// A function that is traced, and how its records look in the trace.
struct TracedFunction {
  let category: String
  let name: String
  let arguments: [TracedArgument]
  /// Bit n: argument n is captured as an integer.
  var values: UInt8 = 0
  /// Bit n: argument n is captured as a string.
  var strings: UInt8 = 0

  init(category: String, name: String, arguments: [TracedArgument]) {
    self.category = category
    self.name = name
    self.arguments = arguments
    var count = 0
    for (index, argument) in arguments.prefix(Int(DC_ARGUMENTS)).enumerated() {
      switch argument.kind {
      case .path where count < Int(DC_STRINGS):
        strings |= 1 << index
        count += 1
      case .descriptor, .size:
        values |= 1 << index
      default:
        break
      }
    }
  }
}

/// The system calls of this architecture by name.
enum SyscallTable {
  struct Entry {
    let number: Int
    let arguments: [TracedArgument]
  }

  static func named(_ names: Set<String>) -> [String: Entry] {
    var entries: [String: Entry] = [:]
    for index in 0..<Int(datacrumbs_syscall_count) {
      guard let call = datacrumbs_syscall_at(UInt32(index)) else { break }
      let name = String(cString: call.pointee.name)
      guard names.contains(name) else { continue }
      entries[name] = Entry(
        number: Int(call.pointee.number),
        arguments: String(cString: call.pointee.arguments).split(separator: " ").compactMap {
          let parts = $0.split(separator: ":")
          guard parts.count == 2, let letter = parts[1].utf8.first,
            let kind = TracedArgument.Kind(rawValue: letter)
          else { return nil }
          return TracedArgument(name: String(parts[0]), kind: kind)
        })
    }
    return entries
  }
}
