import Glibc
import ProbeDocument
import TraceRequest

/// Verifies a probe file's bytes for that user with the keys that this node trusts.
func verifyProbes(
  _ bytes: [UInt8], uid: UInt32, path: String, cluster: String?
) throws(ServiceError) -> SealedProbes {
  do throws(ProbeError) {
    let verified = try ProbeVerification(cluster: cluster)
      .verify(packed: bytes, uid: uid, now: Int64(time(nil)))
    return SealedProbes(canonical: verified.canonical)
  } catch {
    throw ServiceError(error.text(file: path), exitStatus: error.exitStatus)
  }
}
