import Testing

@testable import ProbeDocument

@Suite("A packed document is one gzip member and nothing else")
struct GzipTests {
  private func reason(_ bytes: [UInt8]) -> String {
    do throws(ProbeError) {
      _ = try Gzip.unpack(bytes)
      return "accepted"
    } catch {
      return error.what
    }
  }

  @Test("what was packed unpacks to the same bytes", arguments: [0, 1, 1000, 3_000_000])
  func roundTrip(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    #expect(try Gzip.unpack(try Gzip.pack(bytes)) == bytes)
  }

  @Test("each kind of damage has its reason")
  func damage() throws {
    let packed = try Gzip.pack(Array("hello, hello, hello".utf8))
    #expect(reason([]) == "the probe file is empty")
    #expect(reason(Array("{}".utf8)) == "the probe file is not gzip, or damaged")
    #expect(reason(packed + [0]) == "the probe file has bytes behind its end")
    #expect(reason(packed + packed) == "the probe file has bytes behind its end")
    for count in 1..<packed.count {
      #expect(reason(Array(packed[..<count])) == "the probe file is cut short")
    }
    var wrongSum = packed
    wrongSum[packed.count - 5] ^= 1
    #expect(reason(wrongSum) == "the probe file is not gzip, or damaged")
  }

  @Test("a bomb stops at the limit")
  func bomb() throws {
    let zeros = [UInt8](repeating: 0, count: Gzip.unpackedLimit + 1)
    #expect(reason(try Gzip.pack(zeros)) == "the probe file unpacks to more than 32 MiB")
    #expect(throws: Never.self) { try Gzip.unpack(try Gzip.pack(zeros.dropLast())) }
    let large = [UInt8](repeating: 0x1F, count: Gzip.packedLimit + 1)
    #expect(reason(large) == "the probe file is larger than 16 MiB")
  }
}
