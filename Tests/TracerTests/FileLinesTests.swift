import CTracerBPF
import Foundation
import Testing

@testable import Tracer

/// Where a file's line stands in the trace.
struct FileLinesTests {
  private let formatter = EventFormatter(
    syscalls: [TracedFunction(category: "posix", name: "read", arguments: [])], functions: [],
    start: 0, node: "c1", unit: .microseconds, capacity: 4 << 20)

  private func learn(_ key: UInt64, _ name: String) {
    var record = dc_record()
    record.kind = UInt8(DC_KIND_FILE.rawValue)
    record.start = key
    var bytes = withUnsafeBytes(of: record) { Array($0) } + Array(name.utf8) + [0]
    bytes.withUnsafeMutableBytes { _ = formatter.append(UnsafeRawBufferPointer($0)) }
  }

  private func call(_ key: UInt64) {
    var record = dc_record()
    record.kind = UInt8(DC_KIND_SYSCALL.rawValue)
    record.flags = UInt8(DC_HAS_FILE.rawValue)
    var bytes = withUnsafeBytes(of: record) { Array($0) } + withUnsafeBytes(of: key) { Array($0) }
    bytes.withUnsafeMutableBytes { _ = formatter.append(UnsafeRawBufferPointer($0)) }
  }

  /// The path of each file's line, and the file that each call names.
  private func lines() throws -> [String] {
    var paths: [String: String] = [:]
    return try String(decoding: formatter.bytes, as: UTF8.self).split(separator: "\n").map { line in
      let event = try #require(
        JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      let arguments = try #require(event["args"] as? [String: Any])
      guard event["name"] as? String == "FH" else {
        let hash = arguments["fhash"] as? String
        return "read " + (hash.flatMap { paths[$0] } ?? "nothing")
      }
      let hash = try #require(arguments["value"] as? String)
      let path = try #require(arguments["name"] as? String)
      paths[hash] = path
      return path
    }
  }

  @Test func aFilesLineStandsBeforeTheFirstCallThatNamesItAndNowhereElse() throws {
    learn(1, "a")
    learn(2, "b")
    learn(3, "c")
    for key: UInt64 in [2, 1, 2, 1, 4] { call(key) }
    #expect(
      try lines() == ["/b", "read /b", "/a", "read /a", "read /b", "read /a", "read nothing"])
  }

  @Test func aFileThatIsLearntAgainHasItsLastPath() throws {
    learn(1, "old")
    learn(1, "new")
    call(1)
    learn(1, "newer")
    call(1)
    #expect(try lines() == ["/new", "read /new", "/newer", "read /newer"])
  }

  @Test func noFileIsForgottenHoweverManyCallsComeLate() throws {
    let keys = (1...5000).map { UInt64($0) }
    for key in keys { learn(key, "f\(key)") }
    for key in keys { call(key) }
    let lines = try lines()
    #expect(lines.filter { $0.hasPrefix("read ") } == keys.map { "read /f\($0)" })
    #expect(lines.count == 2 * keys.count)
  }
}
