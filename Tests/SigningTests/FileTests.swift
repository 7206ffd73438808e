import CSocket
import Foundation
import Testing

@testable import Signing

@Suite("What is no file of a sane size is refused, never waited for and never kept")
struct FileTests {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "f-" + UUID().uuidString.prefix(8)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func reason(_ path: String, limit: Int = 1000) -> String {
    do throws(FileError) {
      _ = try File.read(path, limit: limit)
      return "read"
    } catch {
      return error.reason
    }
  }

  @Test("FIFO, device, folder and socket", .timeLimit(.minutes(1)))
  func notRegular() throws {
    #expect(mkfifo(folder + "/fifo", 0o600) == 0)
    let socket = csocket_listen(folder + "/socket", 1)
    defer { close(socket) }
    #expect(reason(folder + "/fifo") == "it is not a regular file")
    #expect(reason("/dev/zero") == "it is not a regular file")
    #expect(reason(folder) == "it is not a regular file")
    #expect(reason(folder + "/socket") == "it is not a regular file")
  }

  @Test("missing, a broken link, a link in a circle, a name that is too long, a NUL in it")
  func names() throws {
    #expect(reason(folder + "/none") == "No such file or directory")
    symlink(folder + "/none", folder + "/broken")
    symlink(folder + "/circle", folder + "/circle")
    #expect(reason(folder + "/broken") == "No such file or directory")
    #expect(reason(folder + "/circle") == "Too many levels of symbolic links")
    #expect(reason("/" + String(repeating: "a/", count: 4096)) == "File name too long")
    #expect(reason(folder + "/a\0b") == "its name has a NUL in it")
  }

  @Test("a name with a space, a quote, a line break and a command in it is a name")
  func unusual() throws {
    let path = folder + "/a \"b' $(touch pwned) \n`c`"
    try File.write(path, [1, 2, 3], mode: 0o600)
    #expect(try File.read(path, limit: 3) == [1, 2, 3])
    #expect(!FileManager.default.fileExists(atPath: "pwned"))
  }

  @Test("the limit holds, also for a file that has no size, and one that grows")
  func limit() throws {
    let path = folder + "/file"
    try File.write(path, .init(repeating: 0, count: 1000), mode: 0o600)
    #expect(reason(path, limit: 1000) == "read")
    #expect(reason(path, limit: 999) == "it is larger than 999 bytes")
    // Files of /proc say that they are empty, whatever they hold.
    #expect(reason("/proc/kallsyms", limit: 5000) == "it is larger than 5000 bytes")
  }

  @Test("a file that changes while it is read is refused: cut short, grown, or written over")
  func changing() throws {
    let path = folder + "/file"
    func reason(_ change: @escaping (FileHandle) throws -> Void) throws -> String {
      try File.write(path, .init(repeating: 7, count: 100_000), mode: 0o600)
      // Times of files are no finer than the kernel's tick; this one is long ago.
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1_000_000)], ofItemAtPath: path)
      let handle = try #require(FileHandle(forUpdatingAtPath: path))
      defer { try? handle.close() }
      var isChanged = false
      do throws(FileError) {
        _ = try File.read(path, limit: 1 << 20) {
          if !isChanged { try? change(handle) }
          isChanged = true
        }
        return "read"
      } catch {
        return error.reason
      }
    }
    #expect(try reason { _ in } == "read")
    #expect(try reason { try $0.truncate(atOffset: 70_000) } == "it changed while it was read")
    #expect(
      try reason { handle in
        try handle.seekToEnd()
        try handle.write(contentsOf: [1])
      } == "it changed while it was read")
    #expect(
      try reason { handle in
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: [1])
      } == "it changed while it was read")
    // Another file under the name is another file: what was opened is read to its end.
    let new = folder + "/new"
    try File.write(new, [1], mode: 0o600)
    #expect(try reason { _ in rename(new, path) } == "read")
  }

  @Test("a file is written as a whole or not at all")
  func write() throws {
    let path = folder + "/file"
    try File.write(path, [1], mode: 0o640)
    #expect(throws: FileError.self) { try File.write(folder + "/none/file", [2], mode: 0o600) }
    #expect(throws: FileError.self) { try File.write(folder, [2], mode: 0o600) }
    try File.write(path, [3], mode: 0o640)
    #expect(try File.read(path, limit: 10) == [3])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
  }
}
