#if hasFeature(Embedded)
  import CShim
#endif
