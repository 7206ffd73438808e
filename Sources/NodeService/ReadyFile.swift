import CLibc
import Glibc
import TraceRequest

/// How a tracer that knows nothing of sd_notify says that it is ready: it makes a file,
/// /run/datacrumbs/datacrumbs-<job>.ready, as LLNL's DataCrumbs does.
public struct ReadyFile {
  private let folder: String
  private let name: String

  /// - Parameter folder: where the tracer makes it.
  public init(job: RunID, folder: String = NodeService.runDirectory) {
    self.folder = folder
    name = "datacrumbs-\(job).ready"
  }

  /// Returns once the file is there. Fails where the tracer ends before, or takes too long.
  ///
  /// - Parameter tracer: its process id; nil: nobody knows.
  public func wait(tracer: Int32?, until deadline: Deadline) throws(ServiceError) {
    let changes = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    defer { close(changes) }
    let events = UInt32(IN_CREATE | IN_MOVED_TO)
    guard changes >= 0, inotify_add_watch(changes, folder, events) >= 0 else {
      throw ServiceError("cannot watch: \(folder): \(errorText(errno))")
    }
    let process = tracer.map { clibc_pidfd_open($0) } ?? -1
    defer { if process >= 0 { close(process) } }
    if tracer != nil, process < 0 { throw Self.ended }
    // It is looked for after the watch began: it cannot come in between.
    while access(folder + "/" + name, F_OK) != 0 {
      var waiting = [
        pollfd(fd: changes, events: Int16(POLLIN), revents: 0),
        pollfd(fd: process, events: Int16(POLLIN), revents: 0),
      ]
      let count = poll(&waiting, 2, deadline.remainingMilliseconds)
      if count == 0 {
        throw ServiceError("the tracer has not said that it is ready: \(folder)/\(name)")
      }
      if waiting[1].revents != 0 { throw Self.ended }
      var buffer = [UInt8](repeating: 0, count: 4096)
      _ = read(changes, &buffer, buffer.count)
    }
  }

  private static var ended: ServiceError {
    ServiceError("the tracer has ended before it was ready")
  }
}
