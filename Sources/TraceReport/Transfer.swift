/// How the calls of a function move bytes, told by the function's name.
struct Transfer {
  /// Which way.
  let direction: Direction
  /// Whether the function returns how many items it moved, each of `args.size` bytes.
  let countsItems: Bool

  private static let reads: Set<String> = [
    "read", "pread", "pread64", "readv", "preadv", "preadv2", "preadv64", "preadv64v2", "recv",
    "recvfrom", "recvmsg",
  ]
  private static let writes: Set<String> = [
    "write", "pwrite", "pwrite64", "writev", "pwritev", "pwritev2", "pwritev64", "pwritev64v2",
    "send", "sendto", "sendmsg", "sendfile", "sendfile64", "copy_file_range", "splice",
  ]
  // The kernel's and the C library's other names of the same calls.
  private static let prefixes = [
    "__x64_sys_", "__arm64_sys_", "__se_sys_", "__do_sys_", "ksys_", "vfs_", "do_sys_", "sys_",
    "__libc_", "__GI_", "__",
  ]

  init(function name: String) {
    var bare = name.split(separator: "@").first.map(String.init) ?? name
    for prefix in Self.prefixes where bare.hasPrefix(prefix) {
      bare.removeFirst(prefix.count)
      break
    }
    let isItems = bare.hasPrefix("fread") || bare.hasPrefix("fwrite")
    if Self.reads.contains(bare) || bare.hasSuffix("file_read_iter") || bare.hasPrefix("fread") {
      direction = .read
    } else if Self.writes.contains(bare) || bare.hasSuffix("file_write_iter")
      || bare.hasPrefix("fwrite")
    {
      direction = .write
    } else {
      direction = .other
    }
    countsItems = isItems
  }

  // A value that no call returns as a count of bytes: 4 TiB.
  private static let limit: Int64 = 1 << 42

  /// The bytes that a call moved.
  func bytes(_ line: TraceLine) -> Int64 {
    guard direction != .other, let result = line.result, result > 0, !line.hasErrorNumber else {
      return 0
    }
    guard countsItems else { return result < Self.limit ? result : 0 }
    guard let size = line.size, size > 0 else { return 0 }
    let (product, overflow) = result.multipliedReportingOverflow(by: size)
    return overflow || product >= Self.limit ? 0 : product
  }
}
