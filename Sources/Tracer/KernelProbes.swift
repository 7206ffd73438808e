import CLibBPF
import CTracerBPF
import Glibc
import ProbeDocument
import TraceRequest

/// What the kernel side is told before it is loaded.
struct KernelSettings {
  let job: UInt64
  let user: UInt32
  /// Bytes of the rings that records cross in, all together.
  var ringSize = 16 << 20
  /// Sums in place of records.
  var isProfile = false
  /// Only calls on files below these folders; empty: all.
  var inclusionPaths: [InclusionPath] = []
  /// Whose processes are the job's, besides those that call the marker.
  var cgroup: CgroupSelector?
}

/// A function that is not traced, and why.
struct NotAttached {
  let category: String
  let function: String
  let reason: String
}

/// The BPF programs in the kernel: loaded and attached as root, kept by descriptors alone.
final class KernelProbes {
  var object: OpaquePointer
  var links: [OpaquePointer] = []
  var linkDescriptors: [Int32] = []
  let usesMulti: Bool
  /// Whether one program has a function's begin and, of the job's calls alone, its return;
  /// DATACRUMBS_USER_HOOK=multi does without, to compare.
  let usesSession: Bool
  let usesKprobeMulti: Bool
  let kernelTypes = KernelTypes()
  /// The kernel functions that have a program of their own, by its number.
  var trampolines: [String] = []
  private let kinds: Set<ProbeKind>
  private var inFlight: Int32 = -1
  let layout: Rings.Layout
  let user: UInt32

  /// By system call number.
  private(set) var syscalls: [TracedFunction?] = Array(repeating: nil, count: Int(DC_SYSCALLS))
  /// By the index that the records carry.
  var functions: [TracedFunction] = []
  private(set) var notAttached: [NotAttached] = []
  private(set) var attachedCount = 0
  /// How many functions are traced in each way, for those who compare.
  private(set) var hooks: [(name: String, count: Int)] = []

  /// Loads the programs for these groups of functions; nothing is attached yet.
  init(_ groups: [ProbeCategory], _ settings: KernelSettings) throws(TracerError) {
    user = settings.user
    usesMulti = datacrumbs_has_uprobe_multi(DC_UPROBE_ENTRY) != 0
    usesSession =
      datacrumbs_has_uprobe_multi(DC_UPROBE_SESSION) != 0
      && getenv("DATACRUMBS_USER_HOOK").map { String(cString: $0) } != "multi"
    layout = Rings.Layout(
      total: settings.isProfile ? 0 : settings.ringSize,
      processors: settings.isProfile ? 1 : sysconf(Int32(_SC_NPROCESSORS_CONF)))
    kinds = Set(groups.map(\.kind))
    usesKprobeMulti =
      kinds.contains(.kprobe) && KernelHook.allows(.multi)
      && kernelTypes.hasFunction("register_fprobe_ips")
    libbpf_set_print { level, format, arguments in
      guard level == LIBBPF_WARN, KernelProbes.isVerbose, let format, let arguments else {
        return 0
      }
      return vdprintf(STDERR_FILENO, format, arguments)
    }
    object = try Self.open()
    chooseSyscalls(groups)
    chooseTrampolines(groups)
    try configure(groups, settings)
    var result = bpf_object__load(object)
    if result != 0, !trampolines.isEmpty {
      // A function whose arguments such a program cannot have; kprobes take all of them.
      bpf_object__close(object)
      object = try Self.open()
      trampolines = []
      try configure(groups, settings)
      result = bpf_object__load(object)
    }
    guard result == 0 else {
      let advice =
        -result == EPERM
        ? "run as root" : "Linux 5.17 with BTF is needed; DATACRUMBS_DEBUG=1 shows the kernel's log"
      throw TracerError(
        -result == EPERM ? .notPermitted : .unavailable,
        "the kernel refuses the BPF programs: \(errorText(-result)): \(advice)")
    }
  }

  private static func open() throws(TracerError) -> OpaquePointer {
    guard
      let object = bpf_object__open_mem(
        datacrumbs_bpf_object(), datacrumbs_bpf_object_size(), nil)
    else {
      throw TracerError(.internalError, "cannot read the embedded BPF object: \(errorText(errno))")
    }
    return object
  }

