import Glibc

/// A folder of a test's own, removed with it.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/datacrumbs-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemFailure(number: errno) }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    chmod(path, 0o755)
  }

  deinit {
    Self.remove(path)
  }

  private static func remove(_ path: String) {
    for name in names(of: path) { remove(path + "/" + name) }
    Glibc.remove(path)
  }

  func write(_ name: String, _ text: String, mode: mode_t = 0o644) {
    let file = creat(path + "/" + name, mode)
    Glibc.write(file, text, text.utf8.count)
    close(file)
  }

  func read(_ name: String) -> String? {
    guard let file = fopen(path + "/" + name, "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }

  func status(_ name: String) -> stat? {
    var status = Glibc.stat()
    return lstat(path + "/" + name, &status) == 0 ? status : nil
  }

  func mode(_ name: String) -> mode_t? {
    status(name).map { $0.st_mode & 0o7777 }
  }

  /// What is there, sorted, without `.` and `..`.
  func names(_ name: String = "") -> [String] {
    Self.names(of: path + "/" + name)
  }

  private static func names(of path: String) -> [String] {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
      let stream = opendir(path)
    else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafeBytes(of: entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
  }

  struct SystemFailure: Error {
    let number: Int32
  }
}
