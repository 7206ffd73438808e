import Glibc

/// The trace files of one job: what a user names on the command line.
public struct TraceFolder: Sendable {
  /// The folder or the file as it was found.
  public let path: String
  /// The files, by name.
  public let files: [String]

  /// Finds the trace files.
  ///
  /// - Parameter name: a folder with `<node>.pfw.gz` files, one such file, or a job id, which
  ///   stands for the folder `datacrumbs-<jobid>` here.
  public init(_ name: String) throws(ReportError) {
    let isJob = !name.isEmpty && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
    var status = stat()
    var path = name
    if isJob, stat(path, &status) != 0 { path = "datacrumbs-" + name }
    guard stat(path, &status) == 0 else {
      let number = errno
      if isJob, number == ENOENT {
        throw ReportError(
          .noInput,
          "no trace of that job here: \(path): go to the folder that the job was submitted from, "
            + "or name the folder of the trace")
      }
      throw .file("cannot read the trace", path, errno: number)
    }
    self.path = path
    guard status.st_mode & S_IFMT == S_IFDIR else {
      files = [path]
      return
    }
    guard let folder = opendir(path) else {
      throw .file("cannot read the trace folder", path, errno: errno)
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".pfw.gz") || name.hasSuffix(".pfw") { names.append(name) }
    }
    guard !names.isEmpty else {
      throw ReportError(
        .noInput, "no trace files in the folder: \(path): a trace's files end in .pfw.gz")
    }
    let slash = path.hasSuffix("/") ? "" : "/"
    files = names.sorted().map { path + slash + $0 }
  }

  /// The node that a file is of, going by the file's name.
  static func node(ofFile path: String) -> String {
    var name = path.split(separator: "/").last.map(String.init) ?? path
    for suffix in [".gz", ".pfw"] where name.hasSuffix(suffix) {
      name.removeLast(suffix.count)
    }
    return name
  }
}
