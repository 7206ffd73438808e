import Foundation
import ProbeDocument
import Testing
import TraceRequest

@testable import ProbeDiscovery

/// Makes a library of C functions that shows the cases of symbols.
private struct Library {
  let path: String

  init(stripped: Bool = false, options: [String] = [], more: String = "") throws {
    let folder = NSTemporaryDirectory() + "library-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let source = """
      static __attribute__((noinline)) int helper(int a) { return a * 3; }
      int first(int a) { return helper(a) + 1; }
      int second_value(int a) { return helper(a) + 2; }
      static int chosen(void) { return 3; }
      static void *choose(void) { return (void *)chosen; }
      int indirect(void) __attribute__((ifunc("choose")));
      int old_version(void) { return 1; }
      int new_version(void) { return 2; }
      __asm__(".symver old_version, versioned@V1");
      __asm__(".symver new_version, versioned@@V2");
      """ + "\n" + more + "\n"
    try source.write(toFile: folder + "/a.c", atomically: true, encoding: .utf8)
    try "V1 { }; V2 { } V1;".write(toFile: folder + "/a.map", atomically: true, encoding: .utf8)
    path = folder + "/liba.so"
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/gcc")
    compiler.arguments =
      [
        "-shared", "-fPIC", "-O1", "-o", path, folder + "/a.c",
        "-Wl,--version-script=\(folder)/a.map",
      ]
      + (stripped ? ["-s"] : []) + options
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
  }
}

@Suite("Discovery finds what can be probed, and says what cannot and why")
struct ProbeDiscoveryTests {
  private func outcome(_ entry: String) throws -> ProbeDiscovery.Outcome {
    let configuration = try ProbeConfiguration(
      yaml: "capture_probes:\n  - {name: a, \(entry)}\n", path: "c.yaml")
    return try ProbeDiscovery().outcome(of: try #require(configuration.entries.first))
  }

  private func reason(_ entry: String) -> String {
    do {
      _ = try outcome(entry)
      return "found"
    } catch {
      return (error as? ProbeError)?.what ?? "\(error)"
    }
  }

  @Test("symbols of a library: local ones too, the newest version of each, no IFUNC")
  func symbols() throws {
    let library = try Library()
    let found = try outcome(
      "probe: uprobe, type: binary, file: '\(library.path)', regex: '(?!_).*'")
    let names = try #require(found.category).functions
    #expect(names.contains("first") && names.contains("helper") && names.contains("second_value"))
    #expect(names.filter { $0 == "versioned" }.count == 1)
    #expect(!names.contains("indirect"))
    #expect(found.skipped["chosen at load time (IFUNC)"] == 1)
    #expect(found.remark == nil)
  }

  @Test("the version that a program would link to is the one that is traced")
  func version() throws {
    let file = try ElfFile(path: try Library().path)
    let offset = try #require(file.functions["versioned"]).map(\.offset)
    #expect(offset == file.functions["new_version"]?.map(\.offset))
  }

  @Test("a function that a list names and the binary lacks is told, and stays")
  func missing() throws {
    let path = try Library().path
    func outcome(_ functions: String) throws -> ProbeDiscovery.Outcome {
      try self.outcome("probe: uprobe, file: '\(path)', functions: [\(functions)]")
    }
    #expect(try outcome("first, helper").remark == nil)
    let found = try outcome("first, frist, secnod")
    #expect(found.remark == "frist and 1 more not in the binary here")
    #expect(found.category?.functions == ["first", "frist", "secnod"])
    #expect(try outcome("indirect").remark == "indirect chosen at load time (IFUNC)")
  }

  @Test("what no return probe survives is left out, and an error where a list names it")
  func unsafe() throws {
    let path = try Library(options: ["-Wl,-e,first"]).path
    let names = "regex: 'first|second_value'"
    let found = try outcome("probe: uprobe, type: binary, file: '\(path)', \(names)")
    #expect(found.category?.functions == ["second_value"])
    let entry = "the program begins there, which a return probe does not survive"
    #expect(found.skipped == [entry: 1])
    #expect(
      reason("probe: uprobe, file: '\(path)', functions: [second_value, first]")
        == "a: first of \(path) may not be probed (\(entry))")
    #expect(
      reason("probe: uprobe, file: '\(path)', functions: ['first:0x10']")
        == "a: first:0x10 of \(path) may not be probed (\(entry))")

    let gone = try Library(
      more: "__attribute__((section(\".gopclntab\"))) const char tables[] = \"pcln\";"
    ).path
    let go = "a Go program moves its stacks, which a return probe does not survive"
    let none = try outcome("probe: uprobe, type: binary, file: '\(gone)', \(names)")
    #expect(none.category == nil && none.skipped == [go: 2])
    #expect(
      reason("probe: uprobe, file: '\(gone)', functions: [first]")
        == "a: first of \(gone) may not be probed (\(go))")
  }

  @Test("offsets are added when they are asked for")
  func offsets() throws {
    let library = try Library()
    let found = try outcome(
      "probe: uprobe, type: binary, file: '\(library.path)', regex: first, include_offsets: true")
    let offset = try #require(ElfFile(path: library.path).functions["first"]?.first).offset
    #expect(found.category?.functions == ["first:0x" + String(offset, radix: 16)])
  }

  @Test("a stripped library says so and gives what it exports")
  func stripped() throws {
    let found = try outcome(
      "probe: uprobe, type: binary, file: '\(try Library(stripped: true).path)', regex: '[fh].*'")
    #expect(found.category?.functions == ["first"])
    #expect(found.remark == "stripped: exported functions only")
  }

  @Test("regular expressions match whole names, with look-ahead")
  func regex() throws {
    let path = try Library().path
    func names(_ regex: String) throws -> [String]? {
      try outcome("probe: uprobe, type: binary, file: '\(path)', regex: '\(regex)'").category?
        .functions
    }
    #expect(try names("fir") == nil)
    #expect(try names("fir.*") == ["first"])
    #expect(try names("^(first|second.*)$") == ["first", "second_value"])
    #expect(try names("(?!.*_)(?!.*cold)[fs].*") == ["first"])
    #expect(try names("(first|none)(@@?|$).*") == ["first"])
    #expect(reason("probe: kprobe, type: ksym, regex: '('").hasPrefix("a: the regex is none"))
  }

  @Test("system calls are those of this kernel, with names and types of their arguments")
  func syscalls() throws {
    let found = try outcome("probe: syscalls, type: ksym, regex: 'sys_(openat|read|no_such)'")
    let category = try #require(found.category)
    #expect(category.functions == ["openat", "read"])
    guard case .array(let arguments)? = category.functionArguments["openat"] else {
      Issue.record("openat has no arguments")
      return
    }
    #expect(arguments.count == 4)
    #expect(arguments[1]["label"]?.string == "filename")
    #expect(arguments[1]["c_type"]?.string == "const char *")
  }

  @Test("calls have the names that programs and the tracer have for them")
  func entryNames() throws {
    let found = try outcome(
      "probe: syscalls, type: ksym, regex: 'sys_(newstat|newuname|umount|sendfile64|geteuid16)'")
    #expect(found.category?.functions == ["sendfile", "stat", "umount2", "uname"])
    #expect(found.skipped == ["not a call of 64-bit programs": 1])
    #expect(
      reason("probe: syscalls, functions: [openat, sys_read]") == "a: sys_read is no system call")
  }

  @Test("a header's system calls that the kernel lacks are counted and left out")
  func header() throws {
    let path = NSTemporaryDirectory() + UUID().uuidString + ".h"
    try """
    asmlinkage long sys_read(unsigned int fd, char __user *buf, size_t count);
    asmlinkage long sys_of_another_kernel(void);
    int other(void);
    """.write(toFile: path, atomically: true, encoding: .utf8)
    let found = try outcome("probe: syscalls, type: header, file: '\(path)'")
    #expect(found.category?.functions == ["read"])
    #expect(found.skipped == ["not in this kernel": 1, "not a system call": 1])
  }

  @Test("kernel functions are those that BTF describes, with its types")
  func kernelFunctions() throws {
    let found = try outcome("probe: kprobe, type: ksym, regex: vfs_(read|write)")
    let category = try #require(found.category)
    #expect(category.functions == ["vfs_read", "vfs_write"])
    guard case .array(let arguments)? = category.functionArguments["vfs_read"] else {
      Issue.record("vfs_read has no arguments")
      return
    }
    #expect(arguments.map { $0["c_type"]?.string }.first == "struct file *")
  }

  /// `label:c_type:index` of a function's arguments.
  private func arguments(of function: String, in category: ProbeCategory?) -> [String] {
    guard case .array(let arguments)? = category?.functionArguments[function] else { return [] }
    return arguments.map { argument in
      guard case .number(let index)? = argument["index"] else { return "no index" }
      return (argument["label"]?.string ?? "") + ":" + (argument["c_type"]?.string ?? "") + ":"
        + index
    }
  }

  private static let typed = """
    #include <stddef.h>
    typedef unsigned int id_of_job;
    typedef char *text;
    struct small { int a; };
    struct large { long a[4]; };
    enum colour { red };
    int plain(int fd, const char *path, size_t count) { return fd + path[0] + (int)count; }
    double mixed(double x, int n, float y, void *p) { return x * n + y + (p != 0); }
    struct large returned(int a) { struct large l = {{a}}; return l; }
    int by_value(int a, struct large l, int b, struct small s, int c) {
      return a + (int)l.a[0] + b + s.a + c; }
    int named(id_of_job id, text t, enum colour c, int (*f)(int)) { return id + t[0] + c + f(1); }
    static __attribute__((noinline)) int hidden(long many) { return (int)many * 3; }
    int main(void) { return hidden(2); }
    """

  private func compile(_ options: [String]) throws -> String {
    let folder = NSTemporaryDirectory() + "typed-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Self.typed.write(toFile: folder + "/a.c", atomically: true, encoding: .utf8)
    try run("/usr/bin/gcc", options + ["-o", folder + "/prog", folder + "/a.c"])
    return folder + "/prog"
  }

  private func run(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }

  @Test("a program's own functions have their arguments from DWARF, each in its register")
  func debugInformation() throws {
    let path = try compile(["-g", "-O0"])
    let found = try outcome("probe: uprobe, type: binary, file: '\(path)', regex: '(?!_).*'")
    func arguments(_ function: String) -> [String] {
      self.arguments(of: function, in: found.category)
    }
    #expect(arguments("plain") == ["fd:int:0", "path:const char *:1", "count:size_t:2"])
    #expect(arguments("mixed") == ["n:int:0", "p:void *:1"])
    #expect(arguments("named").prefix(3) == ["id:unsigned int:0", "t:char *:1", "c:enum colour:2"])
    #expect(arguments("named").last == "f:void (*)():3")
    #expect(arguments("hidden") == ["many:long int:0"])
    #expect(arguments("main") == [])
    #if arch(x86_64)
      // A hidden pointer comes first; what is passed by value is on the stack or in no one register.
      #expect(arguments("returned") == ["a:int:1"])
      #expect(arguments("by_value") == ["a:int:0", "b:int:1"])
    #endif
    // The same where the configuration names them.
    let named = try outcome("probe: uprobe, file: '\(path)', functions: [plain, hidden]")
    #expect(self.arguments(of: "plain", in: named.category).count == 3)
    #expect(self.arguments(of: "hidden", in: named.category) == ["many:long int:0"])
  }

  @Test("optimised code, a separate debug file, and none at all")
  func separateDebugInformation() throws {
    let fast = try compile(["-g", "-O2"])
    let found = try outcome("probe: uprobe, type: binary, file: '\(fast)', regex: plain|mixed")
    #expect(arguments(of: "plain", in: found.category).count == 3)
    #expect(arguments(of: "mixed", in: found.category) == ["n:int:0", "p:void *:1"])

    try run("/usr/bin/objcopy", ["--only-keep-debug", fast, fast + "-symbols"])
    try run("/usr/bin/strip", ["--strip-debug", fast])
    let without = try outcome("probe: uprobe, type: binary, file: '\(fast)', regex: plain")
    #expect(without.category?.functions == ["plain"])
    #expect(arguments(of: "plain", in: without.category) == [])
    try run("/usr/bin/objcopy", ["--add-gnu-debuglink=\(fast)-symbols", fast])
    let linked = try outcome("probe: uprobe, type: binary, file: '\(fast)', regex: plain")
    #expect(
      arguments(of: "plain", in: linked.category)
        == ["fd:int:0", "path:const char *:1", "count:size_t:2"])
  }

  @Test("a binary with BTF in the place of DWARF")
  func btf() throws {
    let path = try compile(["-gbtf", "-O0"])
    let found = try outcome("probe: uprobe, type: binary, file: '\(path)', regex: plain|mixed")
    #expect(
      arguments(of: "plain", in: found.category)
        == ["fd:int:0", "path:const char *:1", "count:size_t:2"])
    #expect(arguments(of: "mixed", in: found.category) == ["n:int:0", "p:void *:1"])
  }

  @Test("C++ functions are found by their symbols, in namespaces and in classes")
  func cPlusPlus() throws {
    let folder = NSTemporaryDirectory() + "cpp-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try """
    namespace n { struct S { int m(long v) const; }; int S::m(long v) const { return (int)v; }
    int f(const char *name, S by_value) { return name[0] + by_value.m(1); } }
    int main() { return n::f("a", n::S()); }
    """.write(toFile: folder + "/a.cc", atomically: true, encoding: .utf8)
    try run("/usr/bin/g++", ["-g", "-O0", "-o", folder + "/prog", folder + "/a.cc"])
    let found = try outcome(
      "probe: uprobe, type: binary, file: '\(folder)/prog', regex: '_ZN.*'")
    #expect(
      arguments(of: "_ZNK1n1S1mEl", in: found.category)
        == ["this:const struct S *:0", "v:long int:1"])
    #expect(arguments(of: "_ZN1n1fEPKcNS_1SE", in: found.category) == ["name:const char *:0"])
  }

  @Test("a long entry tells how far it has come")
  func progress() throws {
    let configuration = try ProbeConfiguration(
      yaml: "capture_probes:\n  - {name: a, probe: kprobe, type: ksym, regex: '[a-d].*'}\n",
      path: "c.yaml")
    let parts = Parts()
    let discovery = ProbeDiscovery { parts.all.append($0) }
    _ = try discovery.outcome(of: try #require(configuration.entries.first))
    #expect(parts.all.count > 2)
    #expect(parts.all == parts.all.sorted())
    #expect(parts.all.allSatisfy { (0...1).contains($0) })
  }

  private final class Parts {
    var all: [Double] = []
  }

  @Test("static tracepoints are found by their provider")
  func tracepoints() throws {
    let library = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"
    let found = try outcome(
      "probe: usdt, type: usdt, binary_path: \(library), provider: libstdcxx, regex: 'throw|catch'")
    #expect(found.category?.functions == ["catch", "throw"])
    #expect(
      reason("probe: usdt, type: usdt, binary_path: \(library), provider: other")
        == "a: \(try #require(found.category?.binaryPath)) has no tracepoints of other")
  }

  @Test("what is no binary is refused by name", arguments: ["/dev/null", "/tmp", "/etc/passwd"])
  func noBinary(path: String) {
    #expect(reason("probe: uprobe, type: binary, file: \(path)").contains(path))
  }
}

@Suite("A configuration of DataCrumbs is read as it is")
struct ProbeConfigurationTests {
  private func reason(_ yaml: String) -> String {
    do throws(ProbeError) {
      _ = try ProbeConfiguration(yaml: yaml, path: "c.yaml")
      return "read"
    } catch {
      return error.what
    }
  }

  @Test("its keys are known, those of other programs passed over")
  func keys() throws {
    let configuration = try ProbeConfiguration(
      yaml: """
        name: example
        capture_probes:
          - name: libc
            probe: uprobe
            type: binary
            file: /usr/lib64/libc.so.6
            regex: (?!.*_)(?!.*cold).*
          - {name: off, probe: kprobe, type: ksym, enable_explorer: false}
        profiling_interval: 0.0001
        inclusion_path: /scratch:/home/alice
        inclusion_paths: [/work]
        mode: profile
        time_unit: ns
        profile_interval_ms: 250
        """, path: "c.yaml")
    #expect(
      configuration.options.summary == [
        "mode": "profile", "time_unit": "ns", "profile_interval_ms": "250",
        "inclusion_paths": "/scratch:/home/alice:/work",
      ])
    #expect(configuration.entries.map(\.name) == ["libc"])
    #expect(configuration.entries.first?.regex == "(?!.*_)(?!.*cold).*")
  }

  @Test("mistakes name the line")
  func mistakes() {
    #expect(reason("") == "c.yaml is empty")
    #expect(reason("capture_probes: []") == "c.yaml has no capture_probes")
    #expect(reason("capture_probes:\n  - probe: kprobe") == "an entry has no name (c.yaml:2)")
    #expect(
      reason("capture_probes:\n  - {name: a, probe: custom, type: custom}")
        == "a: custom BPF is never traced: take the entry out (c.yaml:2)")
    #expect(reason("probes: 1") == "the key probes is not known (c.yaml:1)")
    #expect(reason("capture_probes: [").hasPrefix("c.yaml is no YAML"))
    let good = "capture_probes:\n  - {name: a, probe: kprobe, type: ksym}\n"
    #expect(reason(good + "time_unit: s") == "time_unit is neither us nor ns (c.yaml:3)")
    #expect(reason(good + "mode: all") == "mode is neither trace nor profile (c.yaml:3)")
    #expect(
      reason(good + "profile_interval_ms: 1s")
        == "profile_interval_ms is no number from 100 to 3600000 (c.yaml:3)")
    #expect(
      reason(good + "inclusion_paths: [scratch]").hasPrefix(
        "c.yaml: an inclusion path is not absolute"))
  }

  @Test("@NAME@ stands for a variable of the environment, as in DataCrumbs's templates")
  func templates() throws {
    let yaml = "capture_probes:\n  - {name: a, probe: uprobe, type: binary, file: @LIB@/x}"
    let filled = try ProbeConfiguration.filled(yaml, path: "c.yaml", ["LIB": "/opt/lib"])
    #expect(filled.hasSuffix("file: /opt/lib/x}"))
    #expect(throws: ProbeError.self) {
      try ProbeConfiguration.filled(yaml, path: "c.yaml", [:])
    }
    #expect(try ProbeConfiguration.filled("mail: a@b", path: "c.yaml", [:]) == "mail: a@b")
  }
}
