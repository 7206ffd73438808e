import Glibc
import ProbeDocument
import TraceRequest

/// The sealed probe file: canonical JSON, plain or gzipped, already verified by the node service.
enum ProbeFile {
  /// Reads and checks the form of the file at `path`.
  static func read(_ path: String) throws(TracerError) -> ProbeDocument {
    let bytes = try contents(path)
    do {
      return try ProbeDocument(
        canonical: bytes.starts(with: [0x1f, 0x8b]) ? Gzip.unpack(bytes) : bytes)
    } catch {
      throw TracerError(
        error.exitStatus, error.text(file: path))
    }
  }

  private static func contents(_ path: String) throws(TracerError) -> [UInt8] {
    let descriptor: Int32
    do throws(RegularFile.Failure) {
      descriptor = try RegularFile.open(path)
    } catch {
      throw TracerError(.noInput, "cannot open the probe file: \(path): \(error.text)")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      guard count >= 0 else {
        let number = errno
        throw TracerError(.noInput, "cannot read the probe file: \(path): \(errorText(number))")
      }
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer[..<count])
      guard bytes.count <= Gzip.unpackedLimit else {
        throw TracerError(
          .badData, "the probe file is larger than \(Gzip.unpackedLimit >> 20) MiB: \(path)")
      }
    }
  }
}
