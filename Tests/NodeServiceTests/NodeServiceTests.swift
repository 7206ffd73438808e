import Testing
@testable import NodeService
