import ArgumentParser
import Glibc
import ProbeDocument
import Signing
import TraceRequest

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a probe file readably: for whom, until when, by which key, which functions.")

  @Argument(help: "The probe file.")
  var file: String

  @Flag(help: "Print every function, not the first of each category.")
  var all = false

  @Option(help: ArgumentHelp("The folder of trusted keys.", valueName: "folder"))
  var trusted = TrustedKeys.standardDirectory

  func run() throws {
    try reporting { () throws(ProbeError) in
      let packed = try contents(of: file, limit: Gzip.packedLimit)
      let document = try naming(file) { () throws(ProbeError) in
        try UnverifiedProbes(packed: packed)
      }
      print(text(of: document))
      print("verdict   \(verdict(packed, document))")
    }
  }

  private func verdict(_ packed: [UInt8], _ probes: UnverifiedProbes) -> String {
    let uid = probes.document.summary["uid"].flatMap { UInt32($0) } ?? getuid()
    do throws(ProbeError) {
      let checked = try ProbeVerification(trustedKeys: TrustedKeys(directory: trusted))
        .check(packed: packed, uid: uid, now: Timestamp.now.seconds)
      if case .sealLeftToNode = checked { return "good but for its seal, which only nodes check" }
      return uid == getuid() ? "good for you" : "good for uid \(uid)"
    } catch {
      return "refused: " + error.what.onOneLine
    }
  }

  private func text(of probes: UnverifiedProbes) -> String {
    var lines: [String] = []
    for (name, value) in probes.document.summary.sorted(by: { $0.key < $1.key }) {
      lines.append(padded(name.onOneLine, 9) + " " + value.onOneLine)
    }
    lines.append("signature \(probes.algorithm.onOneLine), key \(probes.keyID.onOneLine)")
    for category in probes.document.categories {
      var title = "\(category.name) (\(category.kind.word)): \(category.functions.count) functions"
      if let path = category.binaryPath { title += " of \(path)" }
      if let provider = category.provider { title += ", provider \(provider)" }
      lines.append(title.onOneLine)
      let shown = all ? category.functions[...] : category.functions.prefix(10)
      for function in shown { lines.append("  " + signature(of: function, in: category).onOneLine) }
      if shown.count < category.functions.count {
        lines.append("  ... and \(category.functions.count - shown.count) more (--all)")
      }
    }
    return lines.joined(separator: "\n")
  }

  private func signature(of function: String, in category: ProbeCategory) -> String {
    guard case .array(let arguments)? = category.functionArguments[function] else {
      return function
    }
    let texts = arguments.map { argument in
      ((argument["c_type"]?.string ?? "") + " " + (argument["label"]?.string ?? ""))
    }
    return function + "(" + texts.joined(separator: ", ") + ")"
  }
}

/// A text with spaces to a width.
func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
