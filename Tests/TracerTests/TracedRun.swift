import Foundation

/// Runs the real tracer on real programs: as root, in this kernel, with the marker of
/// libdatacrumbs_client.so. What a test sees is the file that a user would open.
final class TracedRun {
  /// The account whose "job" it is.
  static let user = "nobody"
  /// Its own: suites run beside each other, and their tasks call one marker.
  let job = String(UInt32.random(in: 10_000 ... .max))

  /// Why this machine cannot run these tests, nil where it can.
  static let obstacle: String? = {
    if getuid() != 0 { return "not root" }
    if access("/sys/kernel/btf/vmlinux", R_OK) != 0 { return "the kernel has no BTF" }
    if access("/usr/bin/cc", X_OK) != 0 { return "no C compiler" }
    return nil
  }()

  static var canTrace: Bool {
    if let obstacle {
      FileHandle.standardError.write(Data("SKIPPED: real traces: \(obstacle)\n".utf8))
    }
    return obstacle == nil
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  let folder: URL
  let tracer = Process()
  private let output = Pipe()
  private let notifySocket: Int32
  private(set) var notifications = ""
  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  /// Compiles the fixture programs and the client library once a test run.
  private static let built: Result<URL, Failure> = {
    let folder = URL(fileURLWithPath: NSTemporaryDirectory())
      .appendingPathComponent("datacrumbs-fixtures-\(getpid())")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      chmod(folder.path, 0o755)
      let client = sources.appendingPathComponent("../../Client/datacrumbs_client.c").path
      try compile([
        "-shared", "-fPIC", "-O2", "-o", folder.appendingPathComponent("libclient.so").path, client,
      ])
      let fixtures = sources.appendingPathComponent("Fixtures")
      for name in try FileManager.default.contentsOfDirectory(atPath: fixtures.path)
      where name.hasSuffix(".c") {
        let way =
          switch name {
          case "static_program.c": ["-static"]
          case "entry.c": ["-nostartfiles", "-Wl,-e,begin", "-rdynamic"]
          default: ["-rdynamic"]
          }
        try compile(
          ["-O1", "-g", "-pthread"] + way + [
            "-o", folder.appendingPathComponent(String(name.dropLast(2))).path,
            fixtures.appendingPathComponent(name).path,
          ])
      }
      atexit { try? FileManager.default.removeItem(atPath: TracedRun.fixtureFolder) }
      return .success(folder)
    } catch {
      return .failure(Failure(description: "\(error)"))
    }
  }()

  private static let fixtureFolder =
    NSTemporaryDirectory() + "/datacrumbs-fixtures-\(getpid())"

  private static func compile(_ arguments: [String]) throws {
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/cc")
    compiler.arguments = arguments
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else {
      throw Failure(description: "cc \(arguments.joined(separator: " ")) failed")
    }
  }

  /// A program of Fixtures/, compiled.
  static func fixture(_ name: String) throws -> String {
    try built.get().appendingPathComponent(name).path
  }

  /// Starts the tracer for these categories and waits until it is ready.
  init(
    _ categories: [[String: Any]], summary: [String: String] = [:], waitsForReady: Bool = true,
    traceDirectory: String? = nil, settings: [String: String] = [:]
  ) throws {
    let root = URL(fileURLWithPath: NSTemporaryDirectory())
    folder = root.appendingPathComponent("datacrumbs-\(getpid())-\(UInt32.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    chmod(folder.path, 0o777)
    let document: [String: Any] = ["summary": summary, "categories": categories]
    let probes = folder.appendingPathComponent("probes.json")
    try JSONSerialization.data(withJSONObject: document).write(to: probes)

    notifySocket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    let address = folder.appendingPathComponent("notify").path
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: Array(address.utf8)) }
    let bound = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(notifySocket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard bound == 0 else { throw Failure(description: "bind: \(errno)") }
    chmod(address, 0o777)

    let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent()
    tracer.executableURL = programs.appendingPathComponent("datacrumbs")
    tracer.arguments = [probes.path, job, Self.user]
    var environment = ProcessInfo.processInfo.environment
    environment["DATACRUMBS_MARKER"] = try Self.fixture("libclient.so")
    environment["DATACRUMBS_TRACE_DIR"] = traceDirectory ?? folder.appendingPathComponent("t").path
    environment["NOTIFY_SOCKET"] = address
    environment["DATACRUMBS_STATE_FILE"] = folder.appendingPathComponent("state").path
    environment.merge(settings) { $1 }
    tracer.environment = environment
    tracer.standardError = output
    try tracer.run()
    if waitsForReady { try waitForReady() }
  }

