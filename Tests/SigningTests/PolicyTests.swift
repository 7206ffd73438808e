import Glibc
import ProbeDocument
import Testing
import TraceRequest

@testable import Signing

@Suite("The policy says what is signed, for whom, and why not")
struct PolicyTests {
  static let alice = Asker(uid: 1001, name: "alice", groups: [1001], groupNames: ["alice", "hpc"])
  /// One without any function that the tests name.
  static let anyProgram = try? PassedProgram(
    Descriptor(open("/bin/true", O_RDONLY | O_CLOEXEC)), isRoots: true)
  static let bob = Asker(uid: 1002, name: "bob", groups: [1002], groupNames: ["bob"])

  private func request(
    _ kind: ProbeKind, _ functions: [String], bytes: Int? = nil, lifetime: Int64? = nil
  ) -> SignRequest {
    let path = kind == .uprobe || kind == .usdt ? "/usr/lib/libx.so" : nil
    let arguments = bytes.map { bytes in
      JSON.object([
        JSON.Member(
          functions[0],
          .array([.object([JSON.Member("num_bytes", .number(String(bytes)))])]))
      ])
    }
    return SignRequest(
      categories: [
        ProbeCategory(
          kind: kind, name: "c", functions: functions, functionArguments: arguments ?? .null,
          binaryPath: path)
      ], lifetime: lifetime)
  }

  private func verdict(
    _ policy: Policy, _ request: SignRequest, _ asker: Asker = PolicyTests.alice
  ) -> String {
    let passed =
      request.binaries.map {
        FileFacts(path: $0, owner: 0, mode: 0o100_644, program: Self.anyProgram)
      }
      + request.folders.map { FileFacts(path: $0, owner: 0, mode: 0o40_755) }
    do {
      let key = try PrivateKey(raw: .init(repeating: 7, count: 32))
      _ = try SigningService(key: key, policy: policy, host: "login")
        .sign(request: request.text, passed: passed, asker: asker, now: 1_790_000_000)
      return "signed"
    } catch let error as Refusal {
      return error.error.what
    } catch {
      return "\(error)"
    }
  }

