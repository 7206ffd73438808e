import CSocket
import Glibc
import ProbeDocument
import TraceRequest

/// The user's end of the signing service's socket.
public struct SigningClient: Sendable {
  private let path: String

  /// A client of the service that listens there.
  public init(path: String = SigningServer.standardPath) {
    self.path = path
  }

  /// Has a request signed.
  ///
  /// - Parameter seconds: after so long without an answer it is given up.
  /// - Returns: the signed document's text, which nobody has verified yet.
  public func sign(_ request: SignRequest, seconds: Int = 60) throws(Refusal) -> [UInt8] {
    let reply: Frame
    do throws(ProbeError) {
      let text = request.text
      guard text.count <= Frame.Kind.request.limit else {
        throw ProbeError(
          "the request has \(text.count) bytes, where \(Frame.Kind.request.limit) is the limit",
          "ask for fewer functions")
      }
      reply = try exchange(
        Frame(.request, body: text), try open(request), until: Deadline(seconds: seconds))
    } catch {
      throw Refusal(error)
    }
    guard reply.kind == .signed else { throw Refusal(text: reply.body) }
    return reply.body
  }

  /// What the service would sign for this process's user.
  ///
  /// - Parameter seconds: after so long without an answer it is given up.
  public func allowance(seconds: Int = 10) throws(Refusal) -> Allowance {
    let reply: Frame
    do throws(ProbeError) {
      reply = try exchange(Frame(.question, body: []), [], until: Deadline(seconds: seconds))
    } catch {
      throw Refusal(error)
    }
    guard reply.kind == .allowance, let allowance = Allowance(text: reply.body) else {
      throw Refusal(text: reply.body)
    }
    return allowance
  }

  private func exchange(
    _ request: Frame, _ descriptors: [Descriptor], until deadline: Deadline
  ) throws(ProbeError) -> Frame {
    let descriptor = csocket_connect(path)
    guard descriptor >= 0 else {
      throw ProbeError(
        "the signing service does not answer at \(path) (\(errorText(errno)))",
        "build where it runs, or ask the administrator to start datacrumbs_sign_probes.service",
        exitStatus: .unavailable)
    }
    let connection = Connection(descriptor)
    var sendError: ProbeError?
    do throws(ProbeError) {
      // Without this they may be closed as soon as their numbers are taken.
      try withExtendedLifetime(descriptors) { () throws(ProbeError) in
        try connection.send(
          request, descriptors: descriptors.map(\.number), until: deadline)
      }
    } catch {
      // A service that refuses early says why before it closes.
      sendError = error
    }
    do throws(ProbeError) {
      // What a service said before it closed is there by now.
      return try connection.receive(until: sendError == nil ? deadline : Deadline(seconds: 1)).frame
    } catch {
      throw sendError ?? error
    }
  }

  /// The programs and libraries, then the folders above them, each open.
  private func open(_ request: SignRequest) throws(ProbeError) -> [Descriptor] {
    let binaries = request.binaries
    let folders = request.folders
    guard binaries.count <= SignRequest.binaryLimit,
      binaries.count + folders.count <= CSOCKET_DESCRIPTORS
    else {
      throw ProbeError(
        "more than \(SignRequest.binaryLimit) programs and libraries, or in too many folders",
        "build more than one probe file")
    }
    var descriptors: [Descriptor] = []
    for path in binaries {
      do throws(RegularFile.Failure) {
        descriptors.append(Descriptor(try RegularFile.open(path)))
      } catch .notRegular {
        throw ProbeError(
          "\(path) is not a regular file", "check binary_path or file", exitStatus: .notPermitted)
      } catch {
        throw Self.unreadable(path, error.text)
      }
    }
    for path in folders {
      let descriptor = csocket_open_folder(path)
      guard descriptor >= 0 else { throw Self.unreadable(path, errorText(errno)) }
      descriptors.append(Descriptor(descriptor))
    }
    return descriptors
  }

  private static func unreadable(_ path: String, _ reason: String) -> ProbeError {
    ProbeError(
      "cannot read \(path) (\(reason))", "check binary_path or file", exitStatus: .noInput)
  }
}
