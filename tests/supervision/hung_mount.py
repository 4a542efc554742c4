"""Run as a program: `hung_mount.py DEVICE DIRECTORY COMMAND…` mounts a file system that answers nothing, and becomes
the command; the mount hangs until its child is killed.

It speaks as much of the protocol of FUSE as the kernel wants to hear before it calls a mount a mount. To the
collectors it is a file system on a disk, as those of ntfs-3g are, whose disk does not answer any more.
"""

import ctypes
import os
import signal
import struct
import sys

INIT = 26
REQUEST = struct.Struct("=IIQQIIII")
REPLY = struct.Struct("=IiQ")
# Version 7.31, and otherwise the smallest of everything.
INIT_ANSWER = struct.pack("=IIIIHHIIHHI", 7, 31, 0, 0, 1, 1, 4096, 1, 1, 0, 0) + bytes(28)


def main(device: str, directory: str, *command: str) -> None:
    """Mount, and leave a child behind that is silent."""
    channel = mounted(device, directory)
    if os.fork():
        os.execvp(command[0], command)
    # The mount ends with the last process that holds its channel.
    assert channel
    signal.pause()


def mounted(device: str, directory: str) -> int:
    """Mount, answer the first request, and return the channel of all others."""
    channel = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={channel},rootmode=40000,user_id=0,group_id=0,allow_other,blksize=4096"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(device.encode(), directory.encode(), b"fuseblk", 0, options.encode()):
        sys.exit(os.strerror(ctypes.get_errno()))
    _length, opcode, unique, *_rest = REQUEST.unpack_from(os.read(channel, 1 << 17))
    assert opcode == INIT
    os.write(channel, REPLY.pack(REPLY.size + len(INIT_ANSWER), 0, unique) + INIT_ANSWER)
    return channel


if __name__ == "__main__":
    main(*sys.argv[1:])
