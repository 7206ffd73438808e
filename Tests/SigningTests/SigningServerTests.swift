import CSocket
import Foundation
import ProbeDocument
import TraceRequest
import Testing

@testable import Signing

/// A server in a thread of its own, for as long as the tests run.
private struct RunningServer {
  let path: String
  let key: PrivateKey
  let trusted: String

  init(policy: Policy = Policy(), receiveLimit: Int = 10) throws {
    let folder = NSTemporaryDirectory() + "s-" + UUID().uuidString.prefix(8)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    path = folder + "/sign.sock"
    trusted = folder
    key = try PrivateKey.random()
    let file = TrustedKeys.file(of: try key.publicKey())
    try file.text.write(toFile: folder + "/" + file.name, atomically: true, encoding: .utf8)
    let server = SigningServer(
      SigningService(key: key, policy: policy, host: "login"), receiveLimit: receiveLimit)
    let socket = try SigningServer.listen(path: path)
    Thread.detachNewThread {
      try? server.run(listening: socket)
    }
  }

  func reason(_ request: SignRequest) -> String {
    do throws(Refusal) {
      _ = try SigningClient(path: path).sign(request, seconds: 20)
      return "signed"
    } catch {
      return error.error.what
    }
  }

  /// What the server answers to bytes that no client of ours sends.
  func reply(toBytes bytes: [UInt8], thenClose: Bool = false) throws -> String {
    let socket = csocket_connect(path)
    try #require(socket >= 0)
    defer { close(socket) }
    _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    if thenClose { shutdown(socket, Int32(SHUT_WR)) }
    var answer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(socket, &chunk, chunk.count, 0)
      if count <= 0 { break }
      answer += chunk.prefix(count)
    }
    try #require(answer.count > Frame.headerSize)
    return Refusal(text: Array(answer.dropFirst(Frame.headerSize))).error.what
  }
}

private let posix = SignRequest(
  categories: [ProbeCategory(kind: .syscalls, name: "posix", functions: ["openat", "read"])])

