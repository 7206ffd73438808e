import CSystemd
import Glibc
import TraceRequest

/// What systemd says of one unit.
public struct UnitState: Sendable {
  /// `active`, `inactive`, `activating`, `deactivating`, `failed`.
  public let active: String
  /// What the program said of itself (sd_notify's STATUS=).
  public let text: String
}

/// The part of systemd that starts and stops tracers.
protocol Units {
  /// Starts a unit; returns when it is ready. A unit that is ready already is no error.
  func start(_ unit: String, until deadline: Deadline) throws(ServiceError)
  /// Has a unit started, and does not wait for it.
  func begin(_ unit: String, until deadline: Deadline) throws(ServiceError)
  /// Stops a unit; returns when it has ended. One that does not run is no error.
  func stop(_ unit: String, until deadline: Deadline) throws(ServiceError)
  /// Kills every process of a unit, then returns when it has ended.
  func kill(_ unit: String, until deadline: Deadline) throws(ServiceError)
  /// Nil where systemd does not know it.
  func state(_ unit: String, until deadline: Deadline) throws(ServiceError) -> UnitState?
}

/// The real one: systemd over D-Bus.
final class SystemdUnits: Units {
  private let bus: SystemdBus
  private static let unitInterface = SystemdBus.systemd + ".Unit"
  private static let serviceInterface = SystemdBus.systemd + ".Service"
  private static let properties = "org.freedesktop.DBus.Properties"
  private static let managerInterface = SystemdBus.systemd + ".Manager"
  private static let noSuchUnit = SystemdBus.systemd + ".NoSuchUnit"

  init(until deadline: Deadline) throws(ServiceError) {
    do {
      bus = try SystemdBus(until: deadline)
    } catch {
      throw Self.error("systemd cannot be reached", "", error)
    }
  }

  func start(_ unit: String, until deadline: Deadline) throws(ServiceError) {
    let ending = try run("StartUnit", unit, until: deadline)
    guard let ending, ending.result != "done" else { return }
    throw ServiceError(
      "the tracer did not start: \(unit): \(ending.reason); see journalctl -u \(unit)")
  }

  func begin(_ unit: String, until deadline: Deadline) throws(ServiceError) {
    do {
      _ = try manager(
        "StartUnit", [.string(unit), .string("replace")], until: deadline
      ) { _ in }
    } catch {
      throw Self.error("cannot start", unit, error)
    }
  }

  func stop(_ unit: String, until deadline: Deadline) throws(ServiceError) {
    let ending = try run("StopUnit", unit, until: deadline)
    guard let ending, ending.result != "done" else { return }
    throw ServiceError("the tracer did not stop: \(unit): systemd's job ended as \(ending.result)")
  }

  func kill(_ unit: String, until deadline: Deadline) throws(ServiceError) {
    do {
      _ = try manager(
        "KillUnit", [.string(unit), .string("all"), .int32(SIGKILL)], until: deadline
      ) { _ in }
    } catch SystemdBus.Failure.refused {
      // It has ended, or has no process left.
    } catch {
      throw Self.error("cannot kill the tracer", unit, error)
    }
    try stop(unit, until: deadline)
  }

  func state(_ unit: String, until deadline: Deadline) throws(ServiceError) -> UnitState? {
    do {
      let answer = try manager("GetUnit", [.string(unit)], until: deadline) { _ in }
      let path = answer.string(UInt8(ascii: "o")) ?? ""
      return UnitState(
        active: try property(path, Self.unitInterface, "ActiveState", until: deadline),
        text: try property(path, Self.serviceInterface, "StatusText", until: deadline))
    } catch {
      if case .refused(Self.noSuchUnit, _) = error { return nil }
      throw Self.error("cannot ask for the state", unit, error)
    }
  }

  private func property(
    _ path: String, _ interface: String, _ name: String, until deadline: Deadline
  ) throws(SystemdBus.Failure) -> String {
    let answer = try bus.call(
      path, Self.properties, "Get", [.string(interface), .string(name)], until: deadline
    ) { _ in }
    return answer.variant("s") { answer.string() } ?? ""
  }

