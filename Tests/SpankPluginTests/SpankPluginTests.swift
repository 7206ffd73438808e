import Testing
@testable import SpankPlugin
