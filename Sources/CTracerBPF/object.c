// The compiled BPF programs as a part of the program: no file to find, or to forge, at run time.
#include "CTracerBPF.h"

// #embed is older in clang than the C standard that this is compiled as.
#pragma clang diagnostic ignored "-Wc23-extensions"

#if !__has_embed("tracer.bpf.o")
#error "the BPF programs are not built: run 'make bpf' first"
#endif

static const unsigned char object[] __attribute__((aligned(16))) = {
#embed "tracer.bpf.o"
};

const void *datacrumbs_bpf_object(void) {
    return object;
}

size_t datacrumbs_bpf_object_size(void) {
    return sizeof(object);
}
