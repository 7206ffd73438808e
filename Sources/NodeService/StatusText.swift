import TraceRequest

/// What `datacrumbs_service status` prints.
public enum StatusText {
  /// One JSON object a line: the status file's members, and the unit's.
  public static func lines(_ reports: [NodeService.Report]) -> String {
    reports.map { report in
      var members = [JSON.Member("job", .string(report.job.description))]
      if case .object(let status)? = report.status?.json { members += status }
      if let unit = report.unit {
        members.append(
          JSON.Member(
            "unit",
            .object([
              JSON.Member("active_state", .string(unit.active)),
              JSON.Member("status_text", .string(unit.text.onOneLine)),
            ])))
      }
      return String(decoding: JSON.object(members).text, as: UTF8.self) + "\n"
    }.joined()
  }

  /// A table for people. Another tracer than ours says in its status what it likes.
  public static func table(_ reports: [NodeService.Report]) -> String {
    if reports.isEmpty { return "no traced job on this node\n" }
    let head = ["JOB", "STATE", "SINCE", "UNIT", "REASON"]
    let rows = reports.map { report in
      [
        report.job.description, report.status?.state.rawValue ?? "unknown",
        report.status?.since ?? "-", report.unit?.active ?? "gone",
        report.unit.map(\.text).flatMap { $0.isEmpty ? nil : $0 } ?? report.status?.reason ?? "-",
      ].map(\.onOneLine)
    }
    let widths = head.indices.map { column in
      ([head] + rows).map { $0[column].count }.max() ?? 0
    }
    return ([head] + rows).map { row in
      let padded = row.indices.dropLast().map { column in
        row[column] + String(repeating: " ", count: widths[column] - row[column].count)
      }
      return (padded + [row[row.count - 1]]).joined(separator: "  ") + "\n"
    }.joined()
  }
}
