import CLibBPF
import CTracerBPF
import Glibc
import TraceRequest

/// What the programs in the kernel share with this process, and what they are told before loading.
extension KernelProbes {
  /// The rings that records come out of.
  func rings() throws(TracerError) -> Rings {
    try Rings(
      descriptor: bpf_map__fd(try map("rings")), bell: doorbellDescriptor, layout: layout)
  }

  /// What is readable when the programs have woken the reader.
  var doorbellDescriptor: Int32 {
    bpf_map__fd(bpf_object__find_map_by_name(object, "doorbell"))
  }

  /// What the programs share in profile mode.
  func profileMemory() throws(TracerError) -> ProfileReader.Memory {
    let size = 2 * Int(DC_SUMS) * MemoryLayout<dc_sums>.stride
    guard
      let sums = mmap(
        nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(try map("sums")), 0),
      sums != MAP_FAILED
    else { throw TracerError(.unavailable, "cannot map the sums: \(errorText(errno))") }
    return ProfileReader.Memory(
      sums: sums.assumingMemoryBound(to: dc_sums.self),
      used: try shared("sums_used").assumingMemoryBound(to: UInt32.self),
      interval: try shared("interval").assumingMemoryBound(to: UInt32.self))
  }

  /// The counts that the programs keep, in memory shared with the kernel.
  func countsPointer() throws(TracerError) -> UnsafePointer<dc_counts> {
    UnsafePointer(try shared("counts").assumingMemoryBound(to: dc_counts.self))
  }

  /// Set before the reader waits; the program that wakes the reader takes it back.
  func waitingFlag() throws(TracerError) -> UnsafeMutablePointer<UInt32> {
    try shared("reader_waits").assumingMemoryBound(to: UInt32.self)
  }

  /// A variable of .bss, mapped: libbpf maps it for skeletons alone.
  func shared(_ name: String) throws(TracerError) -> UnsafeMutableRawPointer {
    let (_, offset, _) = try variable(name, in: ".bss")
    let page = Int(getpagesize())
    guard
      let base = mmap(
        nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(try section(".bss")), 0),
      base != MAP_FAILED, offset < page
    else {
      throw TracerError(.unavailable, "cannot map the programs' memory: \(errorText(errno))")
    }
    return base + offset
  }

  func section(_ name: String) throws(TracerError) -> OpaquePointer {
    var map: OpaquePointer?
    while let next = bpf_object__next_map(object, map) {
      if let text = bpf_map__name(next), String(cString: text).hasSuffix(name) { return next }
      map = next
    }
    throw TracerError(.internalError, "the BPF object has no \(name)")
  }

  func map(_ name: String) throws(TracerError) -> OpaquePointer {
    guard let map = bpf_object__find_map_by_name(object, name) else {
      throw TracerError(.internalError, "the BPF object has no map \(name)")
    }
    return map
  }

  func program(_ name: String) throws(TracerError) -> OpaquePointer {
    guard let program = bpf_object__find_program_by_name(object, name) else {
      throw TracerError(.internalError, "the BPF object has no program \(name)")
    }
    return program
  }

  func set<T: FixedWidthInteger>(_ name: String, _ value: T) throws(TracerError) {
    let (base, offset, size) = try variable(name)
    guard size == MemoryLayout<T>.size else {
      throw TracerError(.internalError, "the BPF object's \(name) has \(size) bytes")
    }
    withUnsafeBytes(of: value) {
      UnsafeMutableRawBufferPointer(start: base + offset, count: size).copyMemory(from: $0)
    }
  }

  /// Where a global variable lies, by the object's BTF.
  func variable(
    _ name: String, in sectionName: String = ".rodata"
  ) throws(TracerError) -> (base: UnsafeMutableRawPointer, offset: Int, size: Int) {
    var bytes = 0
    guard let base = bpf_map__initial_value(try section(sectionName), &bytes),
      let types = bpf_object__btf(object)
    else { throw TracerError(.internalError, "the BPF object has no \(sectionName)") }
    let section = btf__find_by_name_kind(types, sectionName, 15 /* BTF_KIND_DATASEC */)
    guard section > 0, let type = btf__type_by_id(types, UInt32(section)) else {
      throw TracerError(.internalError, "the BPF object's BTF lacks \(sectionName)")
    }
    let entries = UnsafeRawPointer(type + 1).assumingMemoryBound(to: btf_var_secinfo.self)
    for index in 0..<Int(type.pointee.info & 0xffff) {
      guard let variable = btf__type_by_id(types, entries[index].type),
        let text = btf__name_by_offset(types, variable.pointee.name_off)
      else { continue }
      if String(cString: text) == name {
        return (
          UnsafeMutableRawPointer(mutating: base), Int(entries[index].offset),
          Int(entries[index].size)
        )
      }
    }
    throw TracerError(.internalError, "the BPF object has no variable \(name)")
  }
}
