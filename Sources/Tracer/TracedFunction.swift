import CTracerBPF
import TraceRequest

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
  /// How many bytes of the register count.
  var size = 8
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
  /// 1 + the argument whose file is looked up, 0 for none.
  var file: UInt8 = 0

  /// - Parameters:
  ///   - arguments: the function's arguments by their place.
  ///   - chosen: the places that the probe file asks for; nil: paths, descriptors and sizes.
  init(category: String, name: String, arguments: [TracedArgument], chosen: Set<Int>? = nil) {
    self.category = category
    self.name = name
    self.arguments = Array(arguments.prefix(Int(DC_ARGUMENTS)))
    var count = 0
    for (index, argument) in self.arguments.enumerated() {
      let isAsked = chosen?.contains(index) ?? false
      switch argument.kind {
      case .path where count < Int(DC_STRINGS):
        strings |= 1 << index
        count += 1
      case .descriptor:
        values |= 1 << index
        if file == 0 { file = UInt8(index + 1) }
      case .size where chosen == nil:
        values |= 1 << index
      default:
        if isAsked { values |= 1 << index }
      }
    }
    // A call with a path says itself which file it is about.
    if strings != 0 { file = 0 }
  }

  /// How it tells that it failed and has set errno, where that can be read.
  var failure = LibraryFailure.untold

  /// What a uprobe's cookie says of the function.
  var cookieBits: UInt64 {
    UInt64(values) << 32 | UInt64(strings) << 40 | UInt64(file) << 48 | failure.rawValue << 51
  }
}

/// `function_arguments` of a category: for each function an array of objects with `index`,
/// `label`, `c_type`, `num_bytes` and `is_pointer`, as DataCrumbs' probe files have them.
struct ArgumentSpecification {
  let arguments: [TracedArgument]
  let chosen: Set<Int>

  /// The arguments of `function`, nil where the document says nothing of it. What it leaves open
  /// is taken from `known`.
  init?(_ document: JSON, function: String, known: [TracedArgument]) {
    guard case .array(let elements)? = document[function] else { return nil }
    var arguments = known
    var chosen: Set<Int> = []
    for element in elements {
      guard case .number(let text)? = element["index"], let index = Int(text),
        (0..<Int(DC_ARGUMENTS)).contains(index)
      else { continue }
      while arguments.count <= index {
        arguments.append(TracedArgument(name: "arg\(arguments.count)", kind: .unsigned))
      }
      let label = element["label"]?.string ?? arguments[index].name
      arguments[index] = TracedArgument(
        name: label, kind: Self.kind(element, label) ?? arguments[index].kind,
        size: Self.size(element))
      chosen.insert(index)
    }
    self.arguments = arguments
    self.chosen = chosen
  }

  private static func size(_ element: JSON) -> Int {
    guard case .number(let text)? = element["num_bytes"], let size = Int(text),
      [1, 2, 4, 8].contains(size)
    else { return 8 }
    return size
  }

  private static func kind(_ element: JSON, _ label: String) -> TracedArgument.Kind? {
    guard let type = element["c_type"]?.string else { return nil }
    let words = type.split(whereSeparator: { $0 == " " || $0 == "*" })
    if type.contains("*") {
      return words.contains("char") && words.contains("const") ? .path : .pointer
    }
    if words.contains("size_t") { return .size }
    if label == "fd" || label == "fildes" || label == "filedes" { return .descriptor }
    if words.contains("unsigned") || words.contains(where: { $0.hasPrefix("u") }) {
      return .unsigned
    }
    return .signed
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
