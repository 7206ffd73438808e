import CLibc
import Glibc
import TraceRequest

/// Paths that are followed from the root, folder by folder, through no symbolic link but one that
/// only root can have made: a link of root's, in a folder that only root writes to.
enum RootsPath {
  /// Why a path was not followed.
  struct Failure: Error {
    let reason: String
  }

  /// As the kernel has it (path_resolution(7)).
  private static let linkLimit = 40

  /// Finds what stands under an absolute path, and does not open it (O_PATH). The caller closes
  /// the descriptor.
  static func look(at path: String) throws(Failure) -> Int32 {
    var folder = clibc_look_at(AT_FDCWD, "/", O_DIRECTORY)
    guard folder >= 0 else { throw Failure(reason: errorText(errno)) }
    // What is still to be followed, last part first.
    var names = Self.parts(path)
    var links = 0
    while let name = names.popLast() {
      // A folder that an automounter is to mount is mounted for O_DIRECTORY alone.
      var next = names.isEmpty ? -1 : clibc_look_at(folder, name, O_NOFOLLOW | O_DIRECTORY)
      if next < 0, names.isEmpty || errno == ENOTDIR {
        next = clibc_look_at(folder, name, O_NOFOLLOW)
      }
      guard next >= 0 else {
        let number = errno
        close(folder)
        throw Failure(reason: errorText(number))
      }
      var status = stat()
      guard fstat(next, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else {
        close(folder)
        folder = next
        continue
      }
      links += 1
      let target = Self.target(of: next)
      close(next)
      guard status.st_uid == 0, Self.isRoots(folder), links <= Self.linkLimit, let target else {
        close(folder)
        throw Failure(reason: "there is a link on the way to it, which root has not made")
      }
      names += Self.parts(target)
      if target.hasPrefix("/") {
        close(folder)
        folder = clibc_look_at(AT_FDCWD, "/", O_DIRECTORY)
        guard folder >= 0 else { throw Failure(reason: errorText(errno)) }
      }
    }
    return folder
  }

  private static func parts(_ path: String) -> [String] {
    path.split(separator: "/").reversed().map(String.init)
  }

  private static func isRoots(_ folder: Int32) -> Bool {
    var status = stat()
    return fstat(folder, &status) == 0 && status.st_uid == 0
      && status.st_mode & (S_IWGRP | S_IWOTH) == 0
  }

  private static func target(of link: Int32) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlinkat(link, "", &buffer, buffer.count)
    return count > 0 && count < buffer.count
      ? String(validating: buffer.prefix(count), as: UTF8.self) : nil
  }
}
