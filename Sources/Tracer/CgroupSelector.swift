import CTracerBPF
import Glibc

/// The cgroup whose processes are the job's, where no plugin marks them.
struct CgroupSelector {
  /// With a slash in front: a path from the hierarchy's root, or one name in such a path.
  let text: [UInt8]
  /// Whether it is a path.
  let isPath: Bool

  /// - Parameter setting: a path that begins with a slash, as /proc/PID/cgroup has it, or a name
  ///   without any, `job_7`.
  init(_ setting: String) throws(TracerError) {
    isPath = setting.hasPrefix("/")
    let names = setting.utf8.split(separator: UInt8(ascii: "/"))
    text = names.flatMap { [UInt8(ascii: "/")] + $0 }
    guard !names.isEmpty, isPath || names.count == 1, text.count < Int(DC_CGROUP_SIZE) else {
      throw TracerError(
        .usage,
        "not a cgroup: \(setting): give a name in its path, or the path from the hierarchy's root")
    }
  }

  /// Whether a cgroup of that path is this one, or below it.
  func selects(_ path: some Collection<UInt8>) -> Bool {
    func ends(_ rest: some Collection<UInt8>) -> Bool {
      rest.isEmpty || rest.first == UInt8(ascii: "/")
    }
    if isPath { return path.starts(with: text) && ends(path.dropFirst(text.count)) }
    return path.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual(text.dropFirst()) }
  }

  /// The processes that are in there now, in whatever hierarchy.
  func processes() -> Set<UInt32> {
    guard let stream = opendir("/proc") else { return [] }
    defer { closedir(stream) }
    var found: Set<UInt32> = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let process = UInt32(name), let cgroups = Self.cgroups(of: process) else { continue }
      // "4:freezer:/slurm/uid_1/job_7"
      let isOurs = cgroups.split(separator: UInt8(ascii: "\n")).contains { line in
        let parts = line.split(
          separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count == 3 && selects(parts[2])
      }
      if isOurs { found.insert(process) }
    }
    return found
  }

  private static func cgroups(of process: UInt32) -> [UInt8]? {
    guard let file = fopen("/proc/\(process)/cgroup", "re") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
  }
}
