"""One folder for all temporary files of a driver and its workers, removed by the last of them.

Every process that uses the folder holds a shared lock on it, which the system releases however the process ends. A
process that leaves removes the folder if no other holds it. If all were killed, the next driver removes the folder: it
recognises one by the free lock, never by a process number, which may belong to another process by then.
"""

import atexit
import fcntl
import functools
import itertools
import os
import shutil
import tempfile
import time
from pathlib import Path

from search_spaces.common.errors import InfrastructureFailed

VARIABLE = "NAS_SCRATCH"  # the folder of the driver, in a worker's environment
FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
NUMBERS = itertools.count(1)


class Scratch:
    """A folder of temporary files, held by a shared lock."""

    def __init__(self, path: Path) -> None:
        self.path, self.descriptor = path, os.open(path, FLAGS)
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)  # waits only while another process removes folders

    @property
    def is_there(self) -> bool:
        """Whether it still exists: another process may have removed it just before it was locked."""
        return self.path.is_dir()

    def room(self) -> Path:
        """Creates a subfolder for one worker. Its name is short because a socket's path must be short."""
        path = self.path / str(next(NUMBERS))
        path.mkdir()
        return path

    def leave(self, patience: float = 0.0) -> None:
        """Releases the folder, and removes it if no other process holds it within `patience` seconds."""
        os.close(self.descriptor)
        end = time.monotonic() + patience
        while not _removed(self.path) and time.monotonic() < end:
            time.sleep(0.05)


@functools.cache
def mine() -> Scratch:
    """The folder of this process: its driver's if it is a worker, else a new one.

    Raises:
        InfrastructureFailed: it cannot be created, or the driver has ended.
    """
    shared = os.environ.get(VARIABLE)
    try:
        scratch = Scratch(Path(shared)) if shared else _made()
    except OSError as error:
        raise InfrastructureFailed(
            f"no folder for temporary files could be created: {error.strerror} ('{error.filename}')",
            "make room there, or set TMPDIR to another folder",
        ) from None
    if not scratch.is_there:
        raise InfrastructureFailed(f"the driver of this worker has ended: '{scratch.path}' is gone", "start it again")
    atexit.register(scratch.leave)
    return scratch


def worker_room() -> Path:
    """The subfolder of this worker, which its driver made; a new one where the driver is on another machine.

    It is named to `tempfile`, which would take /tmp itself for a folder that the driver has removed.

    Raises:
        InfrastructureFailed: it cannot be created, or the driver has ended.
    """
    named = Path(os.environ.get("TMPDIR", ""))
    room = named if mine().path in named.parents else mine().room()
    tempfile.tempdir = os.environ["TMPDIR"] = str(room)
    return room


def folder() -> Path:
    """The folder for temporary files of this process: in a worker its own subfolder."""
    shared, here = mine().path, Path(tempfile.gettempdir())
    return here if shared in here.parents else shared


def _made() -> Scratch:
    start = f"nas-tmp-{os.getuid()}-"
    for abandoned in Path(tempfile.gettempdir()).glob(f"{start}????????"):
        _removed(abandoned)
    while True:
        scratch = Scratch(Path(tempfile.mkdtemp(prefix=start)))
        if scratch.is_there:
            return scratch
        os.close(scratch.descriptor)


def _removed(path: Path) -> bool:
    """Removes a folder of this user that nobody holds; returns whether it is gone or not ours. Follows no link."""
    try:
        descriptor = os.open(path, FLAGS)
    except OSError:
        return True
    try:
        if os.fstat(descriptor).st_uid == os.getuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        return True
    except OSError:
        return False  # held, or on a file system without locks
    finally:
        os.close(descriptor)