  private static let opening: Set = ["open", "openat", "openat2", "creat"]

  private static let isVerbose = getenv("DATACRUMBS_DEBUG") != nil

  deinit {
    detach()
    bpf_object__close(object)
  }

  // MARK: - Before loading

  private func chooseSyscalls(_ groups: [ProbeCategory]) {
    let chosen = groups.filter { $0.kind == .syscalls }
    let table = SyscallTable.named(Set(chosen.flatMap(\.functions)))
    for group in chosen {
      for name in group.functions {
        guard let entry = table[name], entry.number < Int(DC_SYSCALLS) else {
          refuse(group, name, "no such system call on this architecture")
          continue
        }
        if syscalls[entry.number] == nil {
          let asked = ArgumentSpecification(
            group.functionArguments, function: name, known: entry.arguments)
          syscalls[entry.number] = TracedFunction(
            category: group.name, name: name, arguments: asked?.arguments ?? entry.arguments,
            chosen: asked?.chosen)
        }
      }
    }
  }

  private func configure(_ groups: [ProbeCategory], _ settings: KernelSettings) throws(TracerError)
  {
    var space = stat()
    guard stat("/proc/self/ns/pid", &space) == 0 else {
      throw TracerError(.unavailable, "cannot see the pid namespace: /proc is not mounted")
    }
    try set("job_id", settings.job)
    try set("user_id", settings.user)
    try set("has_rdonly_cast", UInt32(KernelTypes.hasName("bpf_rdonly_cast") ? 1 : 0))
    try set("is_profile", UInt32(settings.isProfile ? 1 : 0))
    try setFolders(settings.inclusionPaths)
    if let cgroup = settings.cgroup {
      try set("cgroup_length", UInt32(cgroup.text.count))
      try set("cgroup_is_path", UInt32(cgroup.isPath ? 1 : 0))
      let (base, offset, size) = try variable("cgroup_name")
      (base + offset).copyMemory(from: cgroup.text, byteCount: min(cgroup.text.count, size))
    }
    for name in ["cgroup_entered", "mark_running"] {
      bpf_program__set_autoload(try program(name), settings.cgroup != nil)
    }
    try set("namespace_device", datacrumbs_kernel_device(UInt64(space.st_dev)))
    try set("namespace_inode", UInt64(space.st_ino))
    let exec = SyscallTable.named(["execve", "execveat"])
    try set("execve_number", UInt32(exec["execve"]?.number ?? Int(UInt32.max)))
    try set("execveat_number", UInt32(exec["execveat"]?.number ?? Int(UInt32.max)))
    let (captures, begin, size) = try variable("syscalls")
    for (number, function) in syscalls.enumerated() {
      guard let function, (number + 1) * MemoryLayout<dc_capture>.stride <= size else { continue }
      captures.storeBytes(
        of: dc_capture(
          wanted: 1, opens: Self.opening.contains(function.name) ? 1 : 0, values: function.values,
          strings: function.strings, file: function.file),
        toByteOffset: begin + number * MemoryLayout<dc_capture>.stride, as: dc_capture.self)
    }
    try set("rings_count", UInt32(layout.count))
    try set("ring_bytes", UInt64(layout.bytes))
    try set("wake_bytes", UInt64(layout.wakeBytes))
    bpf_map__set_value_size(try map("rings"), UInt32(layout.stride))
    bpf_map__set_max_entries(try map("rings"), UInt32(layout.count + 1))
    if !settings.isProfile {
      for name in ["sums", "sums_places"] { bpf_map__set_max_entries(try map(name), 1) }
    }
    let wantsSyscalls = syscalls.contains { $0 != nil }
    for name in ["sys_enter", "sys_exit"] {
      bpf_program__set_autoload(try program(name), wantsSyscalls)
    }
    if usesMulti {
      for name in ["mark", "function_enter", "function_return"] {
        bpf_program__set_expected_attach_type(
          try program(name), bpf_attach_type(rawValue: UInt32(DC_TRACE_UPROBE_MULTI)))
      }
    }
    // What nobody attaches is not loaded: the verifier's look at it takes longest of all.
    for name in ["function_enter", "function_return"] {
      bpf_program__set_autoload(try program(name), kinds.contains(.uprobe) && !usesSession)
    }
    let session = try program("function_session")
    bpf_program__set_autoload(session, kinds.contains(.uprobe) && usesSession)
    bpf_program__set_expected_attach_type(
      session, bpf_attach_type(rawValue: UInt32(DC_TRACE_UPROBE_SESSION)))
    for name in ["kernel_enter", "kernel_return"] {
      bpf_program__set_autoload(try program(name), kinds.contains(.kprobe))
      if !usesKprobeMulti {
        bpf_program__set_expected_attach_type(try program(name), bpf_attach_type(rawValue: 0))
      }
    }
    bpf_map__set_max_entries(
      try map("errno_places"),
      UInt32(max(1, groups.reduce(0) { $0 + ($1.kind == .syscalls ? 0 : $1.functions.count) })))
    bpf_program__set_autoload(try program("static_probe"), kinds.contains(.usdt))
    for number in 0..<Int(DC_TRAMPOLINES) {
      for name in ["trampoline_enter_\(number)", "trampoline_leave_\(number)"] {
        let program = try program(name)
        let isUsed =
          number < trampolines.count
          && bpf_program__set_attach_target(program, 0, trampolines[number]) == 0
        bpf_program__set_autoload(program, isUsed)
      }
    }
  }

