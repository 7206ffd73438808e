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

  @Test("whatever is done to a line, it is read or refused, and the next line is read")
  func fuzzing() {
    let seeds = [
      TestTrace.head(), TestTrace.end(events: 5, lost: 1),
      TestTrace.call(args: #""ret":-2,"errno":"ENOENT","fname":"/a\"\u00e9\ud83d\ude00""#),
      TestTrace.call(ts: "1790000000123456.789", args: #""ret":5,"fhash":"9c1f","x":[{"y":null}]"#),
      #"{"name":"FH","ph":"M","pid":0,"args":{"name":"/d/\udcff","value":"ab12"}}"# + "\n",
    ].map { Array($0.utf8) }
    let sentinel = Array(#"{"name":"sentinel","ph":"X","ts":1}"#.utf8) + [0x0a]
    let alphabet = Array("{}[]\",:\\u0eE.-+19tn \n\u{00}\u{7f}\u{ff}".utf8)
    // The same mutations in every run (a 64-bit linear congruential generator, Knuth's constants).
    var state: UInt64 = 42
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var readable = 0
    for _ in 0..<20_000 {
      var line = seeds[random(seeds.count)]
      for _ in 0...random(4) {
        let place = random(line.count)
        switch random(4) {
        case 0: line[place] = alphabet[random(alphabet.count)]
        case 1: line.insert(alphabet[random(alphabet.count)], at: place)
        case 2: line.removeSubrange(place..<min(line.count, place + 1 + random(9)))
        default: line.insert(contentsOf: line[place..<min(line.count, place + 20)], at: place)
        }
        if line.isEmpty { line = [0x20] }
      }
      var last: [UInt8] = []
      (line + [0x0a] + sentinel).withUnsafeBytes { bytes in
        guard var reader = LineReader(bytes) else { return }
        var event = TraceLine()
        while let kind = reader.next(&event) {
          guard kind == .event else { continue }
          readable += 1
          for text in [event.name, event.category, event.file, event.argumentName] {
            text?.decoded(into: &last)
          }
          last = []
          event.name?.decoded(into: &last)
        }
      }
      #expect(last == Array("sentinel".utf8))
    }
    #expect(readable > 22_000)
  }
}
