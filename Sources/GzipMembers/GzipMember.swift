/// The form of a trace's gzip members (RFC 1952): each holds whole lines and says in its header
/// how long it is, so that several readers can take members of one file side by side. Other gzip
/// readers pass that over.
///
///     offset  bytes
///          0  1f 8b 08 04     gzip, deflate, with an extra field
///          4  00 00 00 00     no time
///          8  00 ff           no extra flags, no operating system
///         10  08 00           8 bytes of extra field:
///         12  44 43 04 00     subfield DC with 4 bytes
///         16  ...             the member's bytes, header and trailer included, little endian
///         20  deflate, then CRC-32 and size of the text, 4 bytes each
public enum GzipMember {
  /// Bytes before the deflated text.
  public static let headerSize = 20
  /// Bytes behind it.
  static let trailerSize = 8
  private static let start: [UInt8] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 8, 0, UInt8(ascii: "D"), UInt8(ascii: "C"), 4, 0,
  ]

  /// How long a member is that begins so; nil where its header does not say it in our form.
  ///
  /// - Parameter header: the first 20 bytes, or more.
  public static func size(_ header: UnsafeRawBufferPointer) -> Int? {
    guard header.count >= headerSize, header[..<16].elementsEqual(start) else { return nil }
    let size = Int(UInt32(littleEndian: header.loadUnaligned(fromByteOffset: 16, as: UInt32.self)))
    return size >= headerSize + trailerSize ? size : nil
  }

  static func writeHeader(_ target: UnsafeMutableRawBufferPointer, size: Int) {
    target.copyBytes(from: start)
    target.storeBytes(of: UInt32(size).littleEndian, toByteOffset: 16, as: UInt32.self)
  }
}
