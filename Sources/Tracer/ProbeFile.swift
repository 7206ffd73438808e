import CZlib
import Glibc
import TraceRequest

/// One group of functions to trace, as the tracer needs it.
struct ProbeGroup {
  enum Kind: Int {
    case syscalls = 0
    case kprobe = 1
    case uprobe = 2
    case usdt = 3
  }

  let kind: Kind
  let name: String
  let functions: [String]
  let binary: String?
  let provider: String?
}

/// The sealed probe file: canonical JSON, plain or gzipped, already verified by the node service.
struct ProbeFile {
  static let sizeLimit = 64 << 20

  let groups: [ProbeGroup]

  init(path: String) throws(TracerError) {
    let bytes = try Self.read(path)
    let document: JSON
    do {
      document = try JSON(reading: bytes)
    } catch {
      throw TracerError(
        .badData, "the probe file is not JSON (\(error.reason) at byte \(error.offset)): \(path)")
    }
    guard case .array(let categories)? = document["categories"] else {
      throw TracerError(.badData, "the probe file has no categories: \(path)")
    }
    var groups: [ProbeGroup] = []
    for category in categories {
      guard let name = category["name"]?.string, case .number(let type)? = category["type"],
        let kind = Int(type).flatMap(ProbeGroup.Kind.init(rawValue:)),
        case .array(let functions)? = category["functions"]
      else {
        throw TracerError(
          .badData, "a category lacks its name, a known type or its functions: \(path)")
      }
      groups.append(
        ProbeGroup(
          kind: kind, name: name, functions: functions.compactMap(\.string),
          binary: category["binary_path"]?.string, provider: category["provider"]?.string))
    }
    self.groups = groups
  }

  /// zlib reads plain bytes through its gzip interface as they are.
  private static func read(_ path: String) throws(TracerError) -> [UInt8] {
    guard let file = gzopen(path, "re") else {
      let number = errno
      throw TracerError(.noInput, "cannot open the probe file: \(path): \(errorText(number))")
    }
    defer { gzclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = gzread(file, &buffer, UInt32(buffer.count))
      guard count >= 0 else {
        throw TracerError(.badData, "cannot read the probe file: \(path): damaged or a directory")
      }
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer[..<Int(count)])
      guard bytes.count <= sizeLimit else {
        throw TracerError(.badData, "the probe file is larger than \(sizeLimit >> 20) MiB: \(path)")
      }
    }
  }
}
