import CTracerBPF
import Foundation
import Testing

@testable import Tracer

struct TracePiecesTests {
  private func quoted(_ bytes: [UInt8]) -> String {
    let target = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count * 6 + 2)
    defer { target.deallocate() }
    let count = bytes.withUnsafeBytes { JSONText.quote($0, to: target) }
    return String(decoding: UnsafeBufferPointer(start: target, count: count), as: UTF8.self)
  }

  @Test func anyBytesOfAPathBecomeValidJSON() throws {
    #expect(quoted(Array("a\"b\\c\u{1}\u{7f}é".utf8)) == "\"a\\\"b\\\\c\\u0001\\u007fé\"")
    // Overlong, surrogate, cut short, beyond U+10FFFF: each byte as Python's surrogateescape has it.
    #expect(quoted([0xc0, 0xaf]) == "\"\\udcc0\\udcaf\"")
    #expect(quoted([0xed, 0xa0, 0x80]) == "\"\\udced\\udca0\\udc80\"")
    #expect(quoted([0xe2, 0x82]) == "\"\\udce2\\udc82\"")
    #expect(quoted([0xf4, 0x90, 0x80, 0x80]) == "\"\\udcf4\\udc90\\udc80\\udc80\"")
    for _ in 0..<1000 {
      let bytes = (0..<20).map { _ in UInt8.random(in: 1...126) }
      let parsed = try JSONSerialization.jsonObject(
        with: Data(quoted(bytes).utf8), options: .fragmentsAllowed)
      #expect(parsed as? String == String(decoding: bytes, as: UTF8.self))
    }
  }

  @Test func numbersOfEveryLengthAreWrittenWhole() {
    let target = UnsafeMutablePointer<UInt8>.allocate(capacity: 20)
    defer { target.deallocate() }
    var value: UInt64 = 1
    var values: [UInt64] = [0, .max]
    for _ in 0..<19 {
      values += [value - 1, value, value + 1]
      value *= 10
    }
    for value in values {
      let count = Decimal.write(value, to: target)
      let text = String(decoding: UnsafeBufferPointer(start: target, count: count), as: UTF8.self)
      #expect(text == String(value))
    }
  }

  @Test func aTableForgetsAndNeverGrows() {
    var table = ForgetfulTable(bits: 4)
    for key in 1...1000 as ClosedRange<UInt64> {
      table.insert(key, key * 2)
      #expect(table[key] == key * 2)
    }
    #expect((1...1000 as ClosedRange<UInt64>).count { table[$0] != nil } <= 16)
    #expect((1...1000 as ClosedRange<UInt64>).allSatisfy { table[$0] ?? ($0 * 2) == $0 * 2 })
  }

  @Test func functionsOfAnELFFileAreFoundByOffset() throws {
    let libc = "/lib/x86_64-linux-gnu/libc.so.6"
    let symbols = try ELFSymbols(path: libc, wanted: ["fopen", "no_such"])
    #expect((symbols["fopen"] ?? 0) > 0)
    #expect(symbols["no_such"] == nil)
  }

  @Test func aDamagedELFFileIsRefusedOrEmptyAndNothingElse() throws {
    let original = try Data(contentsOf: URL(fileURLWithPath: "/bin/true"))
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("elf-\(getpid())")
    defer { try? FileManager.default.removeItem(at: file) }
    for round in 0..<300 {
      var bytes = original
      if round % 2 == 0 {
        bytes = bytes.prefix(Int.random(in: 0..<bytes.count))
      } else {
        // The headers, where the offsets are.
        for _ in 0..<8 { bytes[Int.random(in: 4..<1024)] = .random(in: 0...255) }
        for _ in 0..<8 { bytes[bytes.count - Int.random(in: 1...2048)] = .random(in: 0...255) }
      }
      try bytes.write(to: file)
      _ = try? ELFSymbols(path: file.path, wanted: ["main"])
    }
    for path in ["/dev/null", "/tmp", "/nosuch"] {
      #expect(throws: ELFSymbols.Unreadable.self) {
        try ELFSymbols(path: path, wanted: ["main"])
      }
    }
  }

  @Test func aTraceThatIsCutAnywhereReadsToItsLastWholeMember() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cut-\(getpid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = try TraceFile(directory: folder.path, node: "n1")
    var ends: [Int] = []
    for number in 0..<20 {
      let member = Array("{\"line\":\(number)}\n".utf8)
      #expect(member.withUnsafeBytes { file.write($0, isHurried: number % 2 == 0) })
      ends.append(file.bytesWritten)
    }
    let whole = try Data(contentsOf: URL(fileURLWithPath: file.path))
    #expect(whole.count == ends.last)
    let cut = folder.appendingPathComponent("cut.gz")
    for length in stride(from: 1, through: whole.count, by: 7) {
      try whole.prefix(length).write(to: cut)
      let text = try TracedRun.output(of: "gzip -dc '\(cut.path)' 2>/dev/null || true")
      let lines = text.split(separator: "\n")
      #expect(lines.count >= ends.count { $0 <= length })
      for (number, line) in lines.prefix(ends.count { $0 <= length }).enumerated() {
        #expect(line == "{\"line\":\(number)}")
      }
    }
  }

  @Test func aLongWaitForACPUIsRememberedForAWhile() {
    var wait = CPUWait()
    defer { wait.end() }
    // What came before the first look does not count, nor does a short wait.
    let looks = [(7, 7), (107, 7), (207, 36), (307, 136)] + (4...11).map { (7 + 100 * $0, 136) }
    let answers = looks.map { running, waiting in
      wait.isLong(now: .init(running: UInt64(running), waiting: UInt64(waiting)))
    }
    #expect(answers == [false, false, false] + Array(repeating: true, count: 8) + [false])
    let unknown = wait.isLong(now: nil)
    #expect(!unknown)
  }

  @Test func theKernelsTimesOfAThreadAreRead() throws {
    var wait = CPUWait()
    defer { wait.end() }
    // Two busy threads of one CPU wait for each other.
    let thread = try #require(
      try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
        .split(separator: "/").last)
    let before = try TracedRun.output(of: "taskset -pc \(thread) | sed 's/.*: //'")
    let processor = try #require(before.split { $0 == "," || $0 == "-" }.first)
    _ = try TracedRun.output(of: "taskset -pc \(processor) \(thread)")
    defer { _ = try? TracedRun.output(of: "taskset -pc \(before) \(thread)") }
    let other = Process()
    other.executableURL = URL(fileURLWithPath: "/usr/bin/taskset")
    other.arguments = ["-c", String(processor), "sh", "-c", "while :; do :; done"]
    try other.run()
    defer { kill(other.processIdentifier, SIGKILL) }
    _ = wait.isLong()
    let limit = ContinuousClock.now + .seconds(30)
    var isLong = false
    while !isLong, ContinuousClock.now < limit {
      let turn = ContinuousClock.now + .milliseconds(50)
      while ContinuousClock.now < turn {}
      isLong = wait.isLong()
    }
    #expect(isLong)
  }

  @Test func aNameIsFoundWhereverItLiesInAFile() throws {
    let file = NSTemporaryDirectory() + "/names-\(getpid())"
    defer { unlink(file) }
    // Reading parts must not lose what lies over their ends.
    for before in [0, 1, 100, 65_530, 65_535, 65_536, 131_070] {
      let bytes = Data(repeating: 0x61, count: before) + Data("\0some_name\0tail".utf8)
      try bytes.write(to: URL(fileURLWithPath: file))
      #expect(datacrumbs_file_contains(file, "some_name") == 1)
      #expect(datacrumbs_file_contains(file, "some_nam") == 0)
      #expect(datacrumbs_file_contains(file, "ome_name") == 0)
    }
    #expect(datacrumbs_file_contains("/no/such/file", "x") == -ENOENT)
  }
}
