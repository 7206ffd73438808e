import CLibBPF
import CTracerBPF
import Glibc
import ProbeDocument
import TraceRequest

/// Functions and static probes of programs and libraries.
extension KernelProbes {
  func attachStaticGroup(_ group: ProbeCategory) {
    guard let program = bpf_object__find_program_by_name(object, "static_probe"),
      let binary = binary(of: group)
    else { return }
    // Swift may let go of it, and close it, behind its last use.
    withExtendedLifetime(binary) { attachStaticGroup(group, in: binary, program) }
  }

  /// The group's file; nil where it has none that may be probed, and all of it is refused.
  func binary(of group: ProbeCategory) -> ProbedBinary? {
    do throws(ProbedBinary.Refused) {
      guard let path = group.binaryPath else {
        throw ProbedBinary.Refused(reason: "the category names no binary_path")
      }
      return try ProbedBinary(path, kind: group.kind, user: user)
    } catch {
      for name in group.functions { refuse(group, name, error.reason) }
      return nil
    }
  }

  func attachStaticGroup(
    _ group: ProbeCategory, in binary: ProbedBinary, _ program: OpaquePointer
  ) {
    let arguments = (0..<Int(DC_ARGUMENTS)).map {
      TracedArgument(name: "arg\($0)", kind: .signed)
    }
    for name in group.functions {
      guard let path = group.binaryPath, let provider = group.provider else {
        refuse(group, name, "the category names no provider")
        continue
      }
      var cookie = add(group, name, known: arguments)
      if group.functionArguments[name] == nil {
        // All of its arguments: the probe itself says how many there are.
        functions[functions.count - 1].values = 0x3f
        cookie |= 0x3f << 32
      }
      var options = bpf_usdt_opts()
      options.sz = MemoryLayout<bpf_usdt_opts>.size
      options.usdt_cookie = cookie
      if let link = bpf_program__attach_usdt(
        program, -1, binary.path, provider, name, &options)
      {
        links.append(link)
        note("usdt")
      } else {
        refuse(group, name, errno == ENOENT ? "no such probe in \(path)" : errorText(errno))
      }
    }
  }

  func attachUprobeGroup(_ group: ProbeCategory) {
    guard let binary = binary(of: group) else { return }
    withExtendedLifetime(binary) { attachUprobeGroup(group, in: binary) }
  }

  func attachUprobeGroup(_ group: ProbeCategory, in binary: ProbedBinary) {
    let path = group.binaryPath ?? ""
    let symbols: ELFSymbols
    do {
      symbols = try ELFSymbols(path: binary.path, wanted: Set(group.functions))
    } catch {
      for name in group.functions { refuse(group, name, "\(path): \(error.reason)") }
      return
    }
    var places: [(offset: UInt64, cookie: UInt64)] = []
    var names: [String] = []
    let failures = LibraryFailure.of(group.functions)
    let errnoPlaces = bpf_object__find_map_by_name(object, "errno_places").map(bpf_map__fd)
    for name in group.functions {
      guard let offset = symbols[name] else {
        refuse(group, name, "no such function in \(path)")
        continue
      }
      if let reason = binary.refusal(at: offset) {
        refuse(group, name, "\(path): \(reason)")
        continue
      }
      var failure = LibraryFailure.untold
      if let known = failures[name], var distance = symbols.errnoDistance(of: name),
        let errnoPlaces
      {
        var number = UInt32(functions.count)
        if bpf_map_update_elem(errnoPlaces, &number, &distance, UInt64(BPF_ANY)) == 0 {
          failure = known
        }
      }
      places.append((offset, add(group, name, failure: failure)))
      names.append(name)
    }
    guard !places.isEmpty else { return }
    let programs =
      usesSession
      ? [("function_session", DC_UPROBE_SESSION)]
      : [("function_enter", DC_UPROBE_ENTRY), ("function_return", DC_UPROBE_RETURN)]
    var errors: [Int: String] = [:]
    for (program, form) in programs {
      errors.merge(attachUprobes(program, path: binary.path, places, form)) { first, _ in first }
    }
    for (index, name) in names.enumerated() {
      if let reason = errors[index] {
        refuse(group, name, reason)
      } else {
        note(usesSession ? "uprobe_session" : usesMulti ? "uprobe_multi" : "uprobe")
      }
    }
  }

  /// Attaches a program to places of one file: all by one call where the kernel can, one by one
  /// where it cannot or where one of them is refused. Returns why each failed, by index.
  func attachUprobes(
    _ name: String, path: String, _ places: [(offset: UInt64, cookie: UInt64)],
    _ form: datacrumbs_uprobe
  ) -> [Int: String] {
    guard let program = bpf_object__find_program_by_name(object, name) else {
      return Dictionary(uniqueKeysWithValues: places.indices.map { ($0, "missing") })
    }
    if usesMulti {
      if attachMulti(program, path, places[...], form) == nil { return [:] }
      var errors: [Int: String] = [:]
      for index in places.indices {
        errors[index] = attachMulti(program, path, places[index...index], form)
      }
      return errors
    }
    var errors: [Int: String] = [:]
    for (index, place) in places.enumerated() {
      var options = bpf_uprobe_opts()
      options.sz = Self.size(upTo: \bpf_uprobe_opts.retprobe)
      options.bpf_cookie = place.cookie
      options.retprobe = form == DC_UPROBE_RETURN
      if let link = bpf_program__attach_uprobe_opts(
        program, -1, path, Int(place.offset), &options)
      {
        links.append(link)
      } else {
        errors[index] = errorText(errno)
      }
    }
    return errors
  }

  func attachMulti(
    _ program: OpaquePointer, _ path: String,
    _ places: ArraySlice<(offset: UInt64, cookie: UInt64)>, _ form: datacrumbs_uprobe
  ) -> String? {
    let fd = datacrumbs_uprobe_multi(
      bpf_program__fd(program), path, places.map(\.offset), places.map(\.cookie),
      UInt32(places.count), form)
    guard fd >= 0 else { return errorText(-fd) }
    linkDescriptors.append(fd)
    return nil
  }
}
