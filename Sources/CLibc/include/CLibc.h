// The C library for Swift code that is also built in Embedded mode, where
// `import Glibc` does not exist. Ordinary declarations come from libc's own
// headers; what Swift cannot import (macros, errno, environ) has an accessor.
//
// No header of a C module defines _GNU_SOURCE: Swift's own Glibc module does
// not, and modules that are imported together must agree on libc's types.
#ifndef DATACRUMBS_CLIBC_H
#define DATACRUMBS_CLIBC_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline int clibc_errno(void) { return errno; }
static inline char **clibc_environ(void) {
    extern char **environ;
    return environ;
}

/// open(2), which is variadic. Flags of `open`; no file is created.
static inline int clibc_open(const char *path, int flags) { return open(path, flags); }

/// openat(2) with O_PATH, which libc's headers show to GNU sources only: the file is named, not
/// opened. Of a device, a FIFO or a file that is being migrated nothing is asked.
int clibc_look_at(int folder, const char *name, int flags);

/// Opens to read what a descriptor of clibc_look_at names, and nothing that was put under its name
/// since. Nobody is waited for. Needs /proc.
int clibc_open_seen(int seen);

/// Whether a file is of a file system that is a program of some user's (FUSE), which says whose
/// its files are and what is in them; true where that cannot be told.
bool clibc_is_users_file_system(int file);

/// pipe2(2), which libc's headers show to GNU sources only.
int clibc_pipe(int ends[2], int flags);

/// pidfd_open(2), Linux 5.3: a descriptor that poll(2) reports readable when
/// the process has ended. glibc has no wrapper before 2.36.
static inline int clibc_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

static inline bool clibc_is_regular_file(const struct stat *status) {
    return S_ISREG(status->st_mode);
}

/// The exit code of a waitpid(2) status, or 128 and the signal's number.
static inline int clibc_exit_code(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