  @Test("without a policy file the shipped deny list holds, and gives its reasons")
  func shipped() {
    #expect(verdict(Policy(), request(.syscalls, ["openat", "read"])) == "signed")
    #expect(
      verdict(Policy(), request(.syscalls, ["read", "keyctl"]))
        == "keyctl may not be probed (its arguments are keys and tickets of the kernel's keyring)")
    #expect(
      verdict(Policy(), request(.kprobe, ["vfs_read", "n_tty_read", "crypto_aead_setkey"]))
        == "n_tty_read may not be probed (it carries what people type, passwords included), "
        + "and 1 more")
    #expect(
      verdict(Policy(), request(.uprobe, ["fopen:0x1234"]))
        == "fopen:0x1234 may not be probed (a probe at an offset can end every process that runs "
        + "the file)")
    var offsets = Policy()
    offsets.rules[0].isOffsetAllowed = true
    #expect(verdict(offsets, request(.uprobe, ["fopen:0x1234"])) == "signed")
    #expect(verdict(offsets, request(.uprobe, ["setjmp:0x1234"])).contains("returns elsewhere"))
    #expect(verdict(Policy(), request(.kprobe, ["keyctl"])) == "signed")
  }

  static let yaml = """
    cluster: crumbs
    deny:
      - probe: syscalls
        functions: [ptrace, "process_vm_*"]
        reason: it reads other processes
    rules:
      - groups: [hpc]
        probes: [syscalls, uprobe]
        allow:
          uprobe: ["MPI_*"]
        deny:
          - {functions: [MPI_Abort], reason: it ends the job}
        paths: ["/usr/lib/*"]
        offsets: false
        functions: 3
        argument_bytes: 16
        lifetime: 1d
        longest_lifetime: 2d
      - users: [root]
    """

  @Test("a rule limits kinds, functions, paths, counts, bytes and time")
  func rule() throws {
    let policy = try Policy(yaml: Self.yaml, path: "policy.yaml")
    #expect(verdict(policy, request(.uprobe, ["MPI_Send"])) == "signed")
    #expect(
      verdict(policy, request(.uprobe, ["malloc"]))
        == "malloc may not be probed (the site allows other functions only)")
    #expect(
      verdict(policy, request(.uprobe, ["MPI_Abort"]))
        == "MPI_Abort may not be probed (it ends the job)")
    #expect(
      verdict(policy, request(.syscalls, ["process_vm_readv"]))
        == "process_vm_readv may not be probed (it reads other processes)")
    #expect(
      verdict(policy, request(.kprobe, ["vfs_read"]))
        == "category c: this site signs no kprobe probes for alice")
    #expect(
      verdict(policy, request(.syscalls, ["a", "b", "c", "d"]))
        == "4 functions, where 3 is the limit")
    #expect(
      verdict(policy, request(.syscalls, ["a"], bytes: 17))
        == "category c: 17 bytes of an argument, where 16 is the limit")
    #expect(verdict(policy, request(.syscalls, ["a"], lifetime: 2 * 86_400)) == "signed")
    #expect(
      verdict(policy, request(.syscalls, ["a"], lifetime: 2 * 86_400 + 1))
        == "a lifetime of 172801 seconds, where 172800 is the limit")
    #expect(
      verdict(policy, request(.syscalls, ["a"]), Self.bob)
        == "this site signs nothing for bob (uid 1002)")
    var other = policy
    other.rules[0].paths = [Policy.Pattern("/opt/*")]
    #expect(
      verdict(other, request(.uprobe, ["MPI_Send"]))
        == "this site signs no probes in /usr/lib/libx.so for alice")
  }

  @Test("what others could replace is refused: the file, and every folder above it")
  func folders() throws {
    let path = "/home/alice/bin/prog"
    let request = SignRequest(categories: [
      ProbeCategory(kind: .uprobe, name: "c", functions: ["f"], binaryPath: path)
    ])
    #expect(request.folders == ["/", "/home", "/home/alice", "/home/alice/bin"])
    /// The verdict where one of the five is not root's or alice's alone.
    func verdict(
      _ odd: String, owner: UInt32 = 0, mode: UInt32 = 0, view: FileFacts.View = .same,
      named name: String? = nil
    ) -> String {
      let passed = ([path] + request.folders).map { file in
        let usual: UInt32 = file == path ? 0o100_755 : 0o40_755
        guard file == odd else {
          return FileFacts(
            path: file, owner: 0, mode: usual, program: file == path ? Self.anyProgram : nil)
        }
        return FileFacts(
          path: name ?? file, owner: owner, mode: mode == 0 ? usual : mode, view: view,
          program: file == path ? Self.anyProgram : nil)
      }
      do throws(Refusal) {
        try Policy().check(request, passed: passed, asker: Self.alice)
        return "allowed"
      } catch {
        return error.error.what
      }
    }
    #expect(verdict("") == "allowed")
    #expect(verdict("/home/alice/bin", owner: 1001, mode: 0o40_700) == "allowed")
    #expect(verdict("/home", mode: 0o41_777) == "allowed")
    #expect(verdict("/home/alice/bin", view: .hidden) == "allowed")
    #expect(verdict("/home", mode: 0o40_777) == "others may write to /home")
    #expect(verdict("/home/alice", mode: 0o40_775) == "others may write to /home/alice")
    #expect(verdict("/", owner: 1002) == "/ belongs to uid 1002, neither root nor you")
    #expect(verdict("/home/alice", mode: 0o100_755) == "/home/alice is not a folder")
    #expect(verdict("/home", named: "/tmp/home") == "/home is a link to /tmp/home, or was replaced")
    #expect(
      verdict("/home/alice", owner: 1001, view: .other)
        == "/home/alice is another file for the signing service than for you")
    // The sticky bit of a file says nothing of who may write to it.
    #expect(verdict(path, mode: 0o101_777) == "others may write to \(path)")
    #expect(throws: Refusal.self) {
      try Policy().check(request, passed: [], asker: Self.alice)
    }
  }

  @Test("how it is recorded is signed with what is recorded")
  func options() throws {
    let options = try RecordingOptions(
      mode: .profile, intervalMilliseconds: 500, inclusionPaths: ["/scratch", "/home/alice/run"],
      timeUnit: .nanoseconds)
    let request = SignRequest(
      categories: [ProbeCategory(kind: .syscalls, name: "c", functions: ["read"])],
      options: options)
    let key = try PrivateKey(raw: .init(repeating: 7, count: 32))
    let signed = try SigningService(key: key, policy: Policy(), host: "login")
      .sign(request: request.text, passed: [], asker: Self.alice, now: 1_790_000_000)
    let summary = try UnverifiedProbes(packed: try Gzip.pack(signed.bytes)).document.summary
    #expect(summary["mode"] == "profile")
    #expect(summary["profile_interval_ms"] == "500")
    #expect(summary["time_unit"] == "ns")
    #expect(summary["inclusion_paths"] == "/scratch:/home/alice/run")
    for (member, reason) in [
      ("\"mode\":\"all\"", "a mode that is not known (all)"),
      ("\"time_unit\":\"s\"", "a time unit that is not known (s)"),
      ("\"profile_interval_ms\":99", "profile_interval_ms is 99, not from 100 to 3600000"),
      ("\"inclusion_paths\":[\"tmp\"]", "an inclusion path is not absolute"),
      ("\"inclusion_paths\":[\"/a:/b\"]", "an inclusion path is not absolute, too long, or has"),
      ("\"inclusion_paths\":[7]", "an inclusion path is no text"),
    ] {
      let category = "{\"type\":0,\"name\":\"c\",\"functions\":[\"read\"]}"
      let text = "{\"categories\":[\(category)],\(member)}"
      do throws(ProbeError) {
        _ = try SignRequest(text: Array(text.utf8))
        Issue.record("\(member) was accepted")
      } catch {
        #expect(error.what.hasPrefix(reason))
      }
    }
  }

  @Test("a mistake in the file stops the service, and names the line")
  func mistakes() {
    func reason(_ yaml: String) -> String {
      do throws(ProbeError) {
        _ = try Policy(yaml: yaml, path: "p.yaml")
        return "read"
      } catch {
        return error.what
      }
    }
    #expect(reason("") == "read")
    #expect(reason("rule: []") == "the key rule is not known (p.yaml:1)")
    #expect(
      reason("rules:\n  - lifetime: 1 week")
        == "lifetime is no duration such as 12h or 30d (p.yaml:2)")
    #expect(
      reason("rules:\n  - {lifetime: 9d, longest_lifetime: 1d}")
        == "lifetime is longer than longest_lifetime (p.yaml:2)")
    #expect(
      reason("deny:\n  - functions: [a]")
        == "an entry of deny lacks functions or a reason (p.yaml:2)")
    #expect(reason("cluster: a\ncluster: b").contains("cluster"))
    #expect(reason("rules:\n  - probes: [custom]").hasPrefix("probe is none of"))
  }

  @Test("many refused functions come back as a list")
  func list() throws {
    let names = (0..<40_000).map { "key_\($0)" }
    do throws(Refusal) {
      try Policy().check(
        request(.kprobe, names), passed: [], asker: Self.alice)
      Issue.record("not refused")
    } catch {
      // 40,000 are over the limit of functions, which is told first.
      #expect(error.error.what == "40000 functions, where 20000 is the limit")
    }
    do throws(Refusal) {
      try Policy().check(
        request(.kprobe, Array(names.prefix(15_000))), passed: [], asker: Self.alice)
      Issue.record("not refused")
    } catch {
      #expect(error.functions.count == 15_000)
      let read = Refusal(text: error.text)
      #expect(error.text.count <= Frame.Kind.refused.limit)
      #expect(read.functions.count > 1000)
      #expect(read.functions.first?.function == "key_0")
    }
  }
}
