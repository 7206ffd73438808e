import Foundation
import ProbeDocument
import Testing

@testable import Tracer

@Suite("A signed path is probed where it is still what was signed", .enabled(if: getuid() == 0))
final class ProbedBinaryTests {
  private let folder: String
  private let nobody: uid_t = 65534

  init() throws {
    folder = "/tmp/probed-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    chmod(folder, 0o755)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func outcome(_ path: String, kind: ProbeKind = .uprobe) -> String {
    do throws(ProbedBinary.Refused) {
      _ = try ProbedBinary(path, kind: kind, user: nobody)
      return "probed"
    } catch {
      return error.reason
    }
  }

  /// A copy of a program, somebody's.
  private func copy(_ name: String, owner: uid_t, mode: mode_t = 0o755) throws -> String {
    let path = folder + "/" + name
    try FileManager.default.copyItem(atPath: "/bin/true", toPath: path)
    chown(path, owner, 0)
    chmod(path, mode)
    return path
  }

  /// Whether anybody opens the file while `body` runs.
  private func isOpened(_ path: String, _ body: () -> Void) -> Bool {
    let events = inotify_init1(Int32(IN_NONBLOCK))
    defer { close(events) }
    inotify_add_watch(events, path, UInt32(IN_OPEN))
    body()
    var buffer = [UInt8](repeating: 0, count: 4096)
    return read(events, &buffer, buffer.count) > 0
  }

  @Test func whatIsNoFileOfRootsOrTheUsersIsNeverOpened() throws {
    let device = folder + "/device"
    try #require(mknod(device, S_IFCHR | 0o600, 0x103) == 0)
    let fifo = folder + "/fifo"
    mkfifo(fifo, 0o600)
    let daemons = try copy("daemons", owner: 1)
    let open = try copy("open", owner: 0, mode: 0o777)
    for (path, reason) in [
      (device, "not a regular file"), (fifo, "not a regular file"), (folder, "not a regular file"),
      (daemons, "belongs to uid 1, neither root nor the job's user"),
      (open, "others may write to it"),
    ] {
      var said = ""
      #expect(!isOpened(path) { said = outcome(path) }, "\(path)")
      #expect(said == "\(path): \(reason)")
    }
    let own = try copy("own", owner: nobody)
    var said = ""
    #expect(isOpened(own) { said = outcome(own) })
    #expect(said == "probed")
    #expect(outcome(folder + "/none").hasSuffix("No such file or directory"))
  }

  @Test func aLinkIsFollowedWhereRootAloneCanHaveMadeIt() throws {
    let program = try copy("program", owner: 0)
    // As /lib and libc.so.6 are on some systems.
    symlink("program", folder + "/roots")
    symlink(folder, folder + "/back")
    symlink("../\(URL(fileURLWithPath: folder).lastPathComponent)/roots", folder + "/more")
    for path in ["/roots", "/back/program", "/more", "/back/back/more", "//./program"] {
      #expect(outcome(folder + path) == "probed", "\(path)")
    }
    let refused = "there is a link on the way to it, which root has not made"
    symlink(program, folder + "/users")
    lchown(folder + "/users", nobody, 0)
    #expect(outcome(folder + "/users") == "\(folder)/users: \(refused)")
    // A link of root's in a folder of the user's: the user may have moved it there.
    let open = folder + "/open"
    mkdir(open, 0o755)
    symlink("/bin/true", open + "/link")
    symlink("/bin", open + "/bin")
    chown(open, nobody, 0)
    #expect(outcome(open + "/link") == "\(open)/link: \(refused)")
    #expect(outcome(open + "/bin/true") == "\(open)/bin/true: \(refused)")
    symlink("endless", folder + "/endless")
    #expect(outcome(folder + "/endless") == "\(folder)/endless: \(refused)")
  }

  @Test func staticProbesAreTracedInFilesOfRootsOnly() throws {
    let own = try copy("own", owner: nobody)
    #expect(outcome(own) == "probed")
    #expect(
      outcome(own, kind: .usdt) == "\(own): static probes are traced in files of root's only")
    #expect(outcome(try copy("roots", owner: 0), kind: .usdt) == "probed")
  }

  @Test func whatIsNoProgramIsRefused() throws {
    let text = folder + "/text"
    try "#!/bin/sh\necho a script that is longer than the header of a program is\n"
      .write(toFile: text, atomically: true, encoding: .utf8)
    #expect(outcome(text) == "\(text): not a 64-bit little-endian ELF file")
  }
}