  private func setFolders(_ paths: [InclusionPath]) throws(TracerError) {
    try set("folder_count", UInt32(paths.count))
    let (folders, begin, size) = try variable("folders")
    let stride = MemoryLayout<dc_folder>.stride
    guard let upward = MemoryLayout<dc_folder>.offset(of: \dc_folder.upward),
      let forward = MemoryLayout<dc_folder>.offset(of: \dc_folder.forward)
    else { throw TracerError(.internalError, "dc_folder has no layout") }
    for (number, path) in paths.enumerated() where (number + 1) * stride <= size {
      let place = folders + begin + number * stride
      place.storeBytes(of: UInt32(path.upward.count), as: UInt32.self)
      (place + upward).copyMemory(from: path.upward, byteCount: path.upward.count)
      (place + forward).copyMemory(from: path.forward, byteCount: path.forward.count)
    }
  }

  // MARK: - Attaching

  /// Attaches everything that can be; the rest is in `notAttached`.
  ///
  /// - Parameter marker: the object whose function tasks call; nil: they are told by their cgroup.
  func attach(
    _ groups: [ProbeCategory], marker: String?, cgroup: CgroupSelector?
  ) throws(TracerError) {
    for name in ["task_fork", "task_exec", "task_exit"] {
      if let error = attachTracepoint(name) {
        throw TracerError(.unavailable, "cannot follow tasks: \(name): \(error)")
      }
    }
    openInFlight()
    attachFunctions(groups)
    if syscalls.contains(where: { $0 != nil }) {
      if let error = attachTracepoint("sys_enter") ?? attachTracepoint("sys_exit") {
        for function in syscalls.compactMap({ $0 }) {
          notAttached.append(
            NotAttached(category: function.category, function: function.name, reason: error))
        }
      } else {
        note("raw_tracepoint", syscalls.count { $0 != nil })
      }
    }
    guard attachedCount > 0 else {
      let why = notAttached.first.map { ": \($0.function): \($0.reason)" } ?? ""
      throw TracerError(.unavailable, "nothing of the probe file can be attached\(why)")
    }
    if let marker {
      do {
        try attachMarker(marker)
      } catch {
        guard cgroup != nil else { throw error }
        notAttached.append(
          NotAttached(
            category: "datacrumbs", function: "datacrumbs_mark_task", reason: error.message))
      }
    }
    if let cgroup { try follow(cgroup) }
  }

  /// Marks what comes into a cgroup, and what is in there already.
  private func follow(_ cgroup: CgroupSelector) throws(TracerError) {
    if let error = attachTracepoint("cgroup_entered") {
      throw TracerError(.unavailable, "cannot follow the job's cgroup: \(error)")
    }
    let processes = bpf_map__fd(try map("processes"))
    var known: Set<UInt32> = []
    // What is forked while we look is a child of what is marked, or is found by the next look.
    for _ in 0..<Self.looks {
      let found = cgroup.processes().subtracting(known)
      if found.isEmpty { return }
      known.formUnion(found)
      for process in found {
        var key = process
        var value: UInt8 = 1
        bpf_map_update_elem(processes, &key, &value, UInt64(BPF_ANY))
      }
      guard let link = bpf_program__attach_iter(try program("mark_running"), nil) else {
        throw TracerError(.unavailable, "cannot look at the job's processes: \(errorText(errno))")
      }
      let iterator = bpf_iter_create(bpf_link__fd(link))
      Self.readToEnd(iterator)
      close(iterator)
      bpf_link__destroy(link)
    }
  }

