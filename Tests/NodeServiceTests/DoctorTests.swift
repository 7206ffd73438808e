import Glibc
import Testing
import TraceRequest

@testable import NodeService

@Suite struct DoctorTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func findings(plugin: String? = nil) -> [Finding] {
    Doctor(root: folder.path, runPath: folder.path + "/run").findings(plugin: plugin)
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
    (0x16_05_08 as UInt32, "22.05.8"), (0x18_0B_03, "24.11.3"), (0x1A_05_00, "26.05.0"),
  ])
  func readsSlurmsVersionNumber(number: UInt32, text: String) {
    #expect(Doctor.release(number) == text)
  }
}
