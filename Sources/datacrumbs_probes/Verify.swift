import ArgumentParser
import Glibc
import ProbeDocument
import Signing
import TraceRequest

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check that a probe file would be used: signed, for you, and not expired.",
    discussion: """
      A document that LLNL's DataCrumbs sealed with the site's shared secret is checked as far as a \
      user can, and a line says so: the seal is the node's to check.
      """)

  @Argument(help: "The probe file.")
  var file: String

  @Option(help: "The user id that it must be signed for.")
  var uid: UInt32 = getuid()

  @Option(help: ArgumentHelp("The cluster that it must be signed for.", valueName: "name"))
  var cluster: String?

  @Option(help: ArgumentHelp("The folder of trusted keys.", valueName: "folder"))
  var trusted = TrustedKeys.standardDirectory

  func run() throws {
    try reporting { () throws(ProbeError) in
      let packed = try contents(of: file, limit: Gzip.packedLimit)
      let checked = try naming(file) { () throws(ProbeError) in
        try ProbeVerification(trustedKeys: TrustedKeys(directory: trusted), cluster: cluster)
          .check(packed: packed, uid: uid, now: Timestamp.now.seconds)
      }
      if case .sealLeftToNode = checked {
        print("\(file): good but for its seal, which only the node can check".onOneLine)
      }
    }
  }
}
