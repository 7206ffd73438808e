import Testing
@testable import TraceRequest
