import CTracerBPF

/// A folder below which calls are kept, in the two forms that the kernel side compares with.
struct InclusionPath {
  /// As a path begins: `/scratch/run`. Nothing for the root.
  let forward: [UInt8]
  /// As the way up from a file ends, with a NUL behind each name: `run`, `scratch`.
  let upward: [UInt8]

  init(_ path: String) throws(TracerError) {
    guard path.hasPrefix("/") else {
      throw TracerError(
        .badData, "an inclusion path of the probe file is not absolute: \(path)")
    }
    let names = path.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)
    guard !names.contains(where: { $0 == Array(".".utf8) || $0 == Array("..".utf8) }) else {
      throw TracerError(
        .badData, "an inclusion path of the probe file has . or ..: \(path): write it out")
    }
    forward = names.flatMap { [UInt8(ascii: "/")] + $0 }
    upward = names.reversed().flatMap { $0 + [0] }
    guard forward.count < Int(DC_FOLDER_SIZE) else {
      throw TracerError(
        .badData,
        "an inclusion path of the probe file is longer than \(DC_FOLDER_SIZE - 1) bytes: \(path)")
    }
  }
}
