import Foundation
import Testing

@testable import ProbeDocument

@Suite("The headers of a program or library say what takes no uprobe")
struct ELFHeadersTests {
  private let folder = NSTemporaryDirectory() + "elf-" + UUID().uuidString

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  /// Compiles C, as a program that begins at `begin`.
  private func program(_ source: String, _ options: [String] = []) throws -> String {
    try source.write(toFile: folder + "/a.c", atomically: true, encoding: .utf8)
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/gcc")
    compiler.arguments =
      ["-O1", "-nostdlib", "-static", "-Wl,-e,begin", "-o", folder + "/a", folder + "/a.c"]
      + options
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
    return folder + "/a"
  }

  private func headers<Value>(
    of path: String, _ body: (ELFHeaders, Int32) throws -> Value
  ) throws -> Value {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    return try body(ELFHeaders(descriptor: descriptor), descriptor)
  }

  private static let plain = """
    void begin(void) { for (;;) ; }
    int work(int a) { return a * 3; }
    extern int also_work(int) __attribute__((alias("work")));
    """
  /// What the linker of Go leaves: a section of tables, or a note with the build's id.
  private static let tables = """
    __attribute__((section(".gopclntab"))) const char tables[] = "pcln";
    """
  private static let note = """
    __attribute__((section(".note.go.buildid"), aligned(4), used)) static const struct {
      int name, content, type; char owner[4], id[4];
    } id = {4, 4, 4, "Go", "abc"};
    """

  @Test("a program of the Go toolchain is known by what strip leaves in it")
  func go() throws {
    #expect(try !headers(of: program(Self.plain)) { headers, _ in headers.isGo })
    let tabled = try program(Self.plain + Self.tables, ["-s"])
    #expect(try headers(of: tabled) { headers, _ in headers.isGo })
    let noted = try program(Self.plain + Self.note, ["-s"])
    #expect(try headers(of: noted) { headers, _ in headers.isGo })
    let refusal = try headers(of: noted) { headers, _ in headers.refusal }
    #expect(refusal?.hasPrefix("a Go program") == true)
    // Without section headers the loader's own table of notes is left.
    var bytes = try Data(contentsOf: URL(fileURLWithPath: noted))
    bytes.replaceSubrange(40..<48, with: Data(count: 8))
    bytes.replaceSubrange(60..<64, with: Data(count: 4))
    try bytes.write(to: URL(fileURLWithPath: folder + "/cut"))
    #expect(try headers(of: folder + "/cut") { headers, _ in headers.isGo })
  }

  @Test("the place where the program begins is known by its address, and so are other names")
  func addresses() throws {
    let path = try program(Self.plain)
    try headers(of: path) { headers, descriptor in
      let functions = try #require(
        try headers.functions(descriptor: descriptor, limit: 1 << 20))
      let found = functions.addresses(of: ["begin", "work", "also_work", "none"])
      #expect(found["none"] == nil)
      #expect(found["begin"] == headers.entry.map { [$0] })
      #expect(found["work"] == found["also_work"])
      let work = try #require(found["work"]?.first)
      #expect(functions.names(at: [work]) == [work: ["work", "also_work"]])
      let entry = try #require(headers.entry)
      let offset = try #require(headers.offset(of: entry))
      #expect(headers.isEntry(offset: offset) && !headers.isEntry(offset: offset + 1))
      #expect(headers.address(of: offset) == entry)
      #expect(headers.address(of: 1 << 40) == nil && headers.offset(of: 1 << 60) == nil)
      #expect(try headers.functions(descriptor: descriptor, limit: 16) == nil)
    }
  }

  @Test("a damaged file is refused or read, whatever its headers promise")
  func damaged() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: program(Self.plain + Self.note)))
    let file = URL(fileURLWithPath: folder + "/damaged")
    func look(_ bytes: Data) throws -> Bool {
      try bytes.write(to: file)
      return try headers(of: file.path) { headers, descriptor in
        do {
          _ = try headers.functions(descriptor: descriptor, limit: 1 << 20)
          return true
        } catch {
          return false
        }
      }
    }
    #expect(try look(whole))
    for count in [0, 1, 63, 64, 100, whole.count / 2] {
      #expect(throws: ELFHeaders.Unreadable.self) { try look(whole.prefix(count)) }
    }
    // Each byte of the file's header, and of the headers of segments and sections, at its largest.
    let sections = whole[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
    let places = Array(0..<400) + Array(sections..<whole.count)
    for place in places {
      for value: UInt8 in [0, 0x7f, 0xff] {
        var bytes = whole
        bytes[place] = value
        _ = try? look(bytes)
      }
    }
    #expect(throws: ELFHeaders.Unreadable.self) { try look(Data("#!/bin/sh\n".utf8)) }
  }
}
