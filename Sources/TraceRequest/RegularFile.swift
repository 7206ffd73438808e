import CLibc

/// Opens regular files, and asks nothing of what is none: the open(2) of a device can do things (one
/// of /dev/watchdog has the machine reset when it is closed), and a path that somebody else may
/// have made can lead anywhere.
public enum RegularFile {
  /// Why a file was not opened.
  public enum Failure: Error {
    /// The system's error number.
    case system(Int32)
    /// It is a folder, a device, a socket or a FIFO.
    case notRegular

    /// The reason, for people.
    public var text: String {
      switch self {
      case .system(let number): errorText(number)
      case .notRegular: "it is not a regular file"
      }
    }
  }

  /// Opens a file to read; returns the descriptor, which the caller closes. No writer of a FIFO and
  /// no other holder is waited for.
  public static func open(_ path: String) throws(Failure) -> Int32 {
    let seen = clibc_look_at(AT_FDCWD, path, 0)
    guard seen >= 0 else { throw .system(clibc_errno()) }
    defer { close(seen) }
    var status = stat()
    guard fstat(seen, &status) == 0 else { throw .system(clibc_errno()) }
    guard clibc_is_regular_file(&status) else { throw .notRegular }
    let descriptor = clibc_open_seen(seen)
    guard descriptor >= 0 else { throw .system(clibc_errno()) }
    return descriptor
  }
}
