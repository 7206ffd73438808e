import ProbeDocument

/// Verifies a probe file's bytes for that user. No signature can be checked
/// without the reader of probe files, so none is trusted.
func verifyProbes(
  _ bytes: [UInt8], uid: UInt32, path: String, cluster: String?
) throws(ServiceError) -> SealedProbes {
  throw ServiceError(
    "not trusted: \(path): signatures are not checked yet", exitCode: ServiceError.badData)
}
