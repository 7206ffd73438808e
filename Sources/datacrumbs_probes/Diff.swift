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
      let changes = Self.changes(try functions(old), try functions(new))
      isDifferent = !changes.isEmpty
      for change in changes { print(change.onOneLine) }
    }
    if isDifferent { throw ExitCode(1) }
  }

  /// What is traced: each function with its kind and its place.
  private func functions(_ path: String) throws(ProbeError) -> Set<String> {
    let packed = try contents(of: path, limit: Gzip.packedLimit)
    let probes = try naming(path) { () throws(ProbeError) in try UnverifiedProbes(packed: packed) }
    var functions: Set<String> = []
    for category in probes.document.categories {
      let place = category.binaryPath.map { " of " + $0 } ?? ""
      for function in category.functions {
        functions.insert("\(category.name): \(category.kind.word) \(function)\(place)")
      }
    }
    return functions
  }

  static func changes(_ old: Set<String>, _ new: Set<String>) -> [String] {
    old.subtracting(new).sorted().map { "- " + $0 }
      + new.subtracting(old).sorted().map { "+ " + $0 }
  }
}
