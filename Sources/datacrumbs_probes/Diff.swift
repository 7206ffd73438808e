import ArgumentParser
import ProbeDocument
import Signing
import TraceRequest

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what two probe files trace differently; exit with 1 where they differ.")

  @Argument(help: "A probe file.")
  var old: String

  @Argument(help: "Another.")
  var new: String

  func run() throws {
    var isDifferent = false
    try reporting { () throws(ProbeError) in
      let changes = Self.changes(try contents(old), try contents(new))
      isDifferent = !changes.isEmpty
      for change in changes { print(change.onOneLine) }
    }
    if isDifferent { throw ExitCode(1) }
  }

  /// What is traced, and how: each function with its kind and its place, and what is captured of
  /// its arguments; each option.
  private func contents(_ path: String) throws(ProbeError) -> [String: String] {
    let packed = try datacrumbs_probes.contents(of: path, limit: Gzip.packedLimit)
    let probes = try naming(path) { () throws(ProbeError) in try UnverifiedProbes(packed: packed) }
    var contents: [String: String] = [:]
    for option in RecordingOptions.members {
      if let value = probes.document.summary[option] { contents["\(option): \(value)"] = "" }
    }
    for category in probes.document.categories {
      let place = category.binaryPath.map { " of " + $0 } ?? ""
      for function in category.functions {
        contents["\(category.name): \(category.kind.word) \(function)\(place)"] =
          category.functionArguments[function].map { String(decoding: $0.text, as: UTF8.self) }
          ?? ""
      }
    }
    return contents
  }

  private static func changes(_ old: [String: String], _ new: [String: String]) -> [String] {
    let (before, after) = (Set(old.keys), Set(new.keys))
    return before.subtracting(after).sorted().map { "- " + $0 }
      + after.subtracting(before).sorted().map { "+ " + $0 }
      + before.intersection(after).filter { old[$0] != new[$0] }.sorted()
      .map { "! " + $0 + ": other arguments" }
  }
}
