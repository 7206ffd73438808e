import CFuzzer
import Glibc
import TraceRequest

/// The reader of job comments: what users write there reaches root's prolog.
private func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  if let json = try? JSON(reading: bytes) {
    guard let again = try? JSON(reading: json.text), again.text == json.text else {
      fatalError("what was read is written as something else")
    }
  }
  let comment = String(decoding: bytes, as: UTF8.self)
  if let request = try? TraceRequest(comment: comment) {
    // The request survives being merged into the comment that it came from.
    let merged = request.comment(mergedInto: comment)
    guard let again = try? TraceRequest(comment: merged),
      again.probeFile.hasSameBytes(as: request.probeFile)
    else { fatalError("a request does not survive its comment") }
  }
  return 0
}

exit(cfuzzer_run(CommandLine.argc, CommandLine.unsafeArgv, testOneInput))
