import CLibBPF
import CTracerBPF
import Glibc

/// The running kernel's types and functions, by its BTF.
final class KernelTypes {
  /// Read when first asked of: that takes as long as loading the programs.
  private lazy var types: OpaquePointer? = btf__load_vmlinux_btf()
  private var isRead = false

  deinit {
    if isRead { btf__free(types) }
  }

  /// Whether anything has that name, at a tenth of the price.
  static func hasName(_ name: String) -> Bool {
    datacrumbs_file_contains("/sys/kernel/btf/vmlinux", name) == 1
  }

  /// Whether there is a function of that name.
  func hasFunction(_ name: String) -> Bool {
    isRead = true
    guard let types else { return false }
    return btf__find_by_name_kind(types, name, 12 /* BTF_KIND_FUNC */) > 0
  }
}

/// The ways to trace a kernel function. The tracer takes the first that the kernel has and that
/// serves so many functions; DATACRUMBS_KERNEL_HOOK leaves only one of them, to compare.
enum KernelHook: String {
  /// fentry and fexit: the function calls the program itself. A program a function.
  case fentry
  /// kprobe.multi: one call for all functions, Linux 5.18 with CONFIG_FPROBE.
  case multi
  /// kprobe and kretprobe, one by one: every kernel.
  case kprobe

  static func allows(_ hook: KernelHook) -> Bool {
    guard let text = getenv("DATACRUMBS_KERNEL_HOOK") else { return true }
    return KernelHook(rawValue: String(cString: text)) == hook
  }
}
