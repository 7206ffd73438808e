import CFuzzer
import Glibc
import ProbeDocument
import Signing

private let asker = Asker(uid: 1001, name: "alice", groups: [1001], groupNames: ["alice"])

/// The signing service's protocol: a header, and what a request's body asks for.
private func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  if let (kind, length) = try? Frame.header(Array(bytes.prefix(Frame.headerSize))) {
    guard length <= kind.limit else { fatalError("a length over the limit was accepted") }
  }
  guard let key = try? PrivateKey(raw: .init(repeating: 7, count: 32)) else { return 0 }
  let service = SigningService(key: key, policy: Policy(), host: "login")
  // Every program and folder that a request names is as it should be, so that more is reached.
  var passed: [FileFacts] = []
  if let request = try? SignRequest(text: bytes) {
    passed = request.binaries.map { FileFacts(path: $0, owner: 0, mode: 0o100_755) }
    passed += request.folders.map { FileFacts(path: $0, owner: 0, mode: 0o40_755) }
  }
  if let signed = try? service.sign(request: bytes, passed: passed, asker: asker, now: 0),
    (try? UnverifiedProbes(packed: Gzip.pack(signed.bytes))) == nil
  {
    fatalError("what was signed cannot be read")
  }
  return 0
}

exit(cfuzzer_run(CommandLine.argc, CommandLine.unsafeArgv, testOneInput))
