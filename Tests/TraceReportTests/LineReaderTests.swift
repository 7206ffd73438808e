import Testing

@testable import TraceReport

private struct Seen {
  var kinds: [LineReader.Kind] = []
  var names: [String] = []
  var starts: [Int64] = []
  var durations: [Int64] = []
  var results: [Int64?] = []
  var files: [[UInt8]?] = []
}

private func read(_ text: String) -> Seen {
  var seen = Seen()
  Array(text.utf8).withUnsafeBytes { bytes in
    guard var reader = LineReader(bytes) else { return }
    var line = TraceLine()
    while let kind = reader.next(&line) {
      seen.kinds.append(kind)
      guard kind == .event else { continue }
      var name: [UInt8] = []
      line.name?.decoded(into: &name)
      seen.names.append(String(decoding: name, as: UTF8.self))
      seen.starts.append(line.start)
      seen.durations.append(line.duration)
      seen.results.append(line.result)
      seen.files.append(
        line.file.map {
          var path: [UInt8] = []
          $0.decoded(into: &path)
          return path
        })
    }
  }
  return seen
}

@Suite("A line of a trace is understood in whatever form of JSON it comes")
struct LineReaderTests {
  @Test(
    "one event, many forms",
    arguments: [
      #"{"name":"read","cat":"posix","ph":"X","ts":1.5,"dur":2,"pid":3,"tid":4,"args":{"ret":5}}"#,
      #"{"args":{"ret":5},"tid":4,"pid":3,"dur":2,"ts":1.5,"ph":"X","name":"read"}"#,
      #" { "name" : "read" , "ph" : "X" , "ts" : 1.500 , "dur" : 2.0 , "args" : { "ret" : 5 } } "#,
      #"{"name":"read","ph":"X","ts":15e-1,"dur":0.2E1,"args":{"ret":5}},"#,
      #"[{"name":"read","ph":"X","ts":1.5,"dur":2,"args":{"ret":5}},"#,
      #"{"name":"read","ph":"X","ts":1.5,"dur":2,"args":{"ret":5}}]"#,
      #"{"\u006eame":"read","ph":"X","ts":1.5,"dur":2,"\u0061rgs":{"ret":5}}"#,
      #"{"name":"r\u0065ad","ph":"X","ts":1.5,"dur":2,"args":{"ret":5}}"#,
      #"{"name":"read","ph":"X","ts":1.5,"dur":2,"args":{"x":[1,{"ret":9},"]}"],"ret":5,"y":null}}"#,
      #"{"ret":7,"name":"read","x":{"ts":9},"ph":"X","ts":1.5,"dur":2,"args":{"ret":5}}"#,
    ])
  func forms(line: String) {
    let seen = read(line + "\n")
    #expect(seen.kinds == [.event])
    #expect(seen.names == ["read"])
    #expect(seen.starts == [1500])
    #expect(seen.durations == [2000])
    #expect(seen.results == [5])
  }

  @Test("brackets and empty lines are no events and no errors")
  func brackets() {
    #expect(read("[\n\n  \n]\n,\n").kinds == [.empty, .empty, .empty, .empty, .empty])
  }

  @Test(
    "what is no JSON is told, and the next line is read",
    arguments: [
      "hello", "{", "{}}", #"{"name":"read""#, #"{"name":"re"#, #"{"ts":-}"#, "{\"a\":\u{01}}",
      #"{"a" 1}"#, #"{"a":1,}"#, #"{"ts":99999999999999999999}"#, "nul", "[[", "\u{7f}",
    ])
  func unreadable(line: String) {
    let seen = read(line + "\n" + #"{"name":"next","ph":"X","ts":1}"# + "\n")
    #expect(seen.kinds == [.unreadable, .event])
    #expect(seen.names == ["next"])
  }

  @Test("times are exact to the nanosecond, whether since 1970 or since the tracer's start")
  func times() {
    let seen = read(
      [
        #"{"name":"a","ph":"X","ts":1790000000123456.789,"dur":0.001}"#,
        #"{"name":"a","ph":"X","ts":0.0004999,"dur":0.0005}"#,
        #"{"name":"a","ph":"X","ts":-1.5,"dur":-1}"#,
      ].joined(separator: "\n") + "\n")
    #expect(seen.starts == [1_790_000_000_123_456_789, 0, -1500])
    #expect(seen.durations == [1, 1, 0])
  }

  @Test("results of 64 bits keep their sign")
  func results() {
    let seen = read(
      [-1, Int64.min, Int64.max].map { #"{"ph":"X","args":{"ret":\#($0)}}"# }
        .joined(separator: "\n") + "\n" + #"{"ph":"X","args":{"ret":18446744073709551615}}"# + "\n")
    #expect(seen.results == [-1, Int64.min, Int64.max, -1])
  }

  @Test("a path's bytes come back, those that are no UTF-8 as well")
  func paths() {
    let seen = read(#"{"ph":"X","args":{"fname":"/a\"b\\\u00e9\ud83d\ude00\udcff\n/é"}}"# + "\n")
    let expected = Array("/a\"b\\é😀".utf8) + [0xff, 0x0a] + Array("/é".utf8)
    #expect(seen.files == [expected])
  }
}
