import CLibc
import Glibc
import ProbeDocument
import TraceRequest

/// A program, a library or a folder above one, as its open descriptor shows it.
public struct FileFacts: Sendable {
  /// How the signing service sees what stands under the path.
  public enum View: Sendable {
    /// As the same file.
    case same
    /// As another file, or none: the asker is in a container, or has mounted something there.
    case other
    /// Not at all: it may not pass through a folder above it.
    case hidden
  }

  /// The path under which the kernel knows the open file.
  public let path: String
  /// Whose it is.
  public let owner: UInt32
  /// Type and permissions (`st_mode`).
  public let mode: UInt32
  /// How it looks from here.
  public let view: View
  /// What is in it, where it is a regular file.
  let program: Result<PassedProgram, ELFHeaders.Unreadable>?
  /// Whether nobody but root can have made it what it is.
  let isRoots: Bool

  /// Facts, for tests.
  init(
    path: String, owner: UInt32, mode: UInt32, view: View = .same, program: PassedProgram? = nil
  ) {
    self.path = path
    self.owner = owner
    self.mode = mode
    self.view = view
    self.program = program.map { .success($0) }
    isRoots = owner == 0
  }

  /// Asks the kernel. The asker opened the file, so the asker may reach it.
  init(_ descriptor: Descriptor) throws(ProbeError) {
    var status = stat()
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = withExtendedLifetime(descriptor) {
      fstat(descriptor.number, &status) == 0
        ? readlink("/proc/self/fd/\(descriptor.number)", &buffer, buffer.count) : -1
    }
    guard count > 0 else {
      throw ProbeError(
        "a program or library cannot be looked at", "try again", exitStatus: .unavailable)
    }
    path = String(decoding: buffer.prefix(count), as: UTF8.self)
    owner = status.st_uid
    mode = status.st_mode
    isRoots = owner == 0 && !clibc_is_users_file_system(descriptor.number)
    if status.st_mode & S_IFMT == S_IFREG {
      do throws(ELFHeaders.Unreadable) {
        program = .success(try PassedProgram(descriptor, isRoots: isRoots))
      } catch {
        program = .failure(error)
      }
    } else {
      program = nil
    }
    var own = stat()
    if lstat(path, &own) == 0 {
      view = own.st_dev == status.st_dev && own.st_ino == status.st_ino ? .same : .other
    } else {
      view = errno == EACCES ? .hidden : .other
    }
  }
}
