// swift-tools-version: 6.2
import PackageDescription

// Two builds of one package. The plugin is built in Embedded mode: no Swift
// runtime to load into every srun and slurmstepd. Programs and tests are
// ordinary Swift. The Makefile chooses with DATACRUMBS_EMBEDDED.
let isEmbedded = Context.environment["DATACRUMBS_EMBEDDED"] == "1"

let embeddedSafe: [SwiftSetting] =
  isEmbedded
  ? [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo"])]
  : []

let gnuSource: [CSetting] = [.define("_GNU_SOURCE")]

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

// What the plugin is made of: no Foundation, no OpenSSL, libc alone.
let pluginTargets: [Target] = [
  .target(name: "CLibc"),
  .target(name: "TraceRequest", dependencies: ["CLibc"], swiftSettings: embeddedSafe),
  .target(
    name: "SpankPlugin",
    dependencies: ["CLibc", "TraceRequest"] + (isEmbedded ? ["CShim"] : []),
    swiftSettings: embeddedSafe),
]

let shim: [Target] = [
  .target(name: "CShim", path: "CShim", exclude: ["spank_datacrumbs.map"], cSettings: gnuSource)
]

let libraries: [Target] = [
  .target(name: "SubmitCommand", dependencies: ["TraceRequest", "CLibc"]),
  .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd"),
  .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
  .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
  .systemLibrary(name: "CLibBPF", pkgConfig: "libbpf"),
  .target(
    name: "ProbeDocument", dependencies: ["TraceRequest", "CLibc", "COpenSSL", "CZlib"]),
  .target(name: "CSocket", cSettings: gnuSource),
  .target(
    name: "Signing",
    dependencies: [
      "ProbeDocument", "TraceRequest", "CLibc", "CSocket", "COpenSSL", "CSystemd", yams,
    ]),
  .systemLibrary(name: "CLibELF", pkgConfig: "libelf"),
  .systemLibrary(name: "CLibDW", pkgConfig: "libdw"),
  .target(
    name: "ProbeDiscovery",
    dependencies: [
      "Signing", "ProbeDocument", "TraceRequest", "CLibELF", "CLibDW", "CLibBPF", "CTracerBPF",
      "CNode", yams,
    ]),
  .target(
    name: "NodeService",
    dependencies: ["ProbeDocument", "TraceRequest", "CLibc", "CNode", "CSystemd"]),
  .target(name: "CNode", cSettings: gnuSource),
  .systemLibrary(name: "CLibDeflate", pkgConfig: "libdeflate"),
  .target(name: "GzipMembers", dependencies: ["CLibDeflate"]),
  .target(name: "CTracerBPF", exclude: ["tracer.bpf.o"], cSettings: gnuSource),
  .target(
    name: "Tracer",
    dependencies: [
      "ProbeDocument", "TraceRequest", "CLibc", "CLibBPF", "CSystemd", "CZlib", "GzipMembers",
      "CTracerBPF",
    ],
    exclude: ["BPF"]),
]

let report: [Target] = [
  .target(name: "TraceReport", dependencies: ["TraceRequest", "GzipMembers", "CZlib"])
]

let programs: [Target] = [
  .executableTarget(name: "datacrumbs_sbatch", dependencies: ["SubmitCommand"]),
  .executableTarget(name: "datacrumbs", dependencies: ["Tracer", argumentParser]),
  .executableTarget(
    name: "datacrumbs_probes",
    dependencies: [
      "ProbeDocument", "Signing", "ProbeDiscovery", "NodeService", argumentParser,
    ]),
  .executableTarget(name: "datacrumbs_report", dependencies: ["TraceReport", argumentParser]),
  .executableTarget(name: "datacrumbs_service", dependencies: ["NodeService"]),
  .executableTarget(name: "datacrumbs_sign_probes", dependencies: ["Signing", argumentParser]),
]

let tests: [Target] = [
  .testTarget(name: "TraceRequestTests", dependencies: ["TraceRequest"]),
  .testTarget(
    name: "SpankPluginTests", dependencies: ["SpankPlugin"], exclude: ["stand-in.sh"]),
  .testTarget(name: "SubmitCommandTests", dependencies: ["SubmitCommand"]),
  .testTarget(
    name: "ProbeDocumentTests", dependencies: ["ProbeDocument"], exclude: ["llnl_document.py"]),
  .testTarget(
    name: "ProbeDiscoveryTests",
    dependencies: ["ProbeDiscovery", "Signing", "ProbeDocument", "TraceRequest"]),
  .testTarget(
    name: "SigningTests", dependencies: ["Signing", "ProbeDocument", "TraceRequest", "CSocket"]),
  .testTarget(name: "NodeServiceTests", dependencies: ["NodeService", "TraceRequest", yams]),
  .testTarget(
    name: "TracerTests", dependencies: ["Tracer", "datacrumbs"], exclude: ["Fixtures"]),
  .testTarget(
    name: "TraceReportTests", dependencies: ["TraceReport", "GzipMembers", "CLibDeflate"]),
  .testTarget(name: "GzipMembersTests", dependencies: ["GzipMembers"]),
]

// `make fuzz` builds these with libFuzzer, whose archive it names, and what they read with its
// instrumentation. Swift's own -sanitize=fuzzer would link a second main.
let libFuzzer = Context.environment["DATACRUMBS_FUZZ"] ?? ""
let isFuzzing = !libFuzzer.isEmpty
let fuzzers: [Target] =
  isFuzzing
  ? [.target(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer")]
    + [
      ("FuzzDocument", ["CFuzzer", "ProbeDocument"]), ("FuzzComment", ["CFuzzer", "TraceRequest"]),
      ("FuzzSigner", ["CFuzzer", "Signing", "ProbeDocument"]),
    ].map { name, modules in
      .executableTarget(
        name: name, dependencies: modules.map { .byName(name: $0) }, path: "Tests/Fuzz/\(name)",
        linkerSettings: [.unsafeFlags(["-use-ld=lld", libFuzzer]), .linkedLibrary("stdc++")])
    } : []

let package = Package(
  name: "datacrumbs-slurm",
  products: isEmbedded
    ? [.library(name: "spank_datacrumbs", type: .dynamic, targets: ["SpankPlugin", "CShim"])]
    : programs.map { .executable(name: $0.name, targets: [$0.name]) },
  dependencies: isEmbedded
    ? []
    : [
      .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
      .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
  targets: pluginTargets + (isEmbedded ? shim : libraries + report + programs + tests + fuzzers)
)

// Our own code compiles without a warning, C and Swift alike.
for target in package.targets where target.type != .system {
  target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
  target.cSettings =
    (target.cSettings ?? []) + [.enableWarning("all"), .enableWarning("extra")]
    + [.treatAllWarnings(as: .error)]
  if isFuzzing, ["TraceRequest", "ProbeDocument", "Signing"].contains(target.name) {
    target.swiftSettings = (target.swiftSettings ?? []) + [.unsafeFlags(["-sanitize=fuzzer"])]
  }
}
