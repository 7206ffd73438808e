import CSocket
import CSystemd
import Glibc
import ProbeDocument
import Synchronization
import TraceRequest

/// Serves the socket: a thread a connection, each with a time limit for each of its steps, and as
/// many as `Admission` lets in. A client that is slow or silent holds its own thread only.
public final class SigningServer: Sendable {
  /// Where the socket is.
  public static let standardPath = "/run/datacrumbs-sign/sign.sock"

  private let service: SigningService
  private let journal: Journal
  private let admission = Admission()
  private let turnstile: Turnstile
  private let receiveLimit: Int

  /// A server of that service.
  ///
  /// - Parameter receiveLimit: seconds for a client to send its request, and to take the answer.
  public init(_ service: SigningService, receiveLimit: Int = 10) {
    self.service = service
    self.receiveLimit = receiveLimit
    journal = Journal()
    turnstile = Turnstile(limit: max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }

  /// A socket of ours at a path, for use without systemd.
  public static func listen(path: String) throws(ProbeError) -> Int32 {
    let descriptor = csocket_listen(path, 512)
    guard descriptor >= 0 else {
      throw ProbeError(
        "cannot listen at \(path) (\(errorText(errno)))", "choose another path",
        exitStatus: .unavailable)
    }
    return descriptor
  }

  /// The socket that systemd made, where it started us.
  public static func inherited() -> Int32? {
    // sd_listen_fds(3): the first descriptor is 3.
    sd_listen_fds(1) == 1 ? 3 : nil
  }

  /// Serves until SIGTERM or SIGINT; requests that are there are still answered.
  public func run(listening descriptor: Int32) throws(ProbeError) {
    signal(SIGPIPE, SIG_IGN)
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let stop = signalfd(-1, &signals, Int32(SFD_CLOEXEC))
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    sd_notify(0, "READY=1")
    while true {
      var ready = [
        pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&ready, 2, -1) > 0 else { continue }
      if ready[0].revents != 0 { break }
      let client = csocket_accept(descriptor)
      if client >= 0 {
        admit(client)
      } else if errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS {
        // The client stays in the queue until somebody leaves; poll would say so at once again.
        poll(&ready, 1, 50)
      }
    }
    sd_notify(0, "STOPPING=1")
    close(descriptor)
    let deadline = Deadline(seconds: receiveLimit)
    while admission.connections > 0, deadline.remainingMilliseconds > 0 { poll(nil, 0, 20) }
  }

  private func admit(_ descriptor: Int32) {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    let connection = Connection(descriptor)
    guard csocket_peer(descriptor, &pid, &uid) else { return }
    do throws(ProbeError) {
      try admission.enter(uid)
    } catch {
      // One attempt: a client that is turned away may not hold this thread.
      try? connection.send(
        Frame(.refused, body: Refusal(error).text), until: Deadline(seconds: 0))
      return
    }
    let visit = Visit(server: self, connection: connection, uid: uid, pid: pid)
    guard visit.start() else {
      admission.leave(uid, bytes: 0)
      return
    }
  }

  /// One client, from its first byte to the answer's last.
  fileprivate func serve(_ connection: consuming Connection, uid: UInt32, pid: Int32) {
    let taken = Mutex(0)
    defer { admission.leave(uid, bytes: taken.withLock { $0 }) }
    var asker = Asker(uid: uid, name: String(uid))
    var digest = ""
    let reply: Frame
    do throws(Refusal) {
      let (frame, descriptors) = try receive(connection) { count throws(ProbeError) in
        try admission.take(count, uid)
        taken.withLock { $0 += count }
      }
      digest = frame.body.digest
      asker = Asker(uid: uid)
      if frame.kind == .question {
        reply = Frame(.allowance, body: try service.allowance(of: asker).text)
      } else {
        let signed = try sign(frame.body, descriptors, asker)
        journal.signed(signed, request: digest, asker: asker, pid: pid)
        reply = Frame(.signed, body: signed.bytes)
      }
    } catch {
      journal.refused(error.error, request: digest, asker: asker, pid: pid)
      reply = Frame(.refused, body: error.text)
    }
    // Who does not take the answer does not get it; there is nobody to tell.
    try? connection.send(reply, until: Deadline(seconds: receiveLimit))
  }

  private func receive(
    _ connection: borrowing Connection, admit: (Int) throws(ProbeError) -> Void
  ) throws(Refusal) -> (Frame, [Descriptor]) {
    do throws(ProbeError) {
      let (frame, descriptors) = try connection.receive(
        until: Deadline(seconds: receiveLimit), admit: admit)
      guard frame.kind == .request || frame.kind == .question else {
        throw ProbeError("not a request", "use datacrumbs_probes of the same release")
      }
      return (frame, descriptors)
    } catch {
      throw Refusal(error)
    }
  }

  private func sign(
    _ request: [UInt8], _ descriptors: [Descriptor], _ asker: Asker
  ) throws(Refusal) -> SigningService.Signed {
    var passed: [FileFacts] = []
    do throws(ProbeError) {
      // Outside of the turnstile: a file server that does not answer holds this thread alone.
      for descriptor in descriptors { passed.append(try FileFacts(descriptor)) }
    } catch {
      throw Refusal(error)
    }
    let outcome = turnstile.pass(asker.uid, seconds: 30) {
      () -> Result<SigningService.Signed, Refusal> in
      do throws(Refusal) {
        return .success(
          try service.sign(
            request: request, passed: passed, asker: asker, now: Timestamp.now.seconds))
      } catch {
        return .failure(error)
      }
    }
    guard let outcome else {
      throw Refusal(
        ProbeError(
          "the signing service is busy with other requests of yours", "try again",
          exitStatus: .unavailable))
    }
    return try outcome.get()
  }
}

/// What a thread is given to do.
private final class Visit: @unchecked Sendable {
  private let server: SigningServer
  private var connection: Connection?
  private let uid: UInt32
  private let pid: Int32

  init(server: SigningServer, connection: consuming Connection, uid: UInt32, pid: Int32) {
    self.server = server
    self.connection = consume connection
    self.uid = uid
    self.pid = pid
  }

  /// False where the machine has no thread for it.
  func start() -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 1 << 20)
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(self)
    let result = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Visit>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    if result != 0 { argument.release() }
    return result == 0
  }

  private func run() {
    guard let connection = connection.take() else { return }
    server.serve(connection, uid: uid, pid: pid)
  }
}
