import CLibBPF
import CTracerBPF
import Glibc
import ProbeDocument
import TraceRequest

/// Functions of the kernel: fentry and fexit, kprobe.multi, kprobes one by one.
extension KernelProbes {
  /// A few functions get a program each, which costs a call less than a kprobe does
  /// (docs/performance.md); many share one, which is attached sooner.
  func chooseTrampolines(_ groups: [ProbeCategory]) {
    let asked = groups.filter { $0.kind == .kprobe }.flatMap(\.functions)
    guard KernelHook.allows(.fentry), asked.count <= Int(DC_TRAMPOLINES) else { return }
    trampolines = asked.filter { kernelTypes.hasFunction($0) }
  }

  func attachKernelGroup(_ group: ProbeCategory) {
    let hasKprobes = access("/sys/bus/event_source/devices/kprobe", F_OK) == 0
    // To read them takes tens of milliseconds: not where BTF knows all the names.
    let unknown = group.functions.filter { !trampolines.contains($0) }
    let symbols = unknown.isEmpty ? nil : KernelSymbols(Set(unknown))
    var names: [String] = []
    var cookies: [UInt64] = []
    for name in group.functions {
      guard trampolines.contains(name) || symbols?.contains(name) ?? true else {
        refuse(group, name, "no such function in this kernel")
        continue
      }
      let cookie = add(group, name) | 1 << 63
      if attachTrampoline(name, cookie) {
        note("fentry")
      } else if hasKprobes {
        names.append(name)
        cookies.append(cookie)
      } else {
        refuse(group, name, "this kernel has no kprobes")
      }
    }
    guard !names.isEmpty else { return }
    let entries = attachKprobes("kernel_enter", names, cookies, isReturn: false)
    let returns = attachKprobes("kernel_return", names, cookies, isReturn: true)
    for (index, name) in names.enumerated() {
      if let reason = entries[index] ?? returns[index] {
        refuse(group, name, reason)
      } else {
        note(usesKprobeMulti ? "kprobe_multi" : "kprobe")
      }
    }
  }

  /// Attaches the programs that a kernel function has of its own; false where it has none or the
  /// kernel cannot call them.
  func attachTrampoline(_ function: String, _ cookie: UInt64) -> Bool {
    guard let number = trampolines.firstIndex(of: function) else { return false }
    // The next category that names it gets a kprobe.
    trampolines[number] = ""
    var made: [OpaquePointer] = []
    for name in ["trampoline_leave_\(number)", "trampoline_enter_\(number)"] {
      var options = bpf_trace_opts()
      options.sz = MemoryLayout<bpf_trace_opts>.size
      options.cookie = cookie
      guard let program = bpf_object__find_program_by_name(object, name),
        bpf_program__fd(program) >= 0,
        let link = bpf_program__attach_trace_opts(program, &options)
      else {
        for link in made { bpf_link__destroy(link) }
        return false
      }
      made.append(link)
    }
    links += made
    return true
  }

  /// All by one call where the kernel can, one by one where one of them is refused.
  func attachKprobes(
    _ name: String, _ functions: [String], _ cookies: [UInt64], isReturn: Bool
  ) -> [Int: String] {
    guard let program = bpf_object__find_program_by_name(object, name) else {
      return Dictionary(uniqueKeysWithValues: functions.indices.map { ($0, "missing") })
    }
    if usesKprobeMulti, attachKprobeMulti(program, functions, cookies, isReturn) == nil {
      return [:]
    }
    var errors: [Int: String] = [:]
    for (index, function) in functions.enumerated() {
      if usesKprobeMulti {
        errors[index] = attachKprobeMulti(program, [function], [cookies[index]], isReturn)
        continue
      }
      var options = bpf_kprobe_opts()
      options.sz = Self.size(upTo: \bpf_kprobe_opts.retprobe)
      options.bpf_cookie = cookies[index]
      options.retprobe = isReturn
      if let link = bpf_program__attach_kprobe_opts(program, function, &options) {
        links.append(link)
      } else {
        errors[index] = errorText(errno)
      }
    }
    return errors
  }

  func attachKprobeMulti(
    _ program: OpaquePointer, _ functions: [String], _ cookies: [UInt64], _ isReturn: Bool
  ) -> String? {
    let copies = functions.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    var names = copies.map { $0.map { UnsafePointer<CChar>($0) } }
    let link = names.withUnsafeMutableBufferPointer { names in
      cookies.withUnsafeBufferPointer { cookies in
        var options = bpf_kprobe_multi_opts()
        options.sz = Self.size(upTo: \bpf_kprobe_multi_opts.retprobe)
        options.syms = names.baseAddress
        options.cookies = cookies.baseAddress
        options.cnt = names.count
        options.retprobe = isReturn
        return bpf_program__attach_kprobe_multi_opts(program, nil, &options)
      }
    }
    guard let link else { return errorText(errno) }
    links.append(link)
    return nil
  }
}
