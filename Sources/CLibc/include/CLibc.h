// The C library for Swift code that is also built in Embedded mode, where
// `import Glibc` does not exist. Ordinary declarations come from libc's own
// headers; what Swift cannot import (macros, errno, environ) has an accessor.
#ifndef DATACRUMBS_CLIBC_H
#define DATACRUMBS_CLIBC_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline int clibc_errno(void) { return errno; }
static inline char **clibc_environ(void) {
    extern char **environ;
    return environ;
}

#endif
