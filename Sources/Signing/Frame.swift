import CSocket
import Glibc
import ProbeDocument
import TraceRequest

/// One message of the signing service's socket: a header of twelve bytes (`DCS1`, then the kind
/// and the body's length, both 32 bits with the high byte first), and the body.
public struct Frame: Sendable {
  /// What a body is.
  public enum Kind: UInt32, Sendable {
    /// A request, in JSON.
    case request = 1
    /// The signed document, in its canonical form.
    case signed = 2
    /// Why nothing was signed, in JSON.
    case refused = 3
    /// A question for what the asker may have signed; it has no body.
    case question = 4
    /// What the asker may have signed, in JSON.
    case allowance = 5

    /// The longest body, in bytes.
    public var limit: Int {
      switch self {
      case .request: 8 << 20
      case .signed: 16 << 20
      case .refused, .allowance: 1 << 20
      case .question: 0
      }
    }
  }

  /// The header's length, in bytes.
  public static let headerSize = 12
  private static let magic = Array("DCS1".utf8)

  /// What the body is.
  public let kind: Kind
  /// The body.
  public let body: [UInt8]

  /// A message.
  public init(_ kind: Kind, body: [UInt8]) {
    self.kind = kind
    self.body = body
  }

  /// The message as it is sent.
  public var bytes: [UInt8] {
    var bytes = Self.magic
    for number in [kind.rawValue, UInt32(body.count)] {
      bytes.append(contentsOf: (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) })
    }
    return bytes + body
  }

  /// What a header announces.
  ///
  /// - Throws: where it is no header, or announces a body that is longer than its kind may be.
  public static func header(_ bytes: [UInt8]) throws(ProbeError) -> (kind: Kind, count: Int) {
    func number(at offset: Int) -> UInt32 {
      bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
    guard bytes.count == headerSize, Array(bytes.prefix(4)) == magic,
      let kind = Kind(rawValue: number(at: 4))
    else {
      throw ProbeError(
        "not a message of this protocol", "use datacrumbs_probes of the same release")
    }
    let count = Int(number(at: 8))
    guard count <= kind.limit else {
      throw ProbeError(
        "a message of \(count) bytes, where \(kind.limit) is the limit", "ask for fewer functions")
    }
    return (kind, count)
  }
}

/// One end of a connection, with a moment after which it is given up.
struct Connection: ~Copyable {
  let descriptor: Int32

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    // A peer that is slow must never stop us inside a call.
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit {
    close(descriptor)
  }

  private static let tooSlow = ProbeError(
    "no answer in time", "try again", exitStatus: .unavailable)

  private func wait(for events: Int32, until deadline: Deadline) throws(ProbeError) {
    while true {
      var ready = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      let count = poll(&ready, 1, deadline.remainingMilliseconds)
      if count > 0 { return }
      if count < 0, errno == EINTR { continue }
      throw Self.tooSlow
    }
  }

  /// Sends a message, with descriptors beside its first byte.
  func send(
    _ frame: Frame, descriptors: [Int32] = [], until deadline: Deadline
  ) throws(ProbeError) {
    let bytes = frame.bytes
    var sent = 0
    while sent < bytes.count {
      let passed = sent == 0 ? descriptors : []
      let count = bytes.withUnsafeBytes { buffer in
        csocket_send(
          descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent, passed,
          passed.count)
      }
      if count > 0 {
        sent += count
      } else if errno == EAGAIN {
        try wait(for: POLLOUT, until: deadline)
      } else if errno != EINTR {
        throw ProbeError(
          "the other end closed the connection", "look into the signing service's journal",
          exitStatus: .unavailable)
      }
    }
  }

  /// Receives a message. `admit` is asked before memory is taken for so many more bytes.
  func receive(
    until deadline: Deadline, admit: (Int) throws(ProbeError) -> Void = { _ in }
  ) throws(ProbeError) -> (frame: Frame, descriptors: [Descriptor]) {
    var descriptors: [Descriptor] = []
    let header = try receive(Frame.headerSize, until: deadline, &descriptors, admit)
    let (kind, count) = try Frame.header(header)
    let body = try receive(count, until: deadline, &descriptors, admit)
    return (Frame(kind, body: body), descriptors)
  }

  private func receive(
    _ count: Int, until deadline: Deadline, _ descriptors: inout [Descriptor],
    _ admit: (Int) throws(ProbeError) -> Void
  ) throws(ProbeError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: min(count, 64 << 10))
    var passed = [Int32](repeating: -1, count: Int(CSOCKET_DESCRIPTORS))
    while bytes.count < count {
      var passedCount = 0
      var isTruncated = false
      let received = csocket_receive(
        descriptor, &chunk, min(chunk.count, count - bytes.count), &passed, &passedCount,
        &isTruncated)
      descriptors.append(contentsOf: passed.prefix(passedCount).map(Descriptor.init))
      guard !isTruncated, descriptors.count <= CSOCKET_DESCRIPTORS else {
        throw ProbeError(
          "more than \(CSOCKET_DESCRIPTORS) programs, libraries and folders in one request",
          "build more than one probe file")
      }
      if received > 0 {
        try admit(received)
        bytes.append(contentsOf: chunk.prefix(received))
      } else if received == 0 {
        throw ProbeError(
          "the connection ended in the middle of a message",
          "look into the signing service's journal", exitStatus: .unavailable)
      } else if errno == EAGAIN {
        try wait(for: POLLIN, until: deadline)
      } else if errno != EINTR {
        throw ProbeError("the connection broke", "try again", exitStatus: .unavailable)
      }
    }
    return bytes
  }
}

/// An open file, closed when nobody has it any more.
public final class Descriptor: Sendable {
  /// Its number.
  public let number: Int32

  /// Takes an open descriptor over.
  public init(_ number: Int32) {
    self.number = number
  }

  deinit {
    close(number)
  }
}
