import CFuzzer
import Glibc
import ProbeDocument

private let verification = ProbeVerification(
  trustedKeys: TrustedKeys(directory: "/nonexistent"), sharedSecret: SharedSecret([1]))

/// The reader of probe files, on what is in the gzip and on the gzip itself.
private func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  if let packed = try? Gzip.pack(bytes), (try? UnverifiedProbes(packed: packed)) != nil {
    // What is read has a canonical form, and that is read to the same document.
    guard let probes = try? UnverifiedProbes(packed: packed),
      let canonical = try? probes.document.json.canonical(),
      let again = try? ProbeDocument(canonical: canonical),
      (try? again.json.canonical()) == canonical
    else { fatalError("the canonical form is not stable") }
  }
  for packed in [bytes, (try? Gzip.pack(bytes)) ?? []]
  where (try? verification.verify(packed: packed, uid: 0, now: 0)) != nil {
    fatalError("a document without a good signature was verified")
  }
  return 0
}

exit(cfuzzer_run(CommandLine.argc, CommandLine.unsafeArgv, testOneInput))
