import Foundation
import Testing

@testable import TraceRequest

private func request(_ path: String = "/home/alice/p.json.gz") throws -> TraceRequest {
  try TraceRequest(probeFile: path, directory: "/")
}

@Suite("A request travels in the job's comment")
struct JobCommentTests {
  static let alone =
    #"{"datacrumbs":{"enable":"yes","probe_file":"/home/alice/p.json.gz"}}"#

  @Test("without a comment of the user's it is there byte for byte", arguments: [nil, ""])
  func exactBytes(comment: String?) throws {
    #expect(try request().comment(mergedInto: comment) == Self.alone)
  }

  @Test(
    "a user's text survives beside it",
    arguments: ["hello world", "[1,2]", "\"quoted\"", "{broken", "{\"a\":1,\"a\":2}", "\n\u{1}é😀"])
  func textIsKept(comment: String) throws {
    let merged = try request().comment(mergedInto: comment)
    let object = try JSONSerialization.jsonObject(with: Data(merged.utf8)) as? [String: Any]
    #expect(object?["comment"] as? String == comment)
    #expect(try TraceRequest(comment: merged)?.probeFile == "/home/alice/p.json.gz")
  }

  @Test("a user's object gains one member and keeps its own as they were written")
  func objectIsKept() throws {
    let merged = try request().comment(mergedInto: #" { "z": 1.50, "a": ["x", {"y": null}] } "#)
    let member = Self.alone.dropFirst().dropLast()
    #expect(merged == "{\(member)," + #""z":1.50,"a":["x",{"y":null}]}"#)
    #expect(try request().comment(mergedInto: "{}") == Self.alone)
  }

  @Test("an older request in the user's object is renewed, not doubled")
  func renewed() throws {
    let merged = try request().comment(
      mergedInto: #"{"datacrumbs":{"enable":"yes","probe_file":"/old"},"a":1}"#)
    #expect(merged == Self.alone.dropLast() + ",\"a\":1}")
  }

  @Test("1,000 random comments survive, as Foundation reads them")
  func randomComments() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<1000 {
      let comment = "x" + String.random(using: &random)
      let path = "/" + String.random(using: &random).filter { $0 != "/" }
      let merged = try FoundationsReading(path: path, comment: comment)
      #expect(merged.comment.map { Array($0.utf8) } == Array(comment.utf8))
      #expect(merged.path.map { Array($0.utf8) } == Array(path.utf8))
    }
  }

  /// What Foundation finds in a merged comment.
  private struct FoundationsReading {
    let comment: String?
    let path: String?

    init(path: String, comment: String) throws {
      let own = try TraceRequest(probeFile: path, directory: "/")
      let merged = own.comment(mergedInto: comment)
      let object = try JSONSerialization.jsonObject(with: Data(merged.utf8)) as? [String: Any]
      self.comment = object?["comment"] as? String
      // "." alone is dropped from a path; compare with what the request holds.
      let read = (object?["datacrumbs"] as? [String: Any])?["probe_file"] as? String
      self.path = read.map { $0 == own.probeFile ? path : $0 }
    }
  }

  @Test(
    "a comment that holds no request is none",
    arguments: [
      "", "datacrumbs", "{}", "[]", #"{"comment":"x"}"#,
      #"{"datacrumbs":{"enable":"no","probe_file":"/p"}}"#, #"{"datacrumbs":{"probe_file":"/p"}}"#,
      #"{"datacrumbs":{"enable":"yes","probe_file":"/p"}"#,
    ])
  func noRequest(comment: String) throws {
    #expect(try TraceRequest(comment: comment) == nil)
  }

  @Test(
    "a request that is not understood is refused by name",
    arguments: [
      (#"{"datacrumbs":{"enable":"yes","probes":"/p"}}"#, "\"probes\""),
      (#"{"datacrumbs":{"enable":"yes","composite":"c","probe_file":"/p"}}"#, "\"composite\""),
      (#"{"datacrumbs":"yes"}"#, "not an object"),
      (#"{"datacrumbs":{"enable":"yes"}}"#, "no absolute path"),
      (#"{"datacrumbs":{"enable":"yes","probe_file":"p"}}"#, "no absolute path"),
    ])
  func refused(comment: String, reason: String) {
    do {
      _ = try TraceRequest(comment: comment)
      Issue.record("accepted")
    } catch {
      #expect(error.text.contains(reason))
    }
  }

  @Test("in a prolog the job control variable comes before the comment")
  func prologEnvironment() throws {
    let both = ["SPANK_DATACRUMBS_PROBE_FILE": "/a", "SLURM_JOB_COMMENT": Self.alone]
    #expect(try TraceRequest(prologEnvironment: { both[$0] })?.probeFile == "/a")
    let one = ["SLURM_JOB_COMMENT": Self.alone]
    #expect(
      try TraceRequest(prologEnvironment: { one[$0] })?.probeFile == "/home/alice/p.json.gz")
    #expect(try TraceRequest(prologEnvironment: { _ in nil }) == nil)
  }
}
