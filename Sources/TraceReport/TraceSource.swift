/// Whose calls a file holds, and how its pids and times become those of the whole trace.
struct TraceSource: Sendable {
  /// The numbers of the nodes: one, but for a merged file.
  let nodes: [Int]
  /// The pids that each node of a merged file has.
  let pidsPerNode: Int64
  /// The time of day that is the file's zero, in nanoseconds since 1970.
  let origin: Int64

  /// The names of all nodes in order, and for each file its source.
  static func sources(_ heads: [TraceHead]) -> (nodes: [String], sources: [TraceSource]) {
    var names: Set<String> = []
    for head in heads { names.formUnion(head.nodes) }
    let sorted = names.sorted()
    var numbers: [String: Int] = [:]
    for (number, name) in sorted.enumerated() { numbers[name] = number }
    return (
      sorted,
      heads.map { head in
        TraceSource(
          nodes: head.nodes.map { numbers[$0] ?? 0 }, pidsPerNode: head.pidsPerNode,
          origin: head.origin ?? 0)
      }
    )
  }

  /// The node and the pid there of a process in the file.
  @inline(__always) func process(_ pid: Int64) -> (node: Int, pid: Int64) {
    guard nodes.count > 1, pid >= 0 else { return (nodes[0], pid) }
    let (node, rest) = pid.quotientAndRemainder(dividingBy: pidsPerNode)
    return node < nodes.count ? (nodes[Int(node)], rest) : (nodes[0], pid)
  }

  /// A time of day in nanoseconds, so small that two of them can be subtracted.
  @inline(__always) func time(_ start: Int64) -> Int64 {
    let limit: Int64 = 1 << 62
    let (sum, overflow) = start.addingReportingOverflow(origin)
    return overflow ? limit - 1 : max(-limit, min(limit - 1, sum))
  }
}

extension TraceHead {
  /// The heads of all files of a trace.
  static func read(_ folder: TraceFolder) throws(ReportError) -> [TraceHead] {
    var heads: [TraceHead] = []
    for file in folder.files { heads.append(try TraceHead(file)) }
    return heads
  }
}