  private func manager(
    _ member: String, _ arguments: [SystemdBus.Argument], until deadline: Deadline,
    onSignal: (SystemdBus.Message) -> Void
  ) throws(SystemdBus.Failure) -> SystemdBus.Message {
    try bus.call(
      SystemdBus.manager, Self.managerInterface, member, arguments, until: deadline,
      onSignal: onSignal)
  }

  /// How a job of systemd's ended, and what the unit's properties said meanwhile.
  private struct Ending {
    let result: String
    let properties: [String: String]

    var reason: String {
      var reason: String
      switch (properties["Result"] ?? result, properties["ExecMainStatus"]) {
      case ("exit-code", let code?): reason = "it ended with exit code \(code)"
      case ("signal", let number?), ("core-dump", let number?):
        reason = "it was killed by signal \(number)"
      case ("oom-kill", _): reason = "it took more memory than its unit allows"
      case ("timeout", _): reason = "it was not ready in time"
      case ("protocol", _): reason = "it ended before it was ready"
      case ("dependency", _): reason = "a unit that it needs did not start"
      case (let other, _): reason = "systemd says \(other)"
      }
      if let text = properties["StatusText"], !text.isEmpty { reason += ": \(text)" }
      return reason
    }
  }

  /// Starts a job of systemd's for a unit and waits for its end. Nil where the
  /// unit is not loaded, so that there is nothing to stop.
  private func run(
    _ member: String, _ unit: String, until deadline: Deadline
  ) throws(ServiceError) -> Ending? {
    var results: [String: String] = [:]
    var properties: [String: String] = [:]
    let unitPath = Self.path(of: unit)
    // Before the call's answer a short job may have ended already.
    func note(_ message: SystemdBus.Message) {
      if message.isSignal(Self.managerInterface, "JobRemoved") {
        guard message.uint32() != nil, let job = message.string(UInt8(ascii: "o")),
          message.string() != nil, let result = message.string()
        else { return }
        results[job] = result
      } else if message.path == unitPath, message.isSignal(Self.properties, "PropertiesChanged") {
        guard message.string() != nil else { return }
        properties.merge(message.properties()) { $1 }
      }
    }
    do {
      try bus.subscribe(until: deadline)
      let answer = try manager(
        member, [.string(unit), .string("replace")], until: deadline, onSignal: note)
      guard let job = answer.string(UInt8(ascii: "o")) else {
        throw SystemdBus.Failure.silent("no job")
      }
      while true {
        if let result = results[job] { return Ending(result: result, properties: properties) }
        guard let message = try bus.next(until: deadline) else {
          throw SystemdBus.Failure.silent(
            member == "StartUnit" ? "it was not ready in time" : "it did not end in time")
        }
        note(message)
      }
    } catch let failure as SystemdBus.Failure {
      if case .refused(Self.noSuchUnit, _) = failure, member == "StopUnit" { return nil }
      throw Self.error(
        member == "StartUnit" ? "the tracer did not start" : "the tracer did not stop", unit,
        failure)
    } catch {
      throw ServiceError("\(error)")
    }
  }

  private static func path(of unit: String) -> String {
    var path: UnsafeMutablePointer<CChar>?
    guard sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) >= 0, let path else {
      return ""
    }
    defer { free(path) }
    return String(cString: path)
  }

  private static func error(
    _ what: String, _ unit: String, _ failure: SystemdBus.Failure
  ) -> ServiceError {
    let which = unit.isEmpty ? "" : ": " + unit
    switch failure {
    case .refused(let name, let text):
      return ServiceError(
        "\(what)\(which): \(text.isEmpty ? name : text)",
        exitStatus: name == "org.freedesktop.DBus.Error.AccessDenied"
          ? .notPermitted : .unavailable)
    case .silent(let reason): return ServiceError("\(what)\(which): \(reason)")
    }
  }
}
