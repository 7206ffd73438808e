import Glibc

/// Where results go.
public enum Output {
  /// Writes all bytes to stdout. A reader that has gone away (a pager, `head`) is no error.
  public static func write(_ bytes: [UInt8]) throws(ReportError) {
    signal(SIGPIPE, SIG_IGN)
    let number = bytes.withUnsafeBytes { writeAll($0, to: STDOUT_FILENO) }
    if number != 0, number != EPIPE { throw .file("cannot write", "stdout", errno: number) }
  }

  /// Makes a file with these bytes; where there is one it is replaced once all are written.
  public static func write(_ bytes: [UInt8], to path: String) throws(ReportError) {
    let file = try OutputFile(path)
    try file.write(bytes)
    try file.finish()
  }

  /// Writes one line to stderr, whatever names of files are in it.
  public static func complain(_ line: String) {
    let bytes = Array((Summary.printable(line) + "\n").utf8)
    _ = bytes.withUnsafeBytes { writeAll($0, to: STDERR_FILENO) }
  }

  /// Writes all and returns 0, or the number of the error.
  static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(
        descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      written += count
    }
    return 0
  }
}
