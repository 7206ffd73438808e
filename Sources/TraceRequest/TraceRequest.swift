/// What a user asked for: this job, traced with this probe file.
public struct TraceRequest: Sendable {
  /// An absolute path, in UTF-8.
  public let probeFile: String

  /// - Parameters:
  ///   - path: as the user gave it; a relative one starts from `directory`.
  ///   - directory: an absolute path.
  /// - Throws: where the path is empty.
  public init(probeFile path: String, directory: String) throws(RequestError) {
    guard !path.isEmpty else {
      throw RequestError(
        "the probe file's path is empty", RequestOptions.probeFileOption, "give the file's path")
    }
    probeFile = Self.absolute(path, from: directory)
  }

  /// Drops `.` components and doubled slashes. `..` stays: behind a symbolic
  /// link only the kernel knows where it leads.
  private static func absolute(_ path: String, from directory: String) -> String {
    let whole = path.utf8.first == UInt8(ascii: "/") ? path : directory + "/" + path
    var bytes: [UInt8] = []
    for component in whole.utf8.split(separator: UInt8(ascii: "/")) {
      if component.count == 1, component.first == UInt8(ascii: ".") { continue }
      bytes.append(UInt8(ascii: "/"))
      bytes.append(contentsOf: component)
    }
    return bytes.isEmpty ? "/" : String(decoding: bytes, as: UTF8.self)
  }
}
