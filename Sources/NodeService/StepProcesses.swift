import Glibc

/// The job steps that run on this node, by Slurm's own processes for them.
struct StepProcesses: Sendable {
  private let path: String

  /// - Parameter path: where the kernel shows its processes.
  init(path: String = "/proc") {
    self.path = path
  }

  /// The jobs that have a slurmstepd here. It names itself `slurmstepd: [15.batch]`.
  func jobs() -> Set<String> {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var jobs: Set<String> = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.first?.isNumber == true, let title = commandLine(of: name),
        title.hasPrefix("slurmstepd: [")
      else { continue }
      jobs.insert(String(title.dropFirst("slurmstepd: [".count).prefix(while: \.isNumber)))
    }
    return jobs
  }

  private func commandLine(of process: String) -> String? {
    guard let file = fopen(path + "/" + process + "/cmdline", "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
