import CTracerBPF

/// How a function of the C library tells that it failed and why is in errno (errno(3)).
///
/// Only functions of which POSIX says so: others may return -1 with an errno of an earlier call.
enum LibraryFailure: UInt64 {
  /// It has no errno, or nobody knows where.
  case untold = 0
  /// It returns -1.
  case minusOne = 1
  /// It returns NULL.
  case null = 2

  private static let nulls: Set = [
    "aligned_alloc", "calloc", "fdopen", "fdopendir", "fopen", "freopen", "getcwd", "malloc",
    "memalign", "opendir", "popen", "realloc", "reallocarray", "realpath", "tmpfile", "valloc",
  ]
  private static let minusOnes: Set = [
    "closedir", "fclose", "fflush", "fseek", "fseeko", "fsetpos", "fstatat", "ftell", "ftello",
    "mkdtemp", "mkfifo", "mkstemp", "pclose", "posix_openpt", "pread", "preadv", "pwrite",
    "pwritev",
    "remove", "scandir", "utimes",
  ]

  /// How each of some functions does. The library has a wrapper for each of the kernel's calls.
  static func of(_ names: some Sequence<String>) -> [String: LibraryFailure] {
    var failures: [String: LibraryFailure] = [:]
    let plain = Dictionary(
      names.map { name in
        // __open64 and open64 are open.
        let bare = name.drop { $0 == "_" }
        return (name, String(bare.hasSuffix("64") ? bare.dropLast(2) : bare))
      }, uniquingKeysWith: { $1 })
    let calls = Set(SyscallTable.named(Set(plain.values)).keys)
    for (name, bare) in plain {
      if nulls.contains(bare) {
        failures[name] = .null
      } else if minusOnes.contains(bare) || calls.contains(bare) {
        failures[name] = .minusOne
      }
    }
    return failures
  }
}