  deinit {
    if tracer.isRunning {
      kill(tracer.processIdentifier, SIGKILL)
      tracer.waitUntilExit()
    }
    close(notifySocket)
    try? FileManager.default.removeItem(at: folder)
  }

  private func waitForReady() throws {
    while !notifications.contains("READY=1") {
      var waiting = pollfd(fd: notifySocket, events: Int16(POLLIN), revents: 0)
      guard poll(&waiting, 1, 10_000) == 1 else {
        throw Failure(description: "not ready: \(standardError())")
      }
      readNotifications()
    }
  }

  /// Waits until systemd would have heard that.
  func waitForNotification(_ text: String) throws {
    let deadline = Date().addingTimeInterval(20)
    while !notifications.contains(text) {
      var waiting = pollfd(fd: notifySocket, events: Int16(POLLIN), revents: 0)
      poll(&waiting, 1, 1000)
      readNotifications()
      guard Date() < deadline else {
        throw Failure(description: "never told: \(text): only \(notifications)")
      }
    }
  }

  private func readNotifications() {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(notifySocket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count <= 0 { return }
      notifications += String(decoding: buffer[..<count], as: UTF8.self) + "\n"
    }
  }

  /// What the tracer said, once it has ended.
  func standardError() -> String {
    if tracer.isRunning { kill(tracer.processIdentifier, SIGKILL) }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    return String(decoding: data, as: UTF8.self)
  }

  /// Runs a program as the job would: marked, as the user.
  @discardableResult
  func run(
    _ arguments: [String], job: String? = nil, environment: [String: String] = [:],
    user: String = TracedRun.user, privileges: [String] = []
  ) throws -> Int32 {
    let program = try start(
      arguments, job: job, environment: environment, user: user, privileges: privileges)
    program.waitUntilExit()
    return program.terminationStatus
  }

  /// Starts a program as the job would.
  func start(
    _ arguments: [String], job: String? = nil, environment: [String: String] = [:],
    user: String = TracedRun.user, privileges: [String] = []
  ) throws -> Process {
    let program = Process()
    program.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
    program.arguments =
      ["--reuid", user, "--regid", "65534", "--clear-groups"] + privileges + ["env"]
      + environment.map { "\($0.key)=\($0.value)" }
      + ["DATACRUMBS_RUN_ID=\(job ?? self.job)", "LD_PRELOAD=\(try Self.fixture("libclient.so"))"]
      + arguments
    program.currentDirectoryURL = folder
    program.standardOutput = FileHandle.nullDevice
    program.standardError = FileHandle.nullDevice
    try program.run()
    return program
  }

  /// Reads the growing trace until it holds what is expected; the tracer flushes twice a second.
  func waitForTrace(until holds: (Trace) -> Bool) throws {
    let deadline = Date().addingTimeInterval(20)
    while !holds(try Trace(reading: traceFile())) {
      guard Date() < deadline else { throw Failure(description: "the trace lacks it") }
      usleep(50_000)
    }
  }

  /// What the tracer last said of itself, to those who read the job's status.
  func state() throws -> [String: Any] {
    let data = try Data(contentsOf: folder.appendingPathComponent("state"))
    return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
  }

  /// Waits until the tracer says of itself what is expected.
  func waitForState(_ what: String, until holds: ([String: Any]) -> Bool) throws {
    let deadline = Date().addingTimeInterval(20)
    while true {
      // In between two states there may be none.
      if let state = try? state(), holds(state) { return }
      guard Date() < deadline else {
        throw Failure(description: "not \(what): \(try state())")
      }
      usleep(50_000)
    }
  }

