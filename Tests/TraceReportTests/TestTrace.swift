import CLibDeflate
import Glibc
import GzipMembers
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

  /// Who wrote a trace's gzip members: ours say how long they are.
  enum Packer: CaseIterable {
    case ours, another

    func pack(_ text: String) -> [UInt8] {
      let text = Array(text.utf8)
      if self == .ours {
        return text.withUnsafeBytes { MemberPacker(level: 1).pack($0) { Array($0) } }
      }
      let compressor = libdeflate_alloc_compressor(1)
      defer { libdeflate_free_compressor(compressor) }
      let bound = libdeflate_gzip_compress_bound(compressor, text.count)
      return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
        count = libdeflate_gzip_compress(
          compressor, text, text.count, target.baseAddress, target.count)
      }
    }
  }

  /// Writes a file of the trace, one gzip member for each text.
  @discardableResult
  func write(
    _ name: String, members: [String], by packer: Packer = .ours, cutBy cut: Int = 0
  ) -> String {
    write(name, bytes: Array(members.flatMap(packer.pack).dropLast(cut)))
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
