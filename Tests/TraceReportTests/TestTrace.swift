import Glibc
import Testing

@testable import TraceReport

/// A folder for one test's traces.
final class TestTrace {
  let path: String

  init() {
    var template = Array("/tmp/datacrumbs-report-XXXXXX".utf8CString)
    mkdtemp(&template)
    path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }

  deinit {
    for name in names { unlink(path + "/" + name) }
    rmdir(path)
  }

  private var names: [String] = []

  /// Writes a file of the trace, one gzip member for each text.
  @discardableResult
  func write(_ name: String, members: [String], cutBy cut: Int = 0) -> String {
    var bytes: [UInt8] = []
    for member in members {
      bytes += Array(member.utf8).withUnsafeBytes { GzipMember().compress($0) }
    }
    return write(name, bytes: Array(bytes.dropLast(cut)))
  }

  @discardableResult
  func write(_ name: String, bytes: [UInt8]) -> String {
    names.append(name)
    let file = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    _ = bytes.withUnsafeBytes { Output.writeAll($0, to: file) }
    close(file)
    return path + "/" + name
  }

  /// A name in the folder that is removed with it.
  func newFile(_ name: String) -> String {
    names.append(name)
    return path + "/" + name
  }

  func summary(limit: Int = 10, workers: Int = 2) throws -> Summary {
    var limits = Tally.Limits()
    limits.slowest = limit
    return try Summary(
      of: TraceFolder(path), limit: limit, limits: limits, workers: workers, progress: nil)
  }

  static func head(node: String = "c1", origin: Int = 1_790_000_000_000_000_000) -> String {
    "[\n{\"name\":\"trace\",\"cat\":\"datacrumbs\",\"ph\":\"M\",\"ts\":0,\"pid\":0,\"tid\":0,"
      + "\"args\":{\"format\":1,\"node\":\"\(node)\",\"job\":\"42\",\"user\":\"alice\","
      + "\"clock_realtime_ns\":\(origin),\"clock_monotonic_ns\":1,\"functions\":1,"
      + "\"not_attached\":[]}}\n"
  }

  static func end(events: Int = 0, lost: Int = 0) -> String {
    "{\"name\":\"end\",\"cat\":\"datacrumbs\",\"ph\":\"M\",\"ts\":0,\"pid\":0,\"tid\":0,"
      + "\"args\":{\"events\":\(events),\"lost\":{\"ring_full\":\(lost),\"too_deep\":0},"
      + "\"incomplete\":0}}\n]\n"
  }

  static func call(
    _ name: String = "read", ts: String = "1.000", dur: String = "2.000", pid: Int = 7,
    args: String = "\"ret\":100"
  ) -> String {
    "{\"name\":\"\(name)\",\"cat\":\"posix\",\"ph\":\"X\",\"ts\":\(ts),\"dur\":\(dur),"
      + "\"pid\":\(pid),\"tid\":\(pid),\"args\":{\(args)}}\n"
  }
}
