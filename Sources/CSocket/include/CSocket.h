// What Swift cannot import of local sockets: the macros that pack descriptors
// into a message (cmsg(3)), and the credentials of a peer (SO_PEERCRED, unix(7)).
#ifndef DATACRUMBS_CSOCKET_H
#define DATACRUMBS_CSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The most descriptors that one message carries: the kernel's own limit (SCM_MAX_FD).
enum { CSOCKET_DESCRIPTORS = 253 };

/// Who is at the other end: the ids of the process that called connect(2), as
/// the kernel noted them then. False where the socket has none.
bool csocket_peer(int socket, int32_t *pid, uint32_t *uid);

/// sendmsg(2) of bytes with descriptors. Returns the bytes sent, or -1.
long csocket_send(int socket, const void *bytes, size_t count, const int *descriptors,
                     size_t descriptor_count);

/// recvmsg(2) of bytes and up to CSOCKET_DESCRIPTORS descriptors, which are
/// close-on-exec and the caller's to close. Returns the bytes received, 0 at
/// the end, or -1. `truncated` is set where the peer sent more descriptors.
long csocket_receive(int socket, void *bytes, size_t count, int *descriptors,
                        size_t *descriptor_count, bool *truncated);

/// A listening stream socket at a path, mode 0666, in the place of one that
/// nobody listens on any more. Returns the descriptor, or -1.
int csocket_listen(const char *path, int backlog);

/// The next client of a listening socket, or -1.
int csocket_accept(int socket);

/// A stream socket connected to a path, or -1.
int csocket_connect(const char *path);

/// A folder, open to be looked at and passed on (O_PATH, which takes no right to read it), or -1.
int csocket_open_folder(const char *path);

#endif
