import Foundation
import ProbeDocument
import Testing
import TraceRequest

@testable import ProbeDiscovery
@testable import Signing

@Suite("The user's doctor tells what is missing, and what to do")
struct UserDoctorTests {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "doctor-" + UUID().uuidString.prefix(8)
    try FileManager.default.createDirectory(
      atPath: folder + "/trusted", withIntermediateDirectories: true)
  }

  private func findings(
    traces: String? = nil, probeFile: (path: String, content: Result<[UInt8], ProbeError>)? = nil
  ) -> [Finding] {
    UserDoctor(root: folder, socket: folder + "/sock", trusted: folder + "/trusted")
      .findings(traceFolder: traces ?? folder + "/a/b", probeFile: probeFile)
  }

  private func texts(_ findings: [Finding]) -> String {
    findings.map(\.text).joined(separator: "\n")
  }

  @Test("where nothing is there, each thing is named, with what to do")
  func nothing() {
    let found = findings(
      traces: "/dev/null/traces",
      probeFile: ("p.gz", .failure(ProbeError("cannot read p.gz", "No such file or directory"))))
    let text = texts(found)
    for line in [
      "warning: no kernel symbols: /proc/kallsyms (No such file or directory): ",
      "warning: no kernel types: /sys/kernel/btf/vmlinux",
      "error: no trusted key in \(folder)/trusted: ask the administrator",
      "error: the signing service does not answer at \(folder)/sock (No such file or directory): ",
      "error: you may not make /dev/null/traces: /dev/null",
      "error: cannot read p.gz: No such file or directory",
    ] { #expect(text.contains(line), "\(line) is not in:\n\(text)") }
    for finding in found where finding.verdict != .good {
      #expect(!finding.remedy.isEmpty, "\(finding.what)")
    }
  }

  @Test("where all is there, it says what the policy allows and which keys are retired")
  func everything() throws {
    let key = try PrivateKey.random()
    let old = try PrivateKey.random().publicKey()
    for key in [try key.publicKey(), old] {
      let file = TrustedKeys.file(of: key)
      try file.text.write(
        toFile: folder + "/trusted/" + file.name, atomically: true, encoding: .utf8)
    }
    try "".write(
      toFile: folder + "/trusted/\(old.id).retired", atomically: true, encoding: .utf8)
    var policy = Policy(cluster: "crumbs")
    policy.rules[0].probes = [.syscalls, .uprobe]
    let server = SigningServer(SigningService(key: key, policy: policy, host: "login"))
    let socket = try SigningServer.listen(path: folder + "/sock")
    Thread.detachNewThread { try? server.run(listening: socket) }
    let signed = try SigningClient(path: folder + "/sock").sign(
      SignRequest(categories: [
        ProbeCategory(kind: .syscalls, name: "posix", functions: ["read"])
      ]))
    let text = texts(findings(probeFile: ("p.gz", .success(try Gzip.pack(signed)))))
    for line in [
      "ok: trusted key \(try key.publicKey().id)",
      "warning: retired key \(old.id): files that it signed are built again",
      "ok: the signing service signs syscalls, uprobe probes for \(Asker(uid: getuid()).name), "
        + "of /*, up to 20000 functions and 256 bytes of an argument, for 30 days, 90 days at most, "
        + "on crumbs",
      "ok: traces can be written: \(folder)/a/b",
      "ok: p.gz would be used",
    ] { #expect(text.contains(line), "\(line) is not in:\n\(text)") }
  }
}
