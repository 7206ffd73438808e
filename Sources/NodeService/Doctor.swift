import CNode
import Glibc
import ProbeDocument
import TraceRequest

/// Looks at everything that tracing on this node needs and says what to do
/// where something is missing.
public struct Doctor {
  private let root: String
  private let runPath: String
  private let isClockSynchronised: () -> Bool

  /// This machine.
  public init() {
    self.init(root: "", runPath: NodeService.runDirectory)
  }

  /// - Parameter root: what stands before the kernel's and Slurm's paths.
  init(
    root: String, runPath: String,
    isClockSynchronised: @escaping () -> Bool = { clock_is_synchronised() }
  ) {
    self.root = root
    self.runPath = runPath
    self.isClockSynchronised = isClockSynchronised
  }

  /// Everything, in the order in which it is needed.
  ///
  /// - Parameter plugin: where the plugin is; nil: where Slurm's configuration has it.
  public func findings(plugin: String?) -> [Finding] {
    var findings = [
      kernelRelease(), has("BTF", "/sys/kernel/btf/vmlinux", .bad, Self.otherKernel),
      has(
        "uprobes", "/sys/bus/event_source/devices/uprobe", .bad,
        "a kernel with CONFIG_UPROBE_EVENTS is needed"),
      has(
        "kprobes", "/sys/bus/event_source/devices/kprobe", .limited,
        "probe files that name kernel functions lose them here (CONFIG_KPROBE_EVENTS)"),
      systemd(), unit(), runDirectory(), configuration(), clock(),
    ]
    findings += keys()
    if let path = plugin ?? registeredPlugin() {
      findings.append(pluginRelease(path))
    } else {
      findings.append(
        Finding(
          verdict: .limited, what: "no plugin is registered: \(Self.registration)",
          remedy: "install it, or use another door (docs/admin.md)"))
    }
    return findings
  }

  private static let otherKernel = "use a kernel with CONFIG_DEBUG_INFO_BTF"

