/// What a site can let one tracer use of a node's memory.
public enum TracerMemory {
  /// MiB that can be chosen. Below, no burst of events could be kept; above, the unit's own limit of
  /// 512 MiB would come first.
  public static let range = 64...448
  /// MiB where nothing is chosen.
  public static let standard = 128
}
