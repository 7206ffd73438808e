"""Holds up every open of a file until it is killed: a file server that is gone.

The kernel asks the listener of a fanotify permission event before it lets an
open go on (fanotify(7)); this one never answers.
"""

import ctypes
import os
import signal
import sys

FAN_CLASS_CONTENT = 0x04
FAN_MARK_ADD = 0x01
FAN_OPEN_PERM = 0x10000
AT_FDCWD = -100

libc = ctypes.CDLL(None, use_errno=True)
listener = libc.fanotify_init(FAN_CLASS_CONTENT, os.O_RDONLY)
if listener < 0:
    sys.exit(f"fanotify_init: {os.strerror(ctypes.get_errno())}")
path = sys.argv[1].encode()
marked = libc.fanotify_mark(
    listener, FAN_MARK_ADD, ctypes.c_uint64(FAN_OPEN_PERM), AT_FDCWD, path
)
if marked < 0:
    sys.exit(f"fanotify_mark: {os.strerror(ctypes.get_errno())}")
print("listening", flush=True)
signal.pause()