@Suite("The signing service serves whoever asks properly, whatever others do", .serialized)
struct SigningServerTests {
  @Test("the service may open what all connections together may pass to it")
  func descriptorLimit() throws {
    let path = #filePath.replacing("Tests/SigningTests/SigningServerTests.swift", with: "systemd/")
    let unit = try String(
      contentsOfFile: path + "datacrumbs_sign_probes.service.in", encoding: .utf8)
    let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("LimitNOFILE=") })
    let limit = try #require(Int(line.dropFirst("LimitNOFILE=".count)))
    // One more of each connection, and some of its own.
    #expect(limit >= Admission.Limits().connections * (Int(CSOCKET_DESCRIPTORS) + 1) + 64)
  }

  @Test("a request is signed for the user that the kernel names")
  func signed() throws {
    let server = try RunningServer()
    let text = try SigningClient(path: server.path).sign(
      SignRequest(categories: posix.categories, lifetime: 3600, configuration: "/home/a/c.yaml"))
    let verified = try ProbeVerification(trustedKeys: TrustedKeys(directory: server.trusted))
      .verify(packed: try Gzip.pack(text), uid: getuid(), now: Timestamp.now.seconds)
    let summary = verified.document.summary
    #expect(summary["uid"] == String(getuid()))
    #expect(summary["host"] == "login")
    #expect(summary["configuration"] == "/home/a/c.yaml")
    let created = try #require(summary["created"].flatMap { Timestamp($0) })
    #expect(summary["expires"] == Timestamp(seconds: created.seconds + 3600).text)
    #expect(throws: ProbeError.self) {
      try ProbeVerification(trustedKeys: TrustedKeys(directory: server.trusted))
        .verify(packed: try Gzip.pack(text), uid: getuid() + 1, now: Timestamp.now.seconds)
    }
  }

  @Test("a library is passed open, and looked at through what was passed")
  func binaries() throws {
    let server = try RunningServer()
    let own = NSTemporaryDirectory() + UUID().uuidString
    try FileManager.default.copyItem(atPath: "/bin/true", toPath: own)
    func request(_ path: String) -> SignRequest {
      SignRequest(categories: [
        ProbeCategory(kind: .uprobe, name: "a", functions: ["f"], binaryPath: path)
      ])
    }
    chmod(own, 0o755)
    #expect(server.reason(request(own)) == "signed")
    chmod(own, 0o777)
    #expect(server.reason(request(own)) == "others may write to \(own)")
    chmod(own, 0o755)
    symlink(own, own + ".link")
    #expect(server.reason(request(own + ".link")).hasPrefix("\(own).link is a link to \(own)"))
    #expect(server.reason(request("/dev/null")) == "/dev/null is not a regular file")
    chown(own, 12345, 0)
    #expect(server.reason(request(own)) == "\(own) belongs to uid 12345, neither root nor you")
    #expect(server.reason(request("/nowhere")).hasPrefix("cannot read /nowhere"))
    let open = NSTemporaryDirectory() + "open-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: open + "/a", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: "/bin/true", toPath: open + "/a/prog")
    #expect(server.reason(request(open + "/a/prog")) == "signed")
    chmod(open, 0o777)
    #expect(server.reason(request(open + "/a/prog")) == "others may write to \(open)")
  }

  /// A library of C, compiled.
  private func library(_ source: String, _ options: [String] = []) throws -> String {
    let folder = NSTemporaryDirectory() + "library-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try source.write(toFile: folder + "/a.c", atomically: true, encoding: .utf8)
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/gcc")
    compiler.arguments =
      ["-shared", "-fPIC", "-o", folder + "/liba.so", folder + "/a.c"] + options
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
    return folder + "/liba.so"
  }

  @Test("what no probe survives is refused by what the file holds, not by names")
  func places() throws {
    let server = try RunningServer()
    func reason(_ kind: ProbeKind = .uprobe, _ functions: String..., in path: String) -> String {
      server.reason(
        SignRequest(categories: [
          ProbeCategory(
            kind: kind, name: "a", functions: functions, binaryPath: path,
            provider: kind == .usdt ? "a" : nil)
        ]))
    }
    let path = try library(
      """
      int work(void) { return 1; }
      int setjmp(void *where) { return where != 0; }
      extern int harmless(void *) __attribute__((alias("setjmp")));
      void begin(void) {}
      """, ["-Wl,-e,begin", "-fno-builtin"])
    #expect(reason(.uprobe, "work", in: path) == "signed")
    #expect(reason(.uprobe, "not_here", in: path) == "signed")
    #expect(
      reason(.uprobe, "work", "harmless", in: path)
        == "harmless may not be probed (it is setjmp: it returns elsewhere or twice, which a return "
        + "probe does not survive)")
    #expect(
      reason(.uprobe, "begin", in: path)
        == "begin may not be probed (the program begins there, which a return probe does not survive)"
    )
    let gone = try library(
      """
      int work(void) { return 1; }
      __attribute__((section(".gopclntab"))) const char tables[] = "pcln";
      """, ["-s"])
    #expect(
      reason(.uprobe, "work", in: gone)
        == "\(gone) may not be probed (a Go program moves its stacks, which a return probe does not "
        + "survive)")
    let text = NSTemporaryDirectory() + UUID().uuidString
    try "x".write(toFile: text, atomically: true, encoding: .utf8)
    #expect(reason(.uprobe, "f", in: text).hasPrefix("\(text) may not be probed (an ELF file"))
  }

  @Test("static probes are signed in files of root's only", .enabled(if: getuid() == 0))
  func staticProbes() throws {
    let path = try library("int work(void) { return 1; }")
    chown(path, 65534, 0)
    let asker = Asker(uid: 65534, name: "nobody", groups: [65534], groupNames: ["nogroup"])
    func reason(_ kind: ProbeKind) throws -> String {
      let request = SignRequest(categories: [
        ProbeCategory(
          kind: kind, name: "a", functions: ["work"], binaryPath: path,
          provider: kind == .usdt ? "a" : nil)
      ])
      let facts = try ([path] + request.folders).map {
        try FileFacts(Descriptor(open($0, O_RDONLY | O_CLOEXEC)))
      }
      do throws(Refusal) {
        try Policy().check(request, passed: facts, asker: asker)
        return "allowed"
      } catch {
        return error.error.what
      }
    }
    #expect(try reason(.uprobe) == "allowed")
    #expect(
      try reason(.usdt)
        == "\(path) may not be probed (static probes (usdt) are traced in files of root's only)")
    chown(path, 0, 0)
    #expect(try reason(.usdt) == "allowed")
  }

  @Test("descriptors that a request does not name are refused")
  func descriptors() throws {
    let server = try RunningServer()
    let frame = Frame(.request, body: posix.text).bytes
    let socket = csocket_connect(server.path)
    defer { close(socket) }
    #expect(csocket_send(socket, frame, frame.count, [0, 0, 0], 3) == frame.count)
    let connection = Connection(dup(socket))
    let (reply, _) = try connection.receive(until: Deadline(seconds: 5))
    #expect(
      Refusal(text: reply.body).error.what
        == "0 programs and libraries in 0 folders are named and 3 were passed")
  }

  @Test("what is no message is refused at once, with the reason")
  func malformed() throws {
    let server = try RunningServer()
    #expect(
      try server.reply(toBytes: Array("GET / HTTP/1.1\r\n\r\n".utf8))
        == "not a message of this protocol")
    #expect(
      try server.reply(toBytes: Array("DCS1".utf8) + [0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF])
        == "a message of 4294967295 bytes, where 8388608 is the limit")
    #expect(try server.reply(toBytes: Frame(.signed, body: []).bytes) == "not a request")
    #expect(
      try server.reply(toBytes: Frame(.request, body: Array("{".utf8)).bytes)
        == "the request is not JSON (ends too early at byte 1)")
    #expect(
      try server.reply(toBytes: Frame(.request, body: Array("{\"a\":1}".utf8)).bytes)
        == "the request has a member that is not known (a)")
    #expect(
      try server.reply(
        toBytes: Array(Frame(.request, body: posix.text).bytes.dropLast(5)),
        thenClose: true) == "the connection ended in the middle of a message")
    let deep = String(repeating: "[", count: 100_000)
    #expect(
      try server.reply(toBytes: Frame(.request, body: Array(deep.utf8)).bytes)
        .hasPrefix("the request is not JSON (nested too deeply"))
  }

  @Test("a silent client is sent away when its time is over")
  func silent() throws {
    let server = try RunningServer(receiveLimit: 1)
    let start = ContinuousClock.now
    #expect(try server.reply(toBytes: []) == "no answer in time")
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test("100 clients at once, 20 of them hostile: every honest one is served, and soon")
  func crowd() async throws {
    let server = try RunningServer()
    let hostile = (0..<20).map { index in
      let socket = csocket_connect(server.path)
      switch index % 5 {
      case 0: break  // says nothing
      case 1: _ = send(socket, "DC", 2, 0)  // stops in the header
      case 2: _ = send(socket, Array("DCS1".utf8) + [0, 0, 0, 1, 0, 0x7f, 0xff, 0xff], 12, 0)
      case 3:  // megabytes of nonsense, and never reads
        let nonsense = [UInt8](repeating: UInt8(ascii: "["), count: 2 << 20)
        let frame = Frame(.request, body: nonsense).bytes
        _ = send(socket, frame, frame.count, Int32(MSG_DONTWAIT))
      default: _ = send(socket, "\u{0}\u{0}garbage, and more", 20, 0)
      }
      return socket
    }
    defer { hostile.forEach { close($0) } }
    let path = server.path
    let start = ContinuousClock.now
    let times = await withTaskGroup(of: Duration?.self) { group in
      for _ in 0..<80 {
        group.addTask {
          await withCheckedContinuation { continuation in
            Thread.detachNewThread {
              let start = ContinuousClock.now
              let isSigned = (try? SigningClient(path: path).sign(posix, seconds: 30)) != nil
              continuation.resume(returning: isSigned ? ContinuousClock.now - start : nil)
            }
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let served = times.compactMap { $0 }.sorted()
    #expect(served.count == 80)
    print(
      "80 honest of 100 clients served in \(ContinuousClock.now - start),",
      "slowest \(served.last.map { "\($0)" } ?? "-")")
    #expect(try #require(served.last) < .seconds(9), "the hostile clients' limit is 10 s")
  }
}
