import Foundation
import ProbeDocument
import Testing

@testable import ProbeDiscovery

@Suite("The configurations that are shipped are read, and find what they name")
struct ExampleTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("docs/examples")

  private static let libraries = ["MPI_LIB", "HDF5_LIB"]

  private func configuration(_ name: String) throws -> ProbeConfiguration {
    let text = try String(
      contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
    var variables: [String: String] = [:]
    for library in Self.libraries { variables[library] = "/lib/x86_64-linux-gnu/libc.so.6" }
    return try ProbeConfiguration(
      yaml: try ProbeConfiguration.filled(text, path: name, variables), path: name)
  }

  @Test(
    "each is read, and its patterns are regular expressions",
    arguments: [
      "posix-io.yaml", "libc-stdio.yaml", "page-cache.yaml", "mpi-io.yaml", "hdf5.yaml",
      "lustre.yaml", "posix-kernel.yaml", "kernel-wide.yaml",
    ])
  func read(name: String) throws {
    for entry in try configuration(name).entries {
      _ = try NamePattern(entry.regex, of: entry.name)
    }
  }

  @Test(
    "what every machine has is found",
    arguments: [("posix-io.yaml", "openat"), ("libc-stdio.yaml", "fopen")])
  func found(name: String, function: String) throws {
    let discovery = ProbeDiscovery()
    var functions: [String] = []
    for entry in try configuration(name).entries {
      functions += try discovery.outcome(of: entry).category?.functions ?? []
    }
    #expect(functions.contains(function))
    #expect(functions.count > 20)
  }

  @Test(
    "sets of thousands of functions are found, signed and verified whole",
    arguments: [("posix-kernel.yaml", 2489), ("kernel-wide.yaml", 8723)])
  func sets(name: String, size: Int) throws {
    let discovery = ProbeDiscovery()
    var categories: [ProbeCategory] = []
    var missing = size
    for entry in try configuration(name).entries {
      guard let found = try discovery.outcome(of: entry).category else { continue }
      // Kernels differ in how many they have; the set is cut to its size.
      categories.append(
        ProbeCategory(
          kind: found.kind, name: found.name, functions: Array(found.functions.prefix(missing)),
          functionArguments: found.functionArguments))
      missing -= min(missing, found.functions.count)
    }
    try #require(missing == 0, "this kernel has \(missing) functions less than the set")
    let key = try PrivateKey.random()
    let folder = NSTemporaryDirectory() + "set-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let file = TrustedKeys.file(of: try key.publicKey())
    try file.text.write(toFile: folder + "/" + file.name, atomically: true, encoding: .utf8)
    let summary = [
      "uid": "1001", "created": "2026-11-23T00:00:00Z", "expires": "2026-11-24T00:00:00Z",
    ]
    let packed = try ProbeDocument(summary: summary, categories: categories)
      .signedAndPacked(with: key)
    let verified = try ProbeVerification(trustedKeys: TrustedKeys(directory: folder))
      .verify(packed: packed, uid: 1001, now: 1_795_400_000)
    #expect(verified.document.categories.flatMap(\.functions).count == size)
    #expect(verified.document.categories.map(\.kind) == [.syscalls, .kprobe])
  }

  @Test("patterns keep to their library's names")
  func patterns() throws {
    func matches(_ name: String, _ function: String) throws -> Bool {
      try configuration(name).entries.contains {
        try NamePattern($0.regex, of: $0.name).matches(function)
      }
    }
    #expect(try matches("mpi-io.yaml", "MPI_File_write_at_all"))
    #expect(try matches("mpi-io.yaml", "PMPI_File_open"))
    #expect(try !matches("mpi-io.yaml", "MPI_File_c2f"))
    #expect(try !matches("mpi-io.yaml", "MPI_Send"))
    #expect(try matches("hdf5.yaml", "H5Dwrite"))
    #expect(try !matches("hdf5.yaml", "H5D__write_api_common"))
    #expect(try !matches("hdf5.yaml", "H5AC_flush"))
    #expect(try matches("page-cache.yaml", "filemap_get_pages"))
    #expect(try !matches("page-cache.yaml", "filemap_get_pages.cold"))
    #expect(try matches("lustre.yaml", "ll_file_read_iter"))
  }
}
