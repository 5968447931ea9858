"""Drives on real file systems whose power can be cut, all in the same moment. Needs root and loop devices.

What a cut is depends on the class: `ShutdownDrives` shuts the file systems down, `CacheDrives` has devices with a
volatile cache below them (volatile_device.cpp).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

MIB = 1 << 20
STATE_MEBIBYTES = 320  # XFS is not made smaller than 300
MKFS = {"ext4": ["mkfs.ext4", "-q", "-F", "-E", "nodiscard"], "xfs": ["mkfs.xfs", "-q", "-f", "-K"]}
GOING_DOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN: _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2
MS_NOATIME, MS_REC, MS_PRIVATE = 1 << 10, 1 << 14, 1 << 18
CLONE_NEWNS = 0x20000
SYNC_FILE_RANGE_WRITE = 2
PATIENCE = 60  # seconds until the kernel has let go of what a killed process had
_libc = ctypes.CDLL(None, use_errno=True)
_libc.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]


def missing(kind: str, cache: bool) -> str:
    """Empty, or why there can be no such drives here; `cache`: with volatile caches."""
    if os.geteuid() != 0:
        return "only root mounts file systems"
    for tool in (MKFS[kind][0], "losetup"):
        if not shutil.which(tool):
            return f"no {tool}"
    if cache and not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "no /dev/fuse"
    try:
        with ShutdownDrives(0, 0, kind, None):
            return ""
    except subprocess.CalledProcessError as error:
        return f"{error.cmd[0]}: {error.stderr.decode(errors='replace').strip()}"
    except OSError as error:
        return f"no loop mounts of {kind}: {error}"


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _own_mounts() -> None:
    """Mounts of this process and its children are theirs alone from now on. A namespace that somebody else makes
    meanwhile would hold a copy of them, and a file system that was shut down would live on in it."""
    _checked(_libc.unshare(CLONE_NEWNS), "unshare")
    _checked(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount --make-rprivate /")


def _unmount(target: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while _libc.umount2(str(target).encode(), 0):
        if ctypes.get_errno() != errno.EBUSY or time.monotonic() > deadline:
            _checked(1, f"umount {target}")
        time.sleep(0.005)


def _together(calls: list[Callable[[], object]]) -> None:
    """Each in a thread of its own, released in the same moment."""
    if not calls:
        return
    barrier = threading.Barrier(len(calls))
    problems: list[OSError] = []

    def one(call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            call()
        except OSError as error:
            problems.append(error)

    threads = [threading.Thread(target=one, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


class Drives:
    """`count` drives and one more file system for the state directory, which loses its power with them.

    `mount` and `unmount` may leave drives out; `close` takes everything away again, whatever has happened.
    """

    sector = 512

    def __init__(self, count: int, mebibytes: int, kind: str, scratch: Path | None) -> None:
        self._kind = kind
        self._sizes = [mebibytes << 20] * count + [STATE_MEBIBYTES << 20]
        self.root = Path(tempfile.mkdtemp(prefix="outcrop-power-", dir=scratch))
        self._images = [self.root / f"image{i}" for i in range(count + 1)]
        self._mounts = [self.root / f"mount{i}" for i in range(count + 1)]
        self._loops: list[str] = []
        self._mounted: set[int] = set()
        self.directories = [m / "drive" for m in self._mounts[:-1]]
        self.state = self._mounts[-1] / "state"

    def _make_images(self) -> None:
        for image, size in zip(self._images, self._sizes, strict=True):
            with image.open("wb") as file:
                file.truncate(size)

    def __enter__(self) -> Self:
        try:
            _own_mounts()
            self._make_images()
            for image in self._images:
                done = subprocess.run(["losetup", "--find", "--show", "--sector-size", str(self.sector), str(image)],
                                      check=True, capture_output=True)
                self._loops.append(done.stdout.decode().strip())
                subprocess.run([*MKFS[self._kind], self._loops[-1]], check=True, capture_output=True)
            for mount in self._mounts:
                mount.mkdir()
            self.mount()
            for directory in [*self.directories, self.state]:
                directory.mkdir(mode=0o700)
            self.state.parent.chmod(0o700)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        self.close()

    def mount(self, without: Collection[int] = ()) -> None:
        """Mounts what is not mounted, except the drives `without`."""
        _together([partial(self._mount, i) for i in set(range(len(self._mounts))) - self._mounted - set(without)])

    def _mount(self, i: int) -> None:
        loop, target = self._loops[i], self._mounts[i]
        _checked(_libc.mount(loop.encode(), str(target).encode(), self._kind.encode(), MS_NOATIME, None),
                 f"mount {loop} as {self._kind}")
        self._mounted.add(i)

    def unmount(self) -> None:
        """Unmounts all."""
        _together([partial(self._unmount, i) for i in self._mounted])

    def _unmount(self, i: int) -> None:
        _unmount(self._mounts[i])
        self._mounted.discard(i)

    def cut(self, seed: int) -> None:
        """Power off, for all of them; they must be unmounted and mounted again."""
        raise NotImplementedError

    def close(self) -> None:
        """Takes everything away."""
        with contextlib.suppress(OSError):
            Drives.unmount(self)
        for i in self._mounted:  # what somebody holds goes when they let go
            _libc.umount2(str(self._mounts[i]).encode(), 2)
        while self._loops:
            subprocess.run(["losetup", "--detach", self._loops.pop()], check=False, capture_output=True)
        self._close_images()
        shutil.rmtree(self.root, ignore_errors=True)

    def _close_images(self) -> None:
        """Ends what is behind the loop devices."""


class ShutdownDrives(Drives):
    """The file systems are shut down without a flush of their logs: what was not made durable in them is gone. What
    they had written to their devices stays, flushed or not."""

    def cut(self, seed: int) -> None:
        handles = [os.open(self._mounts[i], os.O_RDONLY | os.O_DIRECTORY) for i in sorted(self._mounted)]
        try:
            flags = struct.pack("I", NO_LOG_FLUSH)
            _together([partial(fcntl.ioctl, fd, GOING_DOWN, flags) for fd in handles])
        finally:
            for fd in handles:
                os.close(fd)


class CacheDrives(Drives):
    """Devices that keep what they were not told to flush in a volatile cache: at a cut each of its sectors has any of
    the contents that it had since the last flush. Sectors are 4 KiB for XFS, which does not recover from a block of
    its metadata that is written by half, and 512 bytes for ext4, whose journal has all of it."""

    def __init__(self, device: Path, count: int, mebibytes: int, kind: str, scratch: Path | None) -> None:
        super().__init__(count, mebibytes, kind, scratch)
        self._device = device
        self.sector = 4096 if kind == "xfs" else 512
        self._files = self.root / "devices"
        self._process: subprocess.Popen[str] | None = None
        self.writes = self.kept = self.dropped = 0

    def _make_images(self) -> None:
        super()._make_images()
        self._files.mkdir()
        self._process = subprocess.Popen(
            [str(self._device), str(self.sector), str(self._files), *map(str, self._images)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1, start_new_session=True)
        self._answer()
        self._images = [self._files / str(i) for i in range(len(self._images))]

    def _answer(self) -> list[str]:
        if self._process is None or self._process.stdout is None:
            raise OSError("the device is not there")
        line = self._process.stdout.readline().split()
        if not line:
            raise OSError(f"the device ended with {self._process.wait(10)}")
        return line

    def _tell(self, command: str) -> list[str]:
        if self._process is None or self._process.stdin is None:
            raise OSError("the device is not there")
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._answer()

    def cut(self, seed: int) -> None:
        _, writes, kept, dropped = self._tell(f"cut {seed}")
        self.writes += int(writes)
        self.kept += int(kept)
        self.dropped += int(dropped)

    def start_writing(self) -> None:
        """What RocksDB has written and not synced goes on its way to the devices, without a flush."""
        for directory in self.directories:
            for path in (directory / "meta").rglob("*"):
                with contextlib.suppress(OSError):  # RocksDB removes files meanwhile
                    fd = os.open(path, os.O_RDONLY)
                    _libc.sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE)
                    os.close(fd)

    def unmount(self) -> None:
        super().unmount()
        self._tell("power")

    def _close_images(self) -> None:
        if self._process is None:
            return
        for _ in range(PATIENCE * 20):  # a loop device lets go of its file when its last user has
            if not _libc.umount2(str(self._files).encode(), 0):
                break
            time.sleep(0.05)
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
