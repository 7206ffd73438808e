import CLibc

/// The text of an error number, as strerror(3) gives it.
public func errorText(_ number: Int32) -> String {
  String(cString: strerror(number))
}
