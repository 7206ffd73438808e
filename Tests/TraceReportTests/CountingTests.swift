import Testing

@testable import TraceReport

@Suite("Latencies are counted in bounded memory")
struct LatencyHistogramTests {
  @Test("percentiles are within 3.1% of the exact ones")
  func percentiles() {
    var histogram = LatencyHistogram()
    let values = (1...100_000).map { Int64($0) * 137 }
    for value in values { histogram.add(value) }
    for share in [0.5, 0.95, 0.99, 1.0] {
      let exact = Double(values[Int((Double(values.count) * share).rounded(.up)) - 1])
      #expect(abs(Double(histogram.percentile(share)) - exact) <= exact * 0.032)
    }
  }

  @Test("whole microseconds stay what they are, as long as there are few of them")
  func wholeMicroseconds() {
    for value in (1...32).map({ Int64($0) * 1000 }) {
      var histogram = LatencyHistogram()
      histogram.add(value)
      #expect(histogram.percentile(0.5) == value)
    }
  }

  @Test("the longest durations that a trace can hold are counted")
  func extremes() {
    var histogram = LatencyHistogram()
    for value in [0, 1, Int64.max] { histogram.add(value) }
    #expect(histogram.percentile(0.1) == 0)
    #expect(histogram.percentile(0.5) == 1)
    #expect(histogram.percentile(1) > Int64.max / 100 * 98)
  }

  @Test("two histograms add up to the one of all")
  func addition() {
    var (all, left, right) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
    for value in Int64(0)..<5000 {
      all.add(value * value)
      if value % 3 == 0 { left.add(value * value) } else { right.add(value * value) }
    }
    left.add(right)
    #expect(left.total == all.total)
    for share in stride(from: 0.0, through: 1, by: 0.01) {
      #expect(left.percentile(share) == all.percentile(share))
    }
  }
}

@Suite("A timeline holds any span in the same memory")
struct TimelineTests {
  private func totals(_ timeline: Timeline) -> (bytes: Int64, calls: Int64) {
    timeline.intervals.reduce(into: (0, 0)) {
      $0.0 += $1.readBytes + $1.writtenBytes
      $0.1 += $1.reads + $1.writes + $1.others
    }
  }

  @Test("nothing is lost from a microsecond to decades, in any order")
  func spans() {
    var timeline = Timeline()
    let starts: [Int64] = [5_000_000, 0, 3_600_000_000_000, -7_000, 1 << 60, -(1 << 61)]
    for start in starts {
      timeline.add(direction: .write, bytes: 1000, start: start, duration: 10)
    }
    #expect(timeline.intervals.count <= Timeline.limit)
    #expect(totals(timeline) == (6000, 6))
  }

  @Test("a long transfer's bytes are spread over the time that it took")
  func spreading() {
    var timeline = Timeline()
    timeline.add(direction: .read, bytes: 1_000_000, start: 0, duration: timeline.width * 10)
    #expect(timeline.intervals.prefix(10).allSatisfy { $0.readBytes == 100_000 })
    #expect(totals(timeline) == (1_000_000, 1))
  }

  @Test("two timelines add up to the one of all, whatever each saw first")
  func addition() {
    var (all, left, right) = (Timeline(), Timeline(), Timeline())
    for index in Int64(0)..<3000 {
      let start = index * 7_777_777
      all.add(direction: .read, bytes: 1, start: start, duration: 0)
      if index % 5 == 0 {
        left.add(direction: .read, bytes: 1, start: start, duration: 0)
      } else {
        right.add(direction: .read, bytes: 1, start: start, duration: 0)
      }
    }
    left.add(right)
    #expect(left.widthBits == all.widthBits)
    #expect(left.first == all.first)
    #expect(left.intervals.map(\.readBytes) == all.intervals.map(\.readBytes))
  }
}

@Suite("A function's name tells which way it moves bytes")
struct TransferTests {
  @Test(
    "reads, whatever they are called",
    arguments: [
      "read", "pread64", "readv", "vfs_read", "ksys_read", "__x64_sys_read", "__libc_read",
      "read@GLIBC_2.2.5", "ext4_file_read_iter", "fread", "recvfrom",
    ])
  func reads(name: String) { #expect(Transfer(function: name).direction == .read) }

  @Test("writes", arguments: ["write", "pwrite64", "writev", "vfs_write", "fwrite", "sendfile"])
  func writes(name: String) { #expect(Transfer(function: name).direction == .write) }

  @Test(
    "and neither", arguments: ["openat", "close", "readlink", "readdir", "write_log", "", "__"])
  func others(name: String) { #expect(Transfer(function: name).direction == .other) }
}

@Suite("Names are counted in bounded memory")
struct BoundedCountersTests {
  @Test("where there are too many, those with the least time are counted together")
  func eviction() {
    let counters = BoundedCounters(limit: 100)
    var call = Counters()
    call.calls = 1
    for index in 0..<5000 {
      call.time = index == 17 ? 1_000_000 : 1
      let name = Array("/file\(index)".utf8)
      name.withUnsafeBufferPointer { buffer in
        if let base = buffer.baseAddress { counters.add(call, to: Bytes(base, buffer.count)) }
      }
    }
    var names: [String] = []
    var sum = counters.others.calls
    counters.forEach { name, counters in
      names.append(String(decoding: name.buffer, as: UTF8.self))
      sum += counters.calls
    }
    #expect(names.count <= 100)
    #expect(names.contains("/file17"))
    #expect(sum == 5000)
    #expect(counters.otherNames + names.count == 5000)
  }
}

@Suite("A report's memory is bounded")
struct BoundedTallyTests {
  @Test("functions beyond the limit are counted as one, whatever their names and categories are")
  func functions() {
    var limits = Tally.Limits()
    limits.functions = 10
    func tally(_ lines: [String]) -> Tally {
      let tally = Tally(
        sources: [TraceSource(nodes: [0], pidsPerNode: 1, origin: 0)], nodes: 1, limits: limits)
      Array((lines.joined(separator: "\n") + "\n").utf8).withUnsafeBytes {
        tally.consume($0, file: 0)
      }
      return tally
    }
    func line(_ name: Int, _ category: Int) -> String {
      #"{"name":"f\#(name)","cat":"c\#(category)","ph":"X","ts":1,"dur":1,"pid":1,"tid":1,"args":{"ret":0}}"#
    }
    for lines in [
      (0..<1000).map { line(0, $0) }, (0..<1000).map { line($0, 0) },
      (0..<1000).map { line($0 % 7, $0 / 7) },
    ] {
      let all = tally(lines + lines)
      #expect(all.events == 2000)
      guard all.functions.count == limits.functions + 1 else {
        Issue.record("\(all.functions.count) functions")
        continue
      }
      #expect(all.functions.reduce(0) { $0 + $1.counters.calls } == 2000)
      #expect(all.functions[..<limits.functions].allSatisfy { $0.counters.calls == 2 })
      all.add(tally(lines))
      guard all.functions.count == limits.functions + 1 else {
        Issue.record("\(all.functions.count) functions")
        continue
      }
      #expect(all.functions.reduce(0) { $0 + $1.counters.calls } == 3000)
    }
  }
}
