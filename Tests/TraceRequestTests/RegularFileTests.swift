import Glibc
import Testing

@testable import TraceRequest

@Suite("What is no regular file is looked at and never opened")
struct RegularFileTests {
  @Test func opensRegularFilesAlone() throws {
    var name = Array("/tmp/regular-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&name).map { String(cString: $0) })
    let opened = inotify_init1(Int32(IN_NONBLOCK))
    defer { close(opened) }
    /// Whether anybody has opened it meanwhile.
    func isOpened(_ path: String, _ body: () -> Void) -> Bool {
      let watch = inotify_add_watch(opened, path, UInt32(IN_OPEN))
      body()
      var events = [UInt8](repeating: 0, count: 4096)
      let count = read(opened, &events, events.count)
      inotify_rm_watch(opened, watch)
      while read(opened, &events, events.count) > 0 {}
      return count > 0
    }
    func outcome(_ path: String) -> String {
      do throws(RegularFile.Failure) {
        close(try RegularFile.open(path))
        return "opened"
      } catch {
        return error.text
      }
    }
    let fifo = folder + "/fifo"
    let link = folder + "/link"
    mkfifo(fifo, 0o600)
    symlink(fifo, link)
    close(creat(folder + "/file", 0o600))
    var said: [String] = []
    #expect(isOpened(folder + "/file") { said.append(outcome(folder + "/file")) })
    #expect(!isOpened(fifo) { said.append(outcome(fifo)) })
    #expect(!isOpened(fifo) { said.append(outcome(link)) })
    #expect(!isOpened("/dev/zero") { said.append(outcome("/dev/zero")) })
    #expect(!isOpened(folder) { said.append(outcome(folder)) })
    let refusal = "it is not a regular file"
    #expect(said == ["opened", refusal, refusal, refusal, refusal])
    #expect(outcome(folder + "/none") == "No such file or directory")
    for entry in ["fifo", "link", "file"] { unlink(folder + "/" + entry) }
    rmdir(folder)
  }
}
