// libFuzzer's entry for programs that have a main of their own, as Swift's have
// (https://llvm.org/docs/LibFuzzer.html, "Using libFuzzer as a library").
#ifndef DATACRUMBS_CFUZZER_H
#define DATACRUMBS_CFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv,
                        int (*test_one_input)(const uint8_t *data, size_t size));

/// Runs libFuzzer with the program's arguments.
static inline int cfuzzer_run(int argc, char **argv,
                              int (*test_one_input)(const uint8_t *data, size_t size)) {
    return LLVMFuzzerRunDriver(&argc, &argv, test_one_input);
}

#endif