  private func kernelRelease() -> Finding {
    let release =
      text("/proc/sys/kernel/osrelease")?.split(whereSeparator: \.isWhitespace).first ?? "?"
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    // 5.17: bpf_loop, which the tracer's programs call (bpf-helpers(7)).
    let isNew = numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 17)
    return Finding(
      verdict: isNew ? .good : .bad, what: "kernel \(release)",
      remedy: isNew ? "" : "use Linux 5.17 or later")
  }

  private func has(
    _ name: String, _ path: String, _ otherwise: Finding.Verdict, _ remedy: String
  ) -> Finding {
    access(root + path, F_OK) == 0
      ? Finding(verdict: .good, what: "\(name): \(path)", remedy: "")
      : Finding(verdict: otherwise, what: "no \(name): \(path)", remedy: remedy)
  }

  /// A file's text, where it can be read; what is longer than 64 KiB is cut.
  private func text(_ path: String) -> String? {
    let file = open(root + path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      count = max(0, read(file, buffer.baseAddress, buffer.count))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let registration = "/etc/slurm/plugstack.conf.d/datacrumbs.conf"

  /// The plugin's path as plugstack.conf(5) has it: `optional PATH ARGUMENT...`.
  private func registeredPlugin() -> String? {
    for line in (text(Self.registration) ?? "").split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.count > 1, words[0] == "optional" || words[0] == "required" {
        return root + words[1]
      }
    }
    return nil
  }

  private func systemd() -> Finding {
    do throws(ServiceError) {
      let deadline = Deadline(seconds: 5)
      _ = try SystemdUnits(until: deadline).state("datacrumbs@0.service", until: deadline)
      return Finding(verdict: .good, what: "systemd answers", remedy: "")
    } catch {
      return Finding(verdict: .bad, what: error.message, remedy: "systemd must be PID 1 and alive")
    }
  }

  private static let unitFolders = ["/etc/systemd/system", "/usr/lib/systemd/system"]

  private func unit() -> Finding {
    let name = "datacrumbs@.service"
    guard
      let folder = (Self.unitFolders + ["/lib/systemd/system"]).first(where: {
        access(root + $0 + "/" + name, F_OK) == 0
      })
    else {
      return Finding(
        verdict: .bad, what: "no unit: \(name)",
        remedy: "install it in /etc/systemd/system, then systemctl daemon-reload")
    }
    return Finding(verdict: .good, what: "unit: \(folder)/\(name)", remedy: "")
  }

  private func runDirectory() -> Finding {
    do throws(ServiceError) {
      guard try Directory.open(runPath, owner: 0, create: false) != nil else {
        return Finding(
          verdict: .good, what: "\(runPath): made by the first traced job", remedy: "")
      }
      return Finding(verdict: .good, what: "\(runPath): root's alone", remedy: "")
    } catch {
      return Finding(
        verdict: .bad, what: error.message, remedy: "remove it; systemd-tmpfiles --create makes it")
    }
  }

  private func configuration() -> Finding {
    var status = stat()
    if lstat(root + Configuration.path, &status) == 0,
      status.st_uid != 0 || status.st_mode & 0o022 != 0
    {
      return Finding(
        verdict: .bad, what: "not only root's to write: \(Configuration.path)",
        remedy: "chown root and chmod 644: it decides what becomes of jobs")
    }
    do throws(ServiceError) {
      _ = try Configuration(path: root + Configuration.path)
      return Finding(verdict: .good, what: Configuration.path, remedy: "")
    } catch {
      return Finding(verdict: .bad, what: error.message, remedy: "correct that line")
    }
  }

  /// Probe files have a beginning and an end of validity.
  private func clock() -> Finding {
    guard isClockSynchronised() else {
      return Finding(
        verdict: .limited, what: "the clock is not synchronised",
        remedy: "run chrony or systemd-timesyncd: probe files expire by this clock")
    }
    return Finding(verdict: .good, what: "clock synchronised, \(Timestamp.now.text)", remedy: "")
  }

  private func keys() -> [Finding] {
    let path = root + TrustedKeys.standardDirectory
    let directory: Directory
    do throws(ServiceError) {
      guard let opened = try Directory.open(path, owner: 0, create: false) else {
        return [Self.noKey(path)]
      }
      directory = opened
    } catch {
      return [
        Finding(verdict: .bad, what: error.message, remedy: "only root may decide whom to trust")
      ]
    }
    let trusted = TrustedKeys(directory: path)
    let names = ((try? directory.names()) ?? []).filter { $0.hasSuffix(".pub") }
    let findings = names.map { name in
      let id = String(name.dropLast(4))
      do throws(ProbeError) {
        _ = try trusted.key(id: id)
        return Finding(verdict: .good, what: "trusted key \(id)", remedy: "")
      } catch {
        return Finding(
          verdict: .bad, what: "\(path)/\(name): \(error.what)", remedy: error.remedy)
      }
    }
    return findings.isEmpty ? [Self.noKey(path)] : findings
  }

  private static func noKey(_ path: String) -> Finding {
    Finding(
      verdict: .bad, what: "no trusted key in \(path)",
      remedy: "copy the .pub file of the login node's \(TrustedKeys.standardDirectory)")
  }

  /// Slurm loads a plugin only where the release that it was built for is its own.
  private func pluginRelease(_ path: String) -> Finding {
    guard access(path, R_OK) == 0 else {
      return Finding(
        verdict: .bad, what: "no plugin: \(path)", remedy: "install it, or give --plugin PATH")
    }
    // Symbols of Slurm's that the plugin calls stay unresolved: it is not run.
    guard let library = dlopen(path, RTLD_LAZY), let symbol = dlsym(library, "plugin_version")
    else {
      let reason = dlerror().map { String(cString: $0) } ?? "no plugin_version"
      return Finding(verdict: .bad, what: "\(path): \(reason)", remedy: "install it again")
    }
    let number = symbol.load(as: UInt32.self)
    let built = Self.release(number)
    let slurmd = Command(path: root + "/usr/sbin/slurmd", arguments: ["-V"])
    guard let output = try? slurmd.output(until: Deadline(seconds: 5)),
      let running = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        .last
    else {
      return Finding(
        verdict: .limited, what: "the plugin is for Slurm \(built); slurmd does not tell its own",
        remedy: "compare it with slurmd -V")
    }
    let isSame = running.split(separator: ".").prefix(2).elementsEqual(
      built.split(separator: ".").prefix(2))
    return Finding(
      verdict: isSame ? .good : .bad,
      what: "the plugin is for Slurm \(built), slurmd is \(running)",
      remedy: isSame ? "" : "build the plugin with this release's headers")
  }

  /// SLURM_VERSION_NUMBER: one byte each of major, minor and micro (slurm/slurm.h).
  static func release(_ number: UInt32) -> String {
    let minor = String(number >> 8 & 0xFF)
    return "\(number >> 16 & 0xFF)." + (minor.count < 2 ? "0" + minor : minor)
      + ".\(number & 0xFF)"
  }
}
