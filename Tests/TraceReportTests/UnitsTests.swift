import Testing

@testable import TraceReport

@Suite("Numbers are written for people")
struct UnitsTests {
  @Test(
    "thousands are separated",
    arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
  func grouped(value: Int64, text: String) { #expect(Units.grouped(value) == text) }

  @Test(
    "sizes have binary units and three digits",
    arguments: [
      (0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1536, "1.50 KiB"),
      (1_048_575, "1.00 MiB"), (20 << 30, "20.0 GiB"), (Int64.max, "8.00 EiB"),
    ])
  func bytes(value: Int64, text: String) { #expect(Units.bytes(value) == text) }

  @Test(
    "durations have the unit that fits",
    arguments: [
      (0, "0 ns"), (999, "999 ns"), (1250, "1.25 us"), (999_999, "1.00 ms"),
      (20_000_000, "20.0 ms"), (999_999_999, "1.00 s"), (90_000_000_000, "90.0 s"),
      (125_000_000_000, "2 min 05 s"), (7_500_000_000_000, "2 h 05 min"),
    ])
  func duration(value: Int64, text: String) { #expect(Units.duration(value) == text) }
}
