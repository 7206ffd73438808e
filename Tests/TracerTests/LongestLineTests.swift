import CTracerBPF
import Foundation
import Testing

@testable import Tracer

/// What one record can add at most stays inside of the buffer, and is written whole.
struct LongestLineTests {
  /// A record of a call with a file and two strings, all of them as long as they can be and of bytes
  /// that are escaped.
  private static func longestCall(_ number: UInt8, _ key: UInt64) -> [UInt8] {
    var record = dc_record()
    record.kind = UInt8(DC_KIND_UPROBE.rawValue)
    record.flags = UInt8(DC_HAS_FILE.rawValue)
    record.start = .max
    record.duration = .max
    record.result = .min
    record.pid = .max
    record.tid = .max
    record.values = 0b11_1100
    record.strings = 0b11
    var bytes = withUnsafeBytes(of: record) { Array($0) } + withUnsafeBytes(of: key) { Array($0) }
    for _ in 0..<4 { bytes += withUnsafeBytes(of: UInt64.max) { Array($0) } }
    for first: UInt8 in [1, 2] {
      let length = UInt16(DC_STRING_SIZE - 1)
      bytes += withUnsafeBytes(of: length.littleEndian) { Array($0) }
      bytes += [first, number] + [UInt8](repeating: 2, count: Int(length) - 2)
    }
    return bytes
  }

  /// A file whose path is as long as the kernel's part can make it.
  private static func longestFile(_ key: UInt64, _ number: UInt8) -> [UInt8] {
    var record = dc_record()
    record.kind = UInt8(DC_KIND_FILE.rawValue)
    record.flags = UInt8(DC_NO_STRING.rawValue)
    record.start = key
    var bytes = withUnsafeBytes(of: record) { Array($0) }
    for _ in 0..<17 { bytes += [number] + [UInt8](repeating: 2, count: 254) + [0] }
    return bytes
  }

  private func append(_ bytes: [UInt8], to formatter: EventFormatter) -> Bool {
    bytes.withUnsafeBytes { formatter.append($0) }
  }

  @Test(arguments: [8, 100_000])
  func theLongestRecordsOfTheLongestFunctionFit(labelLength: Int) throws {
    let function = TracedFunction(
      category: String(repeating: "\"", count: 1024), name: String(repeating: "\"", count: 1024),
      arguments: (0..<6).map { index in
        TracedArgument(
          name: String(repeating: "\u{1}", count: labelLength) + "\(index)",
          kind: index < 2 ? .path : .unsigned)
      })
    let formatter = EventFormatter(
      syscalls: [], functions: [function], start: 0, node: String(repeating: "\u{1}", count: 255),
      unit: .nanoseconds, capacity: 0)
    var calls = 0
    var number: UInt8 = 0
    while formatter.hasRoom, number < 100 {
      number += 1
      let key = UInt64(number) * 2 + 1
      _ = append(Self.longestFile(key, number), to: formatter)
      if append(Self.longestCall(number, key), to: formatter) { calls += 1 }
      try #require(formatter.bytes.count <= formatter.capacity)
    }
    #expect(calls == Int(number) && calls > 0)
    let lines = formatter.bytes.split(separator: 10)
    #expect(lines.count == 4 * calls)
    for line in lines {
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line)) }
    }
  }

  @Test func aRecordThatIsLongerThanAnyIsPassedOverWhole() throws {
    let formatter = EventFormatter(
      syscalls: [TracedFunction(category: "posix", name: "read", arguments: [])], functions: [],
      start: 0, node: "c1", unit: .microseconds, capacity: 0)
    var record = dc_record()
    record.kind = UInt8(DC_KIND_PROCESS.rawValue)
    record.pid = 7
    let head = withUnsafeBytes(of: record) { Array($0) }
    _ = append(head + [UInt8](repeating: 1, count: formatter.capacity), to: formatter)
    try #require(formatter.bytes.isEmpty)
    _ = append(head + Array("sh".utf8), to: formatter)
    #expect(
      String(decoding: formatter.bytes, as: UTF8.self).hasPrefix("{\"name\":\"process_name\""))
    #expect(formatter.bytes.last == 10)
  }
}
