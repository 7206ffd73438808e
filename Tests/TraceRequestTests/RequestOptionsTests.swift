import Testing

@testable import TraceRequest

@Suite("Options and environment make a request")
struct RequestOptionsTests {
  private func request(
    enable: Bool = false, probeFile: String? = nil, environment: [String: String] = [:]
  ) throws(RequestError) -> String? {
    var options = RequestOptions()
    options.enable = enable
    options.probeFile = probeFile
    return try options.request(environment: { environment[$0] }, directory: { "/home/alice" })?
      .probeFile
  }

  @Test("nothing asked, nothing made")
  func nothing() throws {
    #expect(try request() == nil)
    #expect(try request(environment: ["DATACRUMBS_PROBE_FILE": "/p"]) == nil)
  }

  @Test(
    "a path is made absolute",
    arguments: [
      ("p.json.gz", "/home/alice/p.json.gz"), ("./d/../p", "/home/alice/d/../p"), ("/p", "/p"),
      ("//a//b/./c", "/a/b/c"), (" a b", "/home/alice/ a b"), ("/", "/"),
    ])
  func absolute(path: String, expected: String) throws {
    #expect(try request(enable: true, probeFile: path) == expected)
  }

  @Test("the environment stands in, and the command line wins")
  func environment() throws {
    for yes in ["1", "yes", "true", "YES", "True"] {
      let both = ["DATACRUMBS_ENABLE": yes, "DATACRUMBS_PROBE_FILE": "e"]
      #expect(try request(environment: both) == "/home/alice/e")
      #expect(try request(probeFile: "/o", environment: both) == "/o")
    }
    for no in ["0", "no", "false", ""] {
      let both = ["DATACRUMBS_ENABLE": no, "DATACRUMBS_PROBE_FILE": "e"]
      #expect(try request(environment: both) == nil)
      #expect(try request(enable: true, environment: both) == "/home/alice/e")
    }
  }

  @Test("what cannot be meant is refused and says what to do")
  func refused() {
    func reason(_ body: () throws(RequestError) -> String?) -> String {
      do throws(RequestError) {
        return "accepted: \(try body() ?? "nil")"
      } catch {
        return error.text
      }
    }
    #expect(
      reason { () throws(RequestError) in try request(enable: true) }
        == "no probe file to trace with: --datacrumbs-enable: "
        + "name one with --datacrumbs-probe-file=PATH")
    #expect(
      reason { () throws(RequestError) in try request(probeFile: "p") }
        == "a probe file without --datacrumbs-enable: p: "
        + "add --datacrumbs-enable to trace the job, or leave the probe file out")
    #expect(
      reason { () throws(RequestError) in try request(enable: true, probeFile: "") }
        == "the probe file's path is empty: --datacrumbs-probe-file: give the file's path")
    #expect(
      reason { () throws(RequestError) in
        try request(environment: ["DATACRUMBS_ENABLE": "maybe"])
      } == "unknown value of DATACRUMBS_ENABLE: maybe: set it to yes or no, or unset it")
  }

  @Test("an error stays on one line, whatever the path holds")
  func oneLine() {
    let error = RequestError("a", "x\ny\u{1B}[2J\u{7F}é", "c")
    #expect(error.text == #"a: x\x0ay\x1b[2J\x7fé: c"#)
  }
}
