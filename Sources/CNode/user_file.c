#include "user_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PIPE = 3, GROUPS_MAX = 65536, ENTRY_MAX = 1 << 20 };

static _Noreturn void finish(struct cuserfile_header *header, const char *content) {
    const char *parts[] = {(const char *)header, content};
    const size_t sizes[] = {sizeof *header, header->size};
    for (int part = 0; part < 2; part++) {
        for (size_t written = 0; written < sizes[part];) {
            ssize_t count = write(PIPE, parts[part] + written, sizes[part] - written);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) _exit(1);
            written += (size_t)count;
        }
    }
    _exit(0);
}

static _Noreturn void fail(struct cuserfile_header *header, enum cuserfile_stage stage, int error) {
    header->stage = stage;
    header->error = error;
    header->size = 0;
    finish(header, NULL);
}

/// Nothing of the parent's stays open but the pipe.
static void leave_the_parent(int pipe_end) {
    if (pipe_end != PIPE) dup2(pipe_end, PIPE);
    syscall(SYS_close_range, PIPE + 1, ~0U, 0);
    int null = open("/dev/null", O_RDWR);
    for (int standard = 0; standard < 3; standard++) {
        if (null >= 0 && null != standard) dup2(null, standard);
    }
    if (null > PIPE) close(null);
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGALRM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

static void become(uid_t uid, struct cuserfile_header *header) {
    struct passwd entry, *found = NULL;
    char *text = malloc(ENTRY_MAX);
    gid_t *groups = malloc(GROUPS_MAX * sizeof *groups);
    int count = GROUPS_MAX;
    if (text == NULL || groups == NULL) fail(header, CUSERFILE_LOOKUP, ENOMEM);

    int error = getpwuid_r(uid, &entry, text, ENTRY_MAX, &found);
    // POSIX lets "not found" be an error number too.
    if (found == NULL && (error == 0 || error == ENOENT || error == ESRCH)) {
        fail(header, CUSERFILE_NO_USER, 0);
    }
    if (found == NULL) fail(header, CUSERFILE_LOOKUP, error);
    if (strlen(entry.pw_name) >= sizeof header->user
        || strlen(entry.pw_dir) >= sizeof header->home) {
        fail(header, CUSERFILE_LOOKUP, ENAMETOOLONG);
    }
    strcpy(header->user, entry.pw_name);
    strcpy(header->home, entry.pw_dir);
    header->gid = entry.pw_gid;

    if (getgrouplist(entry.pw_name, entry.pw_gid, groups, &count) < 0) {
        fail(header, CUSERFILE_GROUPS, E2BIG);
    }
    // Without root there is one user whose rights can be had: one's own.
    if (geteuid() == 0) {
        if (setgroups((size_t)count, groups) != 0
            || setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid) != 0
            || setresuid(uid, uid, uid) != 0) {
            fail(header, CUSERFILE_CREDENTIALS, errno);
        }
    } else if (geteuid() != uid) {
        fail(header, CUSERFILE_CREDENTIALS, EPERM);
    }
    free(groups);
    free(text);
}

static _Noreturn void run(uid_t uid, const char *path, size_t limit) {
    struct cuserfile_header header = {0};
    become(uid, &header);
    // After the change of rights, which clears it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (path == NULL) finish(&header, NULL);

    // Looked at first: this process may be outside of the cgroup that keeps the job's own from
    // opening devices.
    char seen_path[32];
    struct stat status;
    int seen = open(path, O_PATH | O_CLOEXEC);
    if (seen < 0 || fstat(seen, &status) != 0) fail(&header, CUSERFILE_OPEN, errno);
    if (!S_ISREG(status.st_mode)) fail(&header, CUSERFILE_NOT_REGULAR, 0);
    snprintf(seen_path, sizeof seen_path, "/proc/self/fd/%d", seen);
    int file = open(seen_path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0) fail(&header, CUSERFILE_OPEN, errno);
    if (status.st_size < 0 || (uint64_t)status.st_size > limit) {
        fail(&header, CUSERFILE_TOO_LARGE, 0);
    }

    // One byte more than allowed tells a file that grows meanwhile.
    char *content = malloc(limit + 1);
    if (content == NULL) fail(&header, CUSERFILE_READ, ENOMEM);
    size_t size = 0;
    while (size <= limit) {
        ssize_t count = read(file, content + size, limit + 1 - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(&header, CUSERFILE_READ, errno);
        if (count == 0) break;
        size += (size_t)count;
    }
    if (size > limit) fail(&header, CUSERFILE_TOO_LARGE, 0);
    header.size = size;
    finish(&header, content);
}

int cuserfile_start(uint32_t uid, const char *path, size_t limit, int *output) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        leave_the_parent(ends[1]);
        run(uid, path, limit);
    }
    int error = errno;
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        errno = error;
        return -1;
    }
    *output = ends[0];
    return child;
}
