"""Answers every open of a file a minute late: a file server that is not well.

usage: answer_late.py FILE SECONDS

The kernel asks the listener of a fanotify permission event before it lets an
open go on (fanotify(7)).
"""

import ctypes
import os
import struct
import sys
import time

FAN_CLASS_CONTENT = 0x04
FAN_MARK_ADD = 0x01
FAN_OPEN_PERM = 0x10000
FAN_ALLOW = 0x01
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
while True:
    # struct fanotify_event_metadata: the descriptor stands at byte 16.
    asked = struct.unpack_from("=i", os.read(listener, 24), 16)[0]
    time.sleep(float(sys.argv[2]))
    try:
        os.write(listener, struct.pack("=iI", asked, FAN_ALLOW))
    except FileNotFoundError:
        pass  # who asked is gone
    os.close(asked)
