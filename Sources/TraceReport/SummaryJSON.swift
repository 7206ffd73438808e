import TraceRequest

/// A summary as JSON. Times are in nanoseconds, sizes in bytes.
extension Summary {
  /// One JSON object and a newline.
  public var json: [UInt8] {
    let value: JSON = .object([
      .init("format", number(1)),
      .init("job", .string(job)),
      .init("user", .string(user)),
      .init("events", number(events)),
      .init("lost_events", number(lostEvents)),
      .init("lost", .object(lost.map { .init($0.reason, number($0.count)) })),
      .init(
        "warnings",
        .array(
          warnings.map {
            .object([.init("subject", .string($0.subject)), .init("text", .string($0.text))])
          })),
      .init("start_ns", number(start)),
      .init("span_ns", number(span)),
      .init("total", .object(members(total))),
      .init("functions", .array(functions.map(json))),
      .init("file_count", number(fileCount)),
      .init(
        "files",
        .array(
          files.map {
            .object(
              [.init("path", .string(Self.text(ofPath: $0.path)))] + members($0.counters))
          })),
      .init(
        "nodes",
        .array(nodes.map { .object([.init("name", .string($0.name))] + members($0.counters)) })),
      .init("process_count", number(processCount)),
      .init("processes", .array(processes.map(json))),
      .init("slowest", .array(slowest.map(json))),
    ])
    return value.text + [0x0a]
  }

  private func json(_ function: Function) -> JSON {
    .object(
      [
        .init("category", .string(function.category)), .init("name", .string(function.name)),
      ] + members(function.counters) + [
        .init("mean_ns", number(function.mean)), .init("min_ns", number(function.shortest)),
        .init("p50_ns", number(function.p50)), .init("p95_ns", number(function.p95)),
        .init("p99_ns", number(function.p99)), .init("max_ns", number(function.longest)),
      ])
  }

  private func json(_ process: Process) -> JSON {
    .object(
      [
        .init("node", .string(process.node)), .init("pid", number(process.pid)),
        .init("name", .string(Self.text(ofPath: process.name))),
        .init("task", process.task.map { number($0) } ?? .null),
      ] + members(process.counters))
  }

  private func json(_ call: SlowCall) -> JSON {
    .object([
      .init("category", .string(call.category)), .init("function", .string(call.function)),
      .init("node", .string(call.node)), .init("pid", number(call.pid)),
      .init("tid", number(call.tid)), .init("start_ns", number(call.start)),
      .init("duration_ns", number(call.duration)),
      .init("ret", call.result.map { number($0) } ?? .null),
      .init("path", call.path.map { .string(Self.text(ofPath: $0)) } ?? .null),
    ])
  }

  private func members(_ counters: Counters) -> [JSON.Member] {
    [
      .init("calls", number(counters.calls)), .init("errors", number(counters.errors)),
      .init("incomplete", number(counters.incomplete)),
      .init("read_bytes", number(counters.readBytes)),
      .init("written_bytes", number(counters.writtenBytes)),
      .init("time_ns", number(counters.time)),
    ]
  }

  private func number(_ value: some FixedWidthInteger) -> JSON { .number(String(value)) }
}
