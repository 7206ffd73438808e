import CNode
import Glibc
import TraceRequest

/// A user of this node and a file read with that user's rights.
struct UserFile: Sendable {
  let user: String
  let home: String
  let bytes: [UInt8]

  /// Reads a file as its user, in a child process. A child that does not answer
  /// in time, on a file server that is gone say, is killed and left behind.
  static func read(
    _ path: String, uid: UInt32, limit: Int, until deadline: Deadline
  ) throws(ServiceError) -> UserFile {
    var pipe: Int32 = -1
    let child = path.withCString { cuserfile_start(uid, $0, limit, &pipe) }
    guard child > 0 else {
      throw ServiceError("cannot start a process: \(path): \(errorText(errno))")
    }
    defer {
      close(pipe)
      // Its pid is ours until we wait for it, so that this kills nobody else.
      kill(child, SIGKILL)
      var status: Int32 = 0
      waitpid(child, &status, WNOHANG)
    }

    var header = cuserfile_header()
    let size = MemoryLayout<cuserfile_header>.size
    var answer = try receive(size, from: pipe, path, until: deadline)
    withUnsafeMutableBytes(of: &header) { $0.copyBytes(from: answer) }
    let user = withUnsafeBytes(of: header.user, text)
    let home = withUnsafeBytes(of: header.home, text)
    if let error = failure(header, path, uid: uid, user: user, limit: limit) { throw error }
    answer = try receive(Int(header.size), from: pipe, path, until: deadline)
    return UserFile(user: user, home: home, bytes: answer)
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func receive(
    _ count: Int, from pipe: Int32, _ path: String, until deadline: Deadline
  ) throws(ServiceError) -> [UInt8] {
    var failed: ServiceError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = 0
      while filled < count {
        var ready = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
        let left = deadline.remainingMilliseconds
        let events = left == 0 ? 0 : poll(&ready, 1, left)
        if events < 0, errno == EINTR { continue }
        guard events > 0 else {
          failed = ServiceError(
            "no answer in time: \(path): its file system or the user database hangs",
            exitStatus: .noInput)
          return
        }
        let received = Glibc.read(pipe, buffer.baseAddress.map { $0 + filled }, count - filled)
        if received < 0, errno == EINTR { continue }
        guard received > 0 else {
          failed = ServiceError(
            "the process that reads it ended early: \(path)", exitStatus: .noInput)
          return
        }
        filled += received
      }
    }
    if let failed { throw failed }
    return bytes
  }

  private static func failure(
    _ header: cuserfile_header, _ path: String, uid: UInt32, user: String, limit: Int
  ) -> ServiceError? {
    let reason = errorText(header.error)
    switch cuserfile_stage(header.stage) {
    case CUSERFILE_DONE: return nil
    case CUSERFILE_NO_USER:
      return ServiceError(
        "no such user on this node: uid \(uid): check its user database",
        exitStatus: .noUser)
    case CUSERFILE_LOOKUP:
      return ServiceError(
        "cannot look the user up: uid \(uid): \(reason)", exitStatus: .noUser)
    case CUSERFILE_GROUPS:
      return ServiceError(
        "cannot look the user's groups up: \(user): \(reason)", exitStatus: .noUser)
    case CUSERFILE_CREDENTIALS:
      return ServiceError(
        "cannot take the user's rights: \(user): \(reason)", exitStatus: .notPermitted)
    case CUSERFILE_NOT_REGULAR:
      return ServiceError("not a regular file: \(path)", exitStatus: .noInput)
    case CUSERFILE_TOO_LARGE:
      return ServiceError(
        "larger than \(limit >> 20) MiB: \(path): not a probe file", exitStatus: .badData)
    default:
      return ServiceError(
        "\(user) cannot read the probe file: \(path): \(reason)", exitStatus: .noInput)
    }
  }
}
