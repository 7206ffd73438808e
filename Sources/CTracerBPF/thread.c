// What Swift's Glibc lacks of getrusage(2): a thread alone.
#include "CTracerBPF.h"

#include <sys/resource.h>

long datacrumbs_preemptions(void) {
    struct rusage usage;

    return getrusage(RUSAGE_THREAD, &usage) < 0 ? 0 : usage.ru_nivcsw;
}
