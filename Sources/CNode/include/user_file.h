// Reading a file with another user's rights, in a child process.
//
// Why a process: the rights of a file server with root_squash, of ACLs and of
// 500 supplementary groups are the kernel's and the server's to decide, and a
// child that hangs on a dead server can be left behind. Why C: Swift does not
// offer fork(2), and what runs between fork and _exit must be plain C.
#ifndef DATACRUMBS_USER_FILE_H
#define DATACRUMBS_USER_FILE_H

#include <stddef.h>
#include <stdint.h>

/// Where the child stopped.
enum cuserfile_stage {
    CUSERFILE_DONE = 0,
    CUSERFILE_NO_USER,
    CUSERFILE_LOOKUP,
    CUSERFILE_GROUPS,
    CUSERFILE_CREDENTIALS,
    CUSERFILE_OPEN,
    CUSERFILE_NOT_REGULAR,
    CUSERFILE_TOO_LARGE,
    CUSERFILE_READ,
};

/// What the child writes first; the file's `size` bytes follow.
struct cuserfile_header {
    uint32_t stage;
    /// errno of the stage, 0 where it has none.
    int32_t error;
    uint32_t gid;
    uint64_t size;
    /// Null-terminated; empty where the user is not known here.
    char user[256];
    char home[4096];
};

/// Starts the child. It looks the user up, takes the user's uid, gid and groups,
/// opens `path` without waiting for anything that is not a regular file, and
/// writes header and content to the pipe whose reading end is stored in `*output`.
/// A null `path` looks the user up and reads nothing.
///
/// The child holds no descriptor but the pipe, so it keeps no lock and nobody's
/// standard error open, and dies with its parent. Returns its pid, or -1 and errno.
int cuserfile_start(uint32_t uid, const char *path, size_t limit, int *output);

#endif
