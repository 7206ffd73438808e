import CNode
import Glibc
import ProbeDocument
import Signing
import TraceRequest

/// Looks at everything that a user needs to have jobs traced, as that user, and says what to do
/// where something is missing. What only root sees is `datacrumbs_service doctor`'s.
public struct UserDoctor {
  private let root: String
  private let socket: String
  private let trusted: String

  /// This machine, with the signing service's socket and the folder of trusted keys.
  public init(
    socket: String = SigningServer.standardPath, trusted: String = TrustedKeys.standardDirectory
  ) {
    self.init(root: "", socket: socket, trusted: trusted)
  }

  /// - Parameter root: what stands before the kernel's paths.
  init(root: String, socket: String, trusted: String) {
    self.root = root
    self.socket = socket
    self.trusted = trusted
  }

  /// Everything, in the order in which it is needed.
  ///
  /// - Parameters:
  ///   - traceFolder: where a job that is submitted from here would write its traces.
  ///   - probeFile: a probe file to look at besides; its bytes, or why they could not be read.
  public func findings(
    traceFolder: String, probeFile: (path: String, content: Result<[UInt8], ProbeError>)? = nil
  ) -> [Finding] {
    var findings = [
      reads(
        "kernel symbols", KernelSymbols.path,
        "system calls and kernel functions cannot be found here (type: ksym, header)"),
      reads(
        "kernel types", "/sys/kernel/btf/vmlinux",
        "kernel functions have no arguments here (CONFIG_DEBUG_INFO_BTF)"),
      submission(), clock(),
    ]
    findings += keys()
    findings.append(signer())
    findings.append(traces(traceFolder))
    if let probeFile { findings.append(verdict(probeFile.path, probeFile.content)) }
    return findings
  }

  private func reads(_ what: String, _ path: String, _ remedy: String) -> Finding {
    access(root + path, R_OK) == 0
      ? Finding(verdict: .good, what: "\(what): \(path)")
      : Finding(
        verdict: .limited, what: "no \(what): \(path) (\(errorText(errno)))",
        remedy: remedy + "; build where it is")
  }

  /// Slurm's commands list a plugin's options in their help, where the plugin is registered.
  private func submission() -> Finding {
    guard let pipe = popen("sbatch --help 2>/dev/null", "re") else {
      return Finding(
        verdict: .limited, what: "cannot run sbatch (\(errorText(errno)))", remedy: "try again")
    }
    var help: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&chunk, 1, chunk.count, pipe)
      if count == 0 { break }
      help += chunk.prefix(count)
    }
    guard pclose(pipe) == 0 else {
      return Finding(
        verdict: .limited, what: "no sbatch here", remedy: "submit jobs from a login node")
    }
    if String(decoding: help, as: UTF8.self).contains(RequestOptions.enableOption) {
      return Finding(verdict: .good, what: "sbatch knows \(RequestOptions.enableOption)")
    }
    return Finding(
      verdict: .limited, what: "sbatch does not know \(RequestOptions.enableOption)",
      remedy: "submit with datacrumbs_sbatch, or ask the administrator to register the plugin")
  }

  /// Probe files have a beginning and an end of validity.
  private func clock() -> Finding {
    clock_is_synchronised()
      ? Finding(verdict: .good, what: "clock synchronised, \(Timestamp.now.text)")
      : Finding(
        verdict: .limited, what: "the clock is not synchronised, \(Timestamp.now.text)",
        remedy: "where it is wrong, tell the administrator: probe files expire by it")
  }

  private func keys() -> [Finding] {
    let ids: [String]
    do throws(FileError) {
      ids = try File.names(inFolder: trusted, suffix: ".pub").sorted()
    } catch {
      return [
        Finding(
          verdict: .bad, what: "cannot read \(trusted) (\(error.reason))",
          remedy: "ask the administrator to make it and its files readable for everybody")
      ]
    }
    let keys = TrustedKeys(directory: trusted)
    let findings = ids.map { id in
      do throws(ProbeError) {
        _ = try keys.key(id: id)
        return Finding(verdict: .good, what: "trusted key \(id)")
      } catch {
        let isRetired = error.what.contains("retired")
        return Finding(
          verdict: .limited, what: isRetired ? "retired key \(id)" : error.what,
          remedy: isRetired ? "files that it signed are built again" : error.remedy)
      }
    }
    if findings.contains(where: { $0.verdict == .good }) { return findings }
    return findings + [
      Finding(
        verdict: .bad, what: "no trusted key in \(trusted)",
        remedy: "ask the administrator to copy the signing service's public key there")
    ]
  }

  private func signer() -> Finding {
    do throws(Refusal) {
      let allowance = try SigningClient(path: socket).allowance()
      return Finding(
        verdict: .good,
        what: "the signing service signs \(allowance.probes.joined(separator: ", ")) probes for "
          + "\(allowance.user), of \(allowance.paths.joined(separator: ", ")), up to "
          + "\(allowance.functions) functions and \(allowance.argumentBytes) bytes of an argument, "
          + "for \(days(allowance.lifetime)), \(days(allowance.longestLifetime)) at most"
          + (allowance.cluster.map { ", on \($0)" } ?? ""))
    } catch {
      return Finding(verdict: .bad, what: error.error.what, remedy: error.error.remedy)
    }
  }

  private func days(_ seconds: Int64) -> String {
    seconds % 86_400 == 0 ? "\(seconds / 86_400) days" : "\(seconds) s"
  }

  /// The tracer makes the folder with the user's rights: the nearest folder that is there counts.
  private func traces(_ folder: String) -> Finding {
    var nearest = folder
    while access(nearest, F_OK) != 0, let slash = nearest.utf8.lastIndex(of: UInt8(ascii: "/")),
      slash > nearest.utf8.startIndex
    {
      nearest = String(nearest[..<slash])
    }
    guard access(nearest, W_OK | X_OK) == 0 else {
      return Finding(
        verdict: .bad, what: "you may not make \(folder): \(nearest) (\(errorText(errno)))",
        remedy: "submit from a folder that you may write to")
    }
    return Finding(verdict: .good, what: "traces can be written: \(folder)")
  }

  private func verdict(_ path: String, _ content: Result<[UInt8], ProbeError>) -> Finding {
    do throws(ProbeError) {
      let checked = try ProbeVerification(trustedKeys: TrustedKeys(directory: trusted))
        .check(packed: try content.get(), uid: getuid(), now: Timestamp.now.seconds)
      switch checked {
      case .whole: return Finding(verdict: .good, what: "\(path) would be used")
      case .sealLeftToNode:
        return Finding(
          verdict: .good, what: "\(path) is good but for its seal, which only nodes check")
      }
    } catch {
      return Finding(
        verdict: .bad, what: error.what.contains(path) ? error.what : "\(error.what): \(path)",
        remedy: error.remedy)
    }
  }
}
