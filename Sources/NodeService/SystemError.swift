import Glibc

/// The text of an error number, as strerror(3) gives it.
func errorText(_ number: Int32) -> String {
  guard let text = strerror(number) else { return "error \(number)" }
  return String(cString: text)
}
