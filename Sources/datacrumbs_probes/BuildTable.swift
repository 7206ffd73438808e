import ProbeDiscovery
import ProbeDocument
import Signing
import TraceRequest

/// What each entry of a configuration came to: the categories, and the table that a user reads.
struct BuildTable {
  private struct Row {
    let name: String
    let kind: ProbeKind
    let remark: String?
    var category: ProbeCategory?
    let isExplicit: Bool
    var skipped: [String: Int]
  }

  private var rows: [Row] = []

  /// Adds an entry's outcome.
  mutating func add(_ outcome: ProbeDiscovery.Outcome) {
    rows.append(
      Row(
        name: outcome.name, kind: outcome.kind, remark: outcome.remark, category: outcome.category,
        isExplicit: outcome.isExplicit, skipped: outcome.skipped))
  }

  /// What is to be signed.
  var categories: [ProbeCategory] { rows.compactMap(\.category) }

  /// Takes functions out that the signing service refused. False where one of them is named by
  /// the configuration itself: then nothing is taken out.
  mutating func remove(_ functions: [Refusal.Function]) -> Bool {
    let signed = rows.indices.filter { rows[$0].category != nil }
    var refused: [Int: [String: String]] = [:]
    for function in functions {
      guard signed.indices.contains(function.category) else { return false }
      refused[signed[function.category], default: [:]][function.function] = function.reason
    }
    guard refused.keys.allSatisfy({ !rows[$0].isExplicit }) else { return false }
    for (index, reasons) in refused {
      for reason in reasons.values {
        rows[index].skipped["policy: " + reason, default: 0] += 1
      }
      rows[index].category = rows[index].category?.without(Set(reasons.keys))
    }
    return true
  }

  /// The table.
  var text: String {
    let width = max(8, rows.map(\.name.count).max() ?? 0)
    var lines = [padded("category", width) + "  probe     matched  skipped"]
    for row in rows {
      let matched = row.category?.functions.count ?? 0
      var reasons = row.skipped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { "\($0.value) (\($0.key))" }
      if let remark = row.remark { reasons.append(remark) }
      let count = String(matched)
      lines.append(
        padded(row.name, width) + "  " + padded(row.kind.word, 8)
          + String(repeating: " ", count: max(0, 9 - count.count)) + count + "  "
          + (reasons.isEmpty ? "-" : reasons.joined(separator: ", ")))
    }
    return lines.map(\.onOneLine).joined(separator: "\n")
  }
}

extension ProbeCategory {
  /// The category without some of its functions; nil where none is left.
  func without(_ refused: Set<String>) -> ProbeCategory? {
    let left = functions.filter { !refused.contains($0) }
    if left.isEmpty { return nil }
    var arguments = functionArguments
    if case .object(let members) = arguments {
      arguments = .object(members.filter { !refused.contains($0.name) })
    }
    return ProbeCategory(
      kind: kind, name: name, functions: left, functionArguments: arguments,
      binaryPath: binaryPath, provider: provider)
  }
}
