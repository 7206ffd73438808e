import CSystemd
import Glibc
import TraceRequest

/// A connection to systemd, and every message on it in the order it comes.
///
/// Root talks to systemd itself (/run/systemd/private, as systemctl does): no
/// broker stands between, and none has to be alive. Anybody else, and a system
/// without that socket, uses the system bus. No call waits longer than its deadline.
final class SystemdBus {
  private let bus: OpaquePointer
  private let isBroker: Bool

  static let systemd = "org.freedesktop.systemd1"
  static let manager = "/org/freedesktop/systemd1"

  /// An argument of a method.
  enum Argument {
    case string(String)
    case int32(Int32)
  }

  /// Why a call failed.
  enum Failure: Error {
    /// systemd's answer: its name (`org.freedesktop...`) and text.
    case refused(name: String, text: String)
    /// No answer, and why.
    case silent(String)
  }

  init(until deadline: Deadline) throws(Failure) {
    var opened: OpaquePointer?
    let direct = geteuid() == 0 && access("/run/systemd/private", F_OK) == 0
    var result = direct ? sd_bus_new(&opened) : sd_bus_open_system(&opened)
    guard result >= 0, let opened else { throw .silent(errorText(-result)) }
    bus = opened
    isBroker = !direct
    if direct {
      result = sd_bus_set_address(bus, "unix:path=/run/systemd/private")
      if result >= 0 { result = sd_bus_start(bus) }
      if result < 0 { throw .silent(errorText(-result)) }
    }
  }

  deinit {
    sd_bus_close(bus)
    sd_bus_unref(bus)
  }

  /// Asks for systemd's signals; they arrive through `next`.
  func subscribe(until deadline: Deadline) throws(Failure) {
    guard isBroker else { return }
    _ = try call(
      "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch",
      [.string("type='signal',sender='\(Self.systemd)'")], until: deadline
    ) { _ in }
    _ = try call(Self.manager, Self.systemd + ".Manager", "Subscribe", until: deadline) { _ in }
  }

  /// Calls a method of systemd and returns its answer; what comes before the
  /// answer goes to `onSignal`.
  func call(
    _ path: String, _ interface: String, _ member: String, _ arguments: [Argument] = [],
    until deadline: Deadline, onSignal: (Message) -> Void
  ) throws(Failure) -> Message {
    try call(Self.systemd, path, interface, member, arguments, until: deadline, onSignal: onSignal)
  }

  private func call(
    _ destination: String, _ path: String, _ interface: String, _ member: String,
    _ arguments: [Argument], until deadline: Deadline, onSignal: (Message) -> Void
  ) throws(Failure) -> Message {
    var request: OpaquePointer?
    var result = sd_bus_message_new_method_call(bus, &request, destination, path, interface, member)
    defer { sd_bus_message_unref(request) }
    for argument in arguments where result >= 0 {
      switch argument {
      case .string(let text):
        result = text.withCString {
          sd_bus_message_append_basic(request, CChar(UInt8(ascii: "s")), $0)
        }
      case .int32(var number):
        result = sd_bus_message_append_basic(request, CChar(UInt8(ascii: "i")), &number)
      }
    }
    var cookie: UInt64 = 0
    if result >= 0 { result = sd_bus_send(bus, request, &cookie) }
    if result < 0 { throw .silent(errorText(-result)) }
    while let message = try next(until: deadline) {
      guard message.answers(cookie) else {
        onSignal(message)
        continue
      }
      if let failure = message.failure { throw failure }
      return message
    }
    throw .silent("no answer in time to \(member)")
  }

  /// The next message; nil when none came in time.
  func next(until deadline: Deadline) throws(Failure) -> Message? {
    while true {
      var message: OpaquePointer?
      let result = sd_bus_process(bus, &message)
      if result < 0 { throw .silent(errorText(-result)) }
      if let message { return Message(owning: message) }
      if result > 0 { continue }
      let remaining = deadline.remaining
      if remaining == 0 { return nil }
      let waited = sd_bus_wait(bus, remaining)
      if waited < 0, waited != -EINTR { throw .silent(errorText(-waited)) }
    }
  }

  /// A message that came, read from its front.
  final class Message {
    private let message: OpaquePointer

    init(owning message: OpaquePointer) {
      self.message = message
    }

    deinit { sd_bus_message_unref(message) }

    func answers(_ cookie: UInt64) -> Bool {
      var answered: UInt64 = 0
      return sd_bus_message_get_reply_cookie(message, &answered) >= 0 && answered == cookie
    }

    var failure: Failure? {
      guard let error = sd_bus_message_get_error(message)?.pointee, let name = error.name else {
        return nil
      }
      return .refused(
        name: String(cString: name), text: error.message.map { String(cString: $0) } ?? "")
    }

    var path: String {
      sd_bus_message_get_path(message).map { String(cString: $0) } ?? ""
    }

    func isSignal(_ interface: String, _ member: String) -> Bool {
      sd_bus_message_is_signal(message, interface, member) > 0
    }

    /// A string, object path or signature.
    func string(_ type: UInt8 = UInt8(ascii: "s")) -> String? {
      var text: UnsafePointer<CChar>?
      guard sd_bus_message_read_basic(message, CChar(type), &text) > 0 else { return nil }
      return text.map { String(cString: $0) }
    }

    func uint32() -> UInt32? {
      var number: UInt32 = 0
      return sd_bus_message_read_basic(message, CChar(UInt8(ascii: "u")), &number) > 0
        ? number : nil
    }

    func int32() -> Int32? {
      var number: Int32 = 0
      return sd_bus_message_read_basic(message, CChar(UInt8(ascii: "i")), &number) > 0
        ? number : nil
    }

    /// Calls `body` inside a variant of that type; nil where it holds another.
    func variant<Value>(_ type: String, _ body: () -> Value?) -> Value? {
      guard sd_bus_message_enter_container(message, CChar(UInt8(ascii: "v")), type) > 0 else {
        return nil
      }
      defer { sd_bus_message_exit_container(message) }
      return body()
    }

    /// The strings and 32-bit integers of a dictionary `a{sv}`, as text.
    func properties() -> [String: String] {
      var properties: [String: String] = [:]
      guard sd_bus_message_enter_container(message, CChar(UInt8(ascii: "a")), "{sv}") > 0 else {
        return properties
      }
      while sd_bus_message_enter_container(message, CChar(UInt8(ascii: "e")), "sv") > 0 {
        guard let name = string() else { break }
        if let text = variant("s", { string() }) {
          properties[name] = text
        } else if let number = variant("i", { int32() }) {
          properties[name] = String(number)
        } else {
          sd_bus_message_skip(message, "v")
        }
        sd_bus_message_exit_container(message)
      }
      return properties
    }
  }
}
