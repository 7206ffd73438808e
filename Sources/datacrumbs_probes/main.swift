import Glibc

// DataCrumbs's name for `build`, which scripts call with the same two files.
if CommandLine.arguments.first?.hasSuffix("probe_configurator") == true {
  Build.main(Array(CommandLine.arguments.dropFirst()))
} else {
  Probes.main()
}
