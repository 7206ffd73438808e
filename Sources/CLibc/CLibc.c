#define _GNU_SOURCE
#include "CLibc.h"

#include <unistd.h>

int clibc_pipe(int ends[2], int flags) { return pipe2(ends, flags); }