  private static let looks = 10

  private static func readToEnd(_ descriptor: Int32) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while read(descriptor, &buffer, buffer.count) > 0 {}
  }

  private func attachMarker(_ path: String) throws(TracerError) {
    let symbols: ELFSymbols
    do {
      symbols = try ELFSymbols(path: path, wanted: ["datacrumbs_mark_task"])
    } catch {
      throw TracerError(
        .unavailable, "cannot read the marker's object: \(path): \(error.reason)")
    }
    guard let offset = symbols["datacrumbs_mark_task"] else {
      throw TracerError(
        .unavailable,
        "the object has no datacrumbs_mark_task: \(path): set DATACRUMBS_MARKER to the plugin")
    }
    let errors = attachUprobes("mark", path: path, [(offset: offset, cookie: 0)], DC_UPROBE_ENTRY)
    if let error = errors[0] {
      throw TracerError(.unavailable, "cannot probe the marker: \(path): \(error)")
    }
  }

  private func attachFunctions(_ groups: [ProbeCategory]) {
    for group in groups {
      switch group.kind {
      case .syscalls:
        continue
      case .uprobe:
        attachUprobeGroup(group)
      case .kprobe:
        attachKernelGroup(group)
      case .usdt:
        attachStaticGroup(group)
      }
    }
  }

  /// A function by the index that its records carry; returns the cookie of its probes.
  func add(
    _ group: ProbeCategory, _ name: String, known: [TracedArgument] = [],
    failure: LibraryFailure = .untold
  ) -> UInt64 {
    let asked = ArgumentSpecification(group.functionArguments, function: name, known: known)
    var function = TracedFunction(
      category: group.name, name: name, arguments: asked?.arguments ?? known,
      chosen: asked?.chosen)
    function.failure = failure
    functions.append(function)
    return UInt64(functions.count - 1) | function.cookieBits
  }

  /// Counts a function as traced.
  func note(_ hook: String, _ count: Int = 1) {
    attachedCount += count
    if let place = hooks.firstIndex(where: { $0.name == hook }) {
      hooks[place].count += count
    } else {
      hooks.append((hook, count))
    }
  }

  /// The size that libbpf is told: up to the last member that is set, since it refuses
  /// padding that is not zero.
  static func size<Options, Member>(upTo member: KeyPath<Options, Member>) -> Int {
    (MemoryLayout<Options>.offset(of: member) ?? 0) + MemoryLayout<Member>.size
  }

  func refuse(_ group: ProbeCategory, _ function: String, _ reason: String) {
    notAttached.append(NotAttached(category: group.name, function: function, reason: reason))
  }

  private func attachTracepoint(_ name: String) -> String? {
    guard let program = bpf_object__find_program_by_name(object, name) else { return "missing" }
    guard let link = bpf_program__attach(program) else { return errorText(errno) }
    links.append(link)
    return nil
  }

  /// Opened as root, read at the end: the programs' look at calls that are still in flight.
  private func openInFlight() {
    guard let program = bpf_object__find_program_by_name(object, "in_flight"),
      let link = bpf_program__attach_iter(program, nil)
    else { return }
    links.append(link)
    inFlight = bpf_iter_create(bpf_link__fd(link))
  }

  /// Has every call that is still in flight written as incomplete.
  func reportInFlight() {
    guard inFlight >= 0 else { return }
    Self.readToEnd(inFlight)
    close(inFlight)
    inFlight = -1
  }

  /// Takes every program off its hook. Needs no capability.
  func detach() {
    for link in links { bpf_link__destroy(link) }
    datacrumbs_close_all(linkDescriptors, linkDescriptors.count)
    links = []
    linkDescriptors = []
  }
}
