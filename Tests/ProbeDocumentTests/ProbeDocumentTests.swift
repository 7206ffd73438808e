import Testing
@testable import ProbeDocument