  /// The processor time that the tracer has used, in seconds.
  func processorTime() throws -> Double {
    let text = try String(
      contentsOfFile: "/proc/\(tracer.processIdentifier)/stat", encoding: .utf8)
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      throw Failure(description: "no times: \(text)")
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// The most memory that the tracer has had, in KiB.
  func peakMemory() throws -> Int {
    let status = try String(
      contentsOfFile: "/proc/\(tracer.processIdentifier)/status", encoding: .utf8)
    guard
      let peak = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let number = Int(peak.split(separator: " ")[1])
    else { throw Failure(description: "no VmHWM: \(status)") }
    return number
  }

  /// What a shell command prints, without the newline.
  static func output(of script: String) throws -> String {
    let shell = Process()
    let pipe = Pipe()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = ["-c", script]
    shell.standardOutput = pipe
    try shell.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    shell.waitUntilExit()
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
  }

  /// Whether a process sits in a system call.
  static func isWaiting(in call: String, _ pid: Int32) -> Bool {
    let numbers = ["pause": "34"]
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/syscall", encoding: .utf8),
      let number = numbers[call]
    else { return false }
    return text.hasPrefix(number + " ")
  }

  /// Ends the tracer as systemd does and returns what it wrote.
  @discardableResult
  func finish() throws -> Trace {
    try end()
    return try Trace(reading: traceFile())
  }

  /// Ends the tracer as systemd does.
  func end() throws {
    kill(tracer.processIdentifier, SIGTERM)
    tracer.waitUntilExit()
    guard tracer.terminationStatus == 0 else {
      throw Failure(description: "exit \(tracer.terminationStatus): \(standardError())")
    }
    readNotifications()
  }

  /// The one file in the trace's folder.
  func traceFile() throws -> URL {
    let folder = folder.appendingPathComponent("t")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    guard names.count == 1, let name = names.first else {
      throw Failure(description: "trace files: \(names)")
    }
    return folder.appendingPathComponent(name)
  }
}

/// A trace read by an independent reader: gzip, then a JSON object a line.
struct Trace {
  struct Event {
    let name: String
    let category: String
    let pid: Int
    let tid: Int
    let start: Double
    let duration: Double
    let arguments: [String: Any]

    /// The path that `fhash` stands for.
    var path: String?
    var result: Int? { arguments["ret"] as? Int }
  }

  /// The sums of an interval.
  struct Profile {
    let name: String
    let pid: Int
    let arguments: [String: Any]

    func value(_ name: String) -> Double { arguments[name] as? Double ?? -1 }
  }

  private(set) var events: [Event] = []
  private(set) var profiles: [Profile] = []
  private(set) var head: [String: Any] = [:]
  private(set) var end: [String: Any] = [:]
  /// What the hashes stand for.
  private(set) var strings: [String: String] = [:]
  /// How many lines define a string.
  private(set) var definitions = 0
  /// The names of the processes.
  private(set) var processes: [Int: String] = [:]
  let lines: [String]

  init(reading file: URL) throws {
    let gzip = Process()
    let pipe = Pipe()
    gzip.executableURL = URL(fileURLWithPath: "/usr/bin/gzip")
    gzip.arguments = ["-dc", file.path]
    gzip.standardOutput = pipe
    gzip.standardError = FileHandle.nullDevice
    try gzip.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    gzip.waitUntilExit()
    lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    for line in lines where line != "[" && line != "]" {
      guard let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
        let name = event["name"] as? String, let arguments = event["args"] as? [String: Any]
      else { throw TracedRun.Failure(description: "no event: \(line)") }
      switch event["ph"] as? String {
      case "X":
        events.append(
          Event(
            name: name, category: event["cat"] as? String ?? "", pid: event["pid"] as? Int ?? -1,
            tid: event["tid"] as? Int ?? -1, start: event["ts"] as? Double ?? -1,
            duration: event["dur"] as? Double ?? -1, arguments: arguments))
      case "C":
        profiles.append(
          Profile(name: name, pid: event["pid"] as? Int ?? -1, arguments: arguments))
      case "M" where name == "FH" || name == "SH":
        if let text = arguments["name"] as? String, let hash = arguments["value"] as? String {
          definitions += 1
          strings[hash] = text
        }
      case "M" where name == "process_name":
        if let pid = event["pid"] as? Int { processes[pid] = arguments["name"] as? String }
      case "M" where name == "trace": head = arguments
      case "M" where name == "end": end = arguments
      default: break
      }
    }
    for index in events.indices {
      guard let hash = events[index].arguments["fhash"] as? String else { continue }
      events[index].path = strings[hash]
    }
  }

  func named(_ name: String) -> [Event] { events.filter { $0.name == name } }

  /// The number lost for a reason, by the trace's last line.
  func lost(_ reason: String) -> Int? { (end["lost"] as? [String: Any])?[reason] as? Int }
}
