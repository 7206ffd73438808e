import CNode
import Glibc
import TraceRequest

/// An open directory that one owner alone can write. Names are looked up in it
/// and nowhere else (openat(2)), and no symbolic link is followed.
struct Directory: ~Copyable {
  let path: String
  private let descriptor: Int32
  private let owner: uid_t

  private init(descriptor: Int32, path: String, owner: uid_t) {
    self.descriptor = descriptor
    self.path = path
    self.owner = owner
  }

  deinit { close(descriptor) }

  /// Opens an absolute path, or nil where there is none.
  ///
  /// Every folder on the way must be the owner's or root's and not writable by
  /// others (a sticky one like /tmp may be); the last one not even then.
  /// - Parameter create: whether to make the last folder, mode 0755.
  static func open(
    _ path: String, owner: uid_t = geteuid(), create: Bool
  ) throws(ServiceError) -> Directory? {
    let names = path.split(separator: "/").map(String.init)
    var directory = Directory(
      descriptor: Glibc.open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), path: "", owner: owner)
    for (index, name) in names.enumerated() {
      let isLast = index == names.count - 1
      guard let next = try directory.enter(name, create: create && isLast, allowSticky: !isLast)
      else { return nil }
      directory = next
    }
    return directory
  }

  /// Opens a folder in this one, or nil where there is none.
  func subdirectory(_ name: String, create: Bool) throws(ServiceError) -> Directory? {
    try enter(name, create: create, allowSticky: false)
  }

  private func enter(
    _ name: String, create: Bool, allowSticky: Bool
  ) throws(ServiceError) -> Directory? {
    let full = path + "/" + name
    let isNew = create && mkdirat(descriptor, name, 0o755) == 0
    if create, !isNew, errno != EEXIST { throw failure("cannot make the folder", full, errno) }
    let opened = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard opened >= 0 else {
      if errno == ENOENT { return nil }
      if errno == ENOTDIR || errno == ELOOP {
        throw ServiceError(
          "not a folder: \(full): somebody put it there; remove it",
          exitStatus: .notPermitted)
      }
      throw failure("cannot open", full, errno)
    }
    let directory = Directory(descriptor: opened, path: full, owner: owner)
    // The umask of whoever called may be narrower.
    if isNew { fchmod(opened, 0o755) }
    var status = stat()
    guard fstat(opened, &status) == 0 else { throw failure("cannot examine", full, errno) }
    let isOwned = status.st_uid == owner || status.st_uid == 0
    let isClosed = status.st_mode & 0o022 == 0 || allowSticky && status.st_mode & S_ISVTX != 0
    guard isOwned, isClosed else {
      throw ServiceError(
        "not safe to use: \(full): it must belong to uid \(owner) and be writable by nobody else",
        exitStatus: .notPermitted)
    }
    return directory
  }

  /// Waits for the exclusive lock on this directory. It ends with the value's
  /// life, or with the process.
  func lock(until deadline: Deadline) throws(ServiceError) {
    let error = flock_until(descriptor, deadline.remaining)
    if error == 0 { return }
    if error == ETIMEDOUT {
      throw ServiceError(
        "busy for too long: \(path): another start or stop of this job is at work")
    }
    throw failure("cannot lock", path, error)
  }

  /// Whether that name still leads to this directory.
  func isStill(_ name: String, of parent: borrowing Directory) -> Bool {
    var mine = stat()
    var named = stat()
    return fstat(descriptor, &mine) == 0
      && fstatat(parent.descriptor, name, &named, AT_SYMLINK_NOFOLLOW) == 0
      && mine.st_ino == named.st_ino && mine.st_dev == named.st_dev
  }

  /// Writes a file so that a reader sees all of it or what was there before.
  func write(_ name: String, _ bytes: [UInt8], mode: mode_t) throws(ServiceError) {
    let temporary = "." + name + ".new"
    unlinkat(descriptor, temporary, 0)
    let file = openat(
      descriptor, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o400)
    guard file >= 0 else { throw failure("cannot write", path + "/" + name, errno) }
    defer { close(file) }
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes {
        Glibc.write(file, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw failedWrite(name, temporary, errno) }
      written += count
    }
    guard fchmod(file, mode) == 0, fsync(file) == 0,
      renameat(descriptor, temporary, descriptor, name) == 0
    else { throw failedWrite(name, temporary, errno) }
  }

  private func failedWrite(_ name: String, _ temporary: String, _ error: Int32) -> ServiceError {
    unlinkat(descriptor, temporary, 0)
    return failure("cannot write", path + "/" + name, error)
  }

  /// The file's bytes, at most 64 KiB, or nil where it cannot be read.
  func read(_ name: String) -> [UInt8]? {
    let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      count = max(0, Glibc.read(file, buffer.baseAddress, buffer.count))
    }
    return bytes
  }

  /// Whether there is anything of that name.
  func has(_ name: String) -> Bool {
    var status = stat()
    return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
  }

  /// Removes a file, or an empty folder. What is not there is no error.
  func remove(_ name: String) throws(ServiceError) {
    if unlinkat(descriptor, name, 0) == 0 || errno == ENOENT { return }
    if errno == EISDIR, unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT { return }
    throw failure("cannot remove", path + "/" + name, errno)
  }

  /// Every name but `.` and `..`, sorted.
  func names() throws(ServiceError) -> [String] {
    let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let stream = fdopendir(copy) else { throw failure("cannot list", path, errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private func failure(_ what: String, _ path: String, _ error: Int32) -> ServiceError {
    ServiceError(
      "\(what): \(path): \(errorText(error))",
      exitStatus: error == EACCES || error == EPERM
        ? .notPermitted : .unavailable)
  }
}
