import Glibc
import TraceRequest

/// What the first lines of a trace file say of it.
struct TraceHead: Sendable {
  /// Where the file lies.
  let path: String
  /// On disk, in bytes.
  let size: Int
  /// The node's name, of the file's name where the file does not say.
  private(set) var node: String
  /// The job id as text, empty where the file does not say.
  private(set) var job = ""
  /// Whose job it is, empty where the file does not say.
  private(set) var user = ""
  /// The time of day that is 0 in the file, in nanoseconds since 1970; nil where the file does
  /// not say: then its times are taken as they are.
  private(set) var origin: Int64?
  /// Functions that were asked for and could not be traced.
  private(set) var notAttached: [NotAttached] = []

  /// The nodes of a merged file, in the order of their pids; empty for a file of one node.
  private(set) var mergedNodes: [String] = []
  /// How many pids each node of a merged file has.
  private(set) var pidsPerNode: Int64 = 0

  /// The nodes whose calls the file holds.
  var nodes: [String] { mergedNodes.isEmpty ? [node] : mergedNodes }

  /// Reads the lines before the first event.
  init(_ path: String) throws(ReportError) {
    self.path = path
    node = TraceFolder.node(ofFile: path)
    var status = stat()
    size = stat(path, &status) == 0 ? Int(status.st_size) : 0
    let file = try InflatedFile(path)
    let buffer = LineBuffer(size: 64 << 10)
    while file.read(into: buffer), buffer.unpack() == nil {
      guard var reader = LineReader(buffer.bytes) else { return }
      var line = TraceLine()
      while let kind = reader.next(&line) {
        guard kind == .event else { continue }
        guard line.phase == UInt8(ascii: "M") else { return }
        if let name = line.name, name.bytes.equals("trace"), read(reader.lineBytes) { return }
      }
    }
  }

  private mutating func read(_ line: Bytes) -> Bool {
    guard let value = try? JSON(reading: Array(line.buffer)), let arguments = value["args"],
      let format = arguments["format"]?.integer, format >= 1
    else { return false }
    if let text = arguments["node"]?.string, !text.isEmpty { node = text }
    if case .array(let list)? = arguments["nodes"], list.count <= 65_536,
      let count = arguments["pids_per_node"]?.integer, count > 0
    {
      mergedNodes = list.map { $0.string ?? "" }
      pidsPerNode = count
    }
    job = arguments["job"]?.string ?? ""
    user = arguments["user"]?.string ?? ""
    if let value = arguments["clock_realtime_ns"]?.integer, value > 0, value < 1 << 62 {
      origin = value
    }
    if case .array(let list)? = arguments["not_attached"] {
      notAttached = list.map {
        NotAttached(
          category: $0["cat"]?.string ?? "", function: $0["name"]?.string ?? "",
          reason: $0["reason"]?.string ?? "")
      }
    }
    return true
  }
}

/// A function that was asked for and not traced on a node.
public struct NotAttached: Sendable, Hashable {
  /// The probe's category.
  public let category: String
  /// The function.
  public let function: String
  /// Why.
  public let reason: String
}

/// What the last line of a trace file says: nil where the tracer was killed before it.
struct TraceTail {
  /// Events in the file, by the tracer's own count.
  let events: Int64?
  /// Events that are not in the file, by reason; only what occurred.
  let lost: [(reason: String, count: Int64)]
  /// Whether the file is a merged one of which a part is missing.
  let isPartial: Bool

  init?(_ line: Bytes) {
    guard let value = try? JSON(reading: Array(line.buffer)), let arguments = value["args"],
      value["cat"]?.string == "datacrumbs"
    else { return nil }
    events = arguments["events"]?.integer
    var lost: [(String, Int64)] = []
    if case .object(let members)? = arguments["lost"] {
      for member in members {
        if let count = member.value.integer, count > 0 { lost.append((member.name, count)) }
      }
    }
    self.lost = lost
    if case .bool(true)? = arguments["partial"] { isPartial = true } else { isPartial = false }
  }
}

extension JSON {
  /// The value of a whole number that Int64 holds.
  var integer: Int64? {
    if case .number(let text) = self { return Int64(text) }
    return nil
  }
}
