import Glibc

/// Which task of the job a process belongs to: SLURM_PROCID of its environment, read as the user;
/// a process that has already gone has its parent's.
struct TaskRanks {
  /// Beyond this many processes the oldest knowledge is dropped as a whole.
  private static let limit = 65536
  private static let variable = Array("SLURM_PROCID=".utf8)

  private var ranks: [UInt32: UInt32] = [:]

  mutating func rank(of pid: UInt32, parent: UInt32) -> UInt32? {
    let rank = Self.read(pid) ?? ranks[parent] ?? ranks[pid]
    if ranks.count > Self.limit { ranks.removeAll() }
    if let rank { ranks[pid] = rank }
    return rank
  }

  private static func read(_ pid: UInt32) -> UInt32? {
    let descriptor = open("/proc/\(pid)/environ", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 1) { buffer in
      var used = 0
      while used < buffer.count {
        let count = Glibc.read(
          descriptor, buffer.baseAddress?.advanced(by: used), buffer.count - used)
        if count <= 0 { break }
        used += count
      }
      for entry in buffer[..<used].split(separator: 0) where entry.starts(with: variable) {
        return UInt32(String(decoding: entry.dropFirst(variable.count), as: UTF8.self))
      }
      return nil
    }
  }
}
