import CTracerBPF
import Glibc
import TraceRequest

/// The first and the last lines of a trace: what it is of, and what it lacks.
enum TraceMetadata {
  static let format = 2

  /// The opening bracket and the line that says what the trace is of.
  static func head(
    node: String, job: String, user: String, start: UInt64, startRealtime: UInt64, functions: Int,
    unit: TraceOptions.TimeUnit, hooks: [(name: String, count: Int)], attachMicroseconds: UInt64,
    notAttached: [NotAttached]
  ) -> [UInt8] {
    let arguments: JSON = .object([
      .init("format", number(format)),
      .init("node", .string(node)),
      .init("job", .string(job)),
      .init("user", .string(user)),
      .init("clock_realtime_ns", number(startRealtime)),
      .init("clock_monotonic_ns", number(start)),
      .init("time_unit", .string(unit.rawValue)),
      .init("functions", number(functions)),
      .init("hooks", .object(hooks.map { .init($0.name, number($0.count)) })),
      .init("attach_us", number(attachMicroseconds)),
      .init("not_attached", array(notAttached)),
    ])
    // What the events' hhash stands for.
    let host: JSON = .object([.init("name", .string(node)), .init("value", .string(node))])
    return Array("[\n".utf8) + line("trace", arguments)
      + line("HH", category: "dftracer", host)
  }

  /// The line that counts what the trace holds and lacks, and the closing bracket.
  static func tail(
    events: UInt64, unwritten: UInt64, slowWriter: UInt64, counts: dc_counts,
    detachMicroseconds: UInt64
  ) -> [UInt8] {
    let arguments: JSON = .object([
      .init("events", number(events)),
      .init(
        "lost",
        .object(
          lost(unwritten: unwritten, slowWriter: slowWriter, counts: counts).map {
            .init($0.name, number($0.count))
          })),
      .init("incomplete", number(counts.incomplete)),
      .init("unreadable_strings", number(counts.unreadable_strings)),
      .init("privileged_programs", number(counts.privileged)),
      .init("marked_tasks", number(counts.marked)),
      .init("detach_us", number(detachMicroseconds)),
    ])
    return line("end", arguments) + Array("]\n".utf8)
  }

  /// What is not traced, and why.
  static func array(_ notAttached: some Sequence<NotAttached>) -> JSON {
    .array(
      notAttached.map {
        .object([
          .init("cat", .string($0.category)), .init("name", .string($0.function)),
          .init("reason", .string($0.reason)),
        ])
      })
  }

  /// What was lost, by reason, the reasons that occurred; empty where nothing was.
  static func lostText(unwritten: UInt64, slowWriter: UInt64, counts: dc_counts) -> String {
    lost(unwritten: unwritten, slowWriter: slowWriter, counts: counts).filter { $0.count > 0 }
      .map { "\($0.count) \($0.name)" }.joined(separator: ", ")
  }

  /// What was lost, by reason.
  static func lost(
    unwritten: UInt64, slowWriter: UInt64, counts: dc_counts
  ) -> [(name: String, count: UInt64)] {
    [
      ("ring_full", counts.lost_ring_full - min(slowWriter, counts.lost_ring_full)),
      ("slow_writer", slowWriter), ("not_written", unwritten),
      ("too_deep", counts.lost_too_deep), ("no_memory", counts.lost_no_memory),
      ("unmarked_children", counts.lost_marks), ("profiles_full", counts.lost_profiles),
      ("compat_calls", counts.compat),
    ]
  }

  private static func line(
    _ name: String, category: String = "datacrumbs", _ arguments: JSON
  ) -> [UInt8] {
    let event: JSON = .object([
      .init("name", .string(name)), .init("cat", .string(category)),
      .init("ph", .string("M")), .init("ts", number(0)), .init("pid", number(0)),
      .init("tid", number(0)), .init("args", arguments),
    ])
    return event.text + [0x0a]
  }

  private static func number(_ value: some FixedWidthInteger) -> JSON {
    .number(String(value))
  }
}
