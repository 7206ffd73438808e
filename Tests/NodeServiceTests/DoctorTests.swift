import Glibc
import Testing
import TraceRequest

@testable import NodeService

@Suite struct DoctorTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func findings(plugin: String? = nil, isClockSynchronised: Bool = true) -> [Finding] {
    Doctor(
      root: folder.path, runPath: folder.path + "/run",
      isClockSynchronised: { isClockSynchronised }
    ).findings(plugin: plugin)
  }

  private func finding(about text: String, plugin: String? = nil) -> Finding? {
    findings(plugin: plugin).first { $0.what.contains(text) }
  }

  private func makeFolders(_ path: String) {
    var whole = folder.path
    for name in path.split(separator: "/") {
      whole += "/" + name
      mkdir(whole, 0o755)
    }
  }

  @Test func tellsWhatToDoAboutEverythingThatIsMissing() {
    for name in ["no BTF", "no uprobes", "no unit", "no trusted key", "no plugin: /nowhere.so"] {
      let found = finding(about: name, plugin: "/nowhere.so")
      #expect(found?.verdict == .bad, "\(name)")
      #expect(found?.remedy.isEmpty == false, "\(name)")
    }
    #expect(finding(about: "no kprobes")?.verdict == .limited)
  }

  @Test func findsWhatIsThere() {
    makeFolders("sys/kernel/btf/vmlinux")
    makeFolders("etc/systemd/system")
    folder.write("etc/systemd/system/datacrumbs@.service", "")
    #expect(finding(about: "BTF")?.verdict == .good)
    #expect(finding(about: "unit: /etc/systemd/system")?.verdict == .good)
  }

  @Test func namesAKeyThatIsNone() {
    makeFolders("etc/datacrumbs/trusted.d")
    folder.write("etc/datacrumbs/trusted.d/0123.pub", "garbage")
    let found = finding(about: "0123.pub")
    #expect(found?.verdict == .bad)
    #expect(finding(about: "no trusted key") == nil)
  }

  @Test func namesAMistakeInTheConfiguration() {
    makeFolders("etc/datacrumbs")
    folder.write("etc/datacrumbs/datacrumbs.conf", "limits:\n  start: soon\n")
    #expect(finding(about: "datacrumbs.conf:2: limits.start: soon")?.verdict == .bad)
  }

  @Test func seesARunDirectoryThatOthersCanWrite() {
    mkdir(folder.path + "/run", 0o755)
    chmod(folder.path + "/run", 0o777)
    #expect(finding(about: "not safe to use: \(folder.path)/run")?.verdict == .bad)
  }

  @Test(arguments: [
    ("5.16.20", Finding.Verdict.bad), ("5.17", .good), ("6.1.0-31-amd64", .good),
    ("", .bad),
  ])
  func judgesTheKernelByItsRelease(release: String, verdict: Finding.Verdict) {
    makeFolders("proc/sys/kernel")
    folder.write("proc/sys/kernel/osrelease", release + "\n")
    #expect(finding(about: "kernel ")?.verdict == verdict)
  }

  @Test func tellsAClockThatNobodyKeeps() {
    #expect(finding(about: "clock synchronised")?.verdict == .good)
    let found = findings(isClockSynchronised: false).first { $0.what.contains("clock") }
    #expect(found?.verdict == .limited && found?.remedy.isEmpty == false)
  }

  @Test func seesKeysAndSettingsThatOthersCanWrite() {
    makeFolders("etc/datacrumbs/trusted.d")
    folder.write("etc/datacrumbs/datacrumbs.conf", "")
    chmod(folder.path + "/etc/datacrumbs/datacrumbs.conf", 0o666)
    chmod(folder.path + "/etc/datacrumbs/trusted.d", 0o777)
    #expect(finding(about: "not only root's to write")?.verdict == .bad)
    #expect(finding(about: "not safe to use: \(folder.path)/etc/datacrumbs")?.verdict == .bad)
  }

  @Test func takesThePluginThatIsRegistered() {
    #expect(finding(about: "no plugin is registered")?.verdict == .limited)
    makeFolders("etc/slurm/plugstack.conf.d")
    folder.write(
      "etc/slurm/plugstack.conf.d/datacrumbs.conf", "# ours\noptional /lib/p.so bindir=/b\n")
    #expect(finding(about: "no plugin: \(folder.path)/lib/p.so")?.verdict == .bad)
    makeFolders("lib")
    folder.write("lib/p.so", "no library")
    #expect(finding(about: "/lib/p.so: ")?.remedy == "install it again")
  }

  @Test(arguments: [
    (0x16_05_08 as UInt32, "22.05.8"), (0x18_0B_03, "24.11.3"), (0x1A_05_00, "26.05.0"),
  ])
  func readsSlurmsVersionNumber(number: UInt32, text: String) {
    #expect(Doctor.release(number) == text)
  }
}
