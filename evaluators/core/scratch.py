"""One folder for all temporary files of a driver and its workers, removed by whoever lives longest.

Everybody who uses it holds a shared lock on the folder itself, which the system releases however a process ends. Who
leaves removes the folder if nobody else holds it. What a kill of all of them left behind, the next one who makes a
folder removes: never by the number of a process, which another may have by then, but only what nobody holds.
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

VARIABLE = "NAS_SCRATCH"  # tells a worker the folder of its driver
FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
NUMBERS = itertools.count(1)


class Scratch:
    """A held folder."""

    def __init__(self, path: Path) -> None:
        self.path, self.descriptor = path, os.open(path, FLAGS)
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)  # waits for one who sweeps, and no longer

    @property
    def is_there(self) -> bool:
        """Whether nobody has removed it in the instant before it was held."""
        return self.path.is_dir()

    def room(self) -> Path:
        """A new folder inside, for one worker; its name is short because a socket's path has some hundred letters."""
        path = self.path / str(next(NUMBERS))
        path.mkdir()
        return path

    def leave(self, patience: float = 0.0) -> None:
        """Lets go of the folder, and removes it if nobody else holds it, or holds it no longer after some seconds."""
        os.close(self.descriptor)
        end = time.monotonic() + patience
        while not _removed(self.path) and time.monotonic() < end:
            time.sleep(0.05)


@functools.cache
def mine() -> Scratch:
    """The folder of this process: its driver's where it is a worker, else its own, made now.

    Raises:
        InfrastructureFailed: there is no room for it, or its driver has ended.
    """
    shared = os.environ.get(VARIABLE)
    try:
        scratch = Scratch(Path(shared)) if shared else _made()
    except OSError as error:
        raise InfrastructureFailed(
            f"no folder for temporary files could be made: {error.strerror} ('{error.filename}')",
            "make room there, or name another folder with TMPDIR",
        ) from None
    atexit.register(scratch.leave)
    return scratch


def folder() -> Path:
    """Where this process puts its temporary files: a worker in its own room."""
    shared, here = mine().path, Path(tempfile.gettempdir())
    return here if shared in here.parents else shared


def _made() -> Scratch:
    start = f"nas-tmp-{os.getuid()}-"
    for each in Path(tempfile.gettempdir()).glob(f"{start}????????"):
        _removed(each)
    while True:
        scratch = Scratch(Path(tempfile.mkdtemp(prefix=start)))
        if scratch.is_there:
            return scratch
        os.close(scratch.descriptor)


def _removed(path: Path) -> bool:
    """Removes a folder of ours that nobody holds; what is somebody else's, or a link, is left alone."""
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
