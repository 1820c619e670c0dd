"""Locks between all processes of this machine: held by one at a time, and released however its process ends.

A lock is a file that everybody may open, in a folder that every user has in common: two users who time on one processor
disturb each other as much as two programs of one user do. Whoever holds it writes into it who it is. Somebody may hold
a lock for ever, or put something else in its place; `NAS_LOCKS` then names another folder.
"""

import contextlib
import errno
import fcntl
import os
import pwd
import shlex
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from search_spaces.common.errors import InfrastructureFailed, NegativeAnswer

VARIABLE = "NAS_LOCKS"  # the folder of the locks, where it is to be another one
ON_BEHALF = "NAS_ON_BEHALF_OF"  # for whom a worker holds its locks
SHARED = (Path("/run/lock"), Path("/tmp"))
POLL_SECONDS, SAY_SECONDS, ATTEMPTS = 0.1, 30.0, 100
LONGEST = 500  # bytes of what a holder says of itself
# Opened and never made: where the kernel protects shared folders (fs.protected_regular), O_CREAT refuses others' files.
READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
Say = Callable[[str], object]


class Taken(NegativeAnswer):
    """Another process holds the lock: `holder` says which one, and since when."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"held by {holder}")
        self.holder = holder


def speak(words: str) -> None:
    """Says on standard error what is waited for: what waits and was not told where to speak is not silent."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201, the program passes its own way of speaking


def folder() -> Path:
    """The folder of the locks: the same for every user, whatever their environment."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    shared = stat.S_IWOTH | stat.S_ISVTX  # everybody may write, and remove only what is theirs
    for path in SHARED:
        if path.is_dir() and path.stat().st_mode & shared == shared:
            return path
    return Path(tempfile.gettempdir())


class Lock:
    """A lock by its file. Not reentrant: who takes it twice waits for itself."""

    def __init__(self, path: Path) -> None:
        self.path, self.descriptor = path, -1

    def take(self) -> bool:
        """Takes the lock if nobody holds it.

        Raises:
            InfrastructureFailed: something else is in its place, or it may not be opened.
        """
        while True:
            descriptor = _opened(self.path)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            if _is_at(descriptor, self.path):
                break
            os.close(descriptor)  # its last holder has removed it meanwhile
        self.descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{identity()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}".encode()[:LONGEST], 0)
        return True

    def take_within(self, seconds: float) -> bool:
        """Takes the lock if it becomes free within that time."""
        end = time.monotonic() + seconds
        while not (taken := self.take()) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
        return taken

    def wait(self, say: Say = speak) -> None:
        """Takes the lock, and waits for it as long as somebody holds it; says who, at once and every 30 s."""
        start, said = time.monotonic(), 0
        while not self.take():
            waited = time.monotonic() - start
            if waited >= said * SAY_SECONDS:
                said += 1
                still = f" for {waited:.0f} s" if waited >= SAY_SECONDS else ""
                say(f"waiting{still}: {self.path} is held by {self.holder()}")
            time.sleep(POLL_SECONDS)

    def holder(self) -> str:
        """What the process that holds the lock says of itself; printable, whoever wrote it."""
        words = ""
        with contextlib.suppress(OSError), os.fdopen(os.open(self.path, READING), "rb") as file:
            words = file.read(LONGEST).decode(errors="replace")
        return "".join(letter for letter in words if letter.isprintable()) or "a process that has not said which"

    def release(self) -> None:
        """Gives the lock back, and leaves no file where it may be removed."""
        if _is_at(self.descriptor, self.path):
            with contextlib.suppress(OSError):  # another user's: it stays, and serves the next
                self.path.unlink()
        os.close(self.descriptor)
        self.descriptor = -1

    @contextmanager
    def held(self, say: Say = speak) -> Iterator[None]:
        """Waits for the lock, and holds it."""
        self.wait(say)
        try:
            yield
        finally:
            self.release()


def lock(name: str) -> Lock:
    """The lock of that name, which nobody holds twice on this machine."""
    return Lock(folder() / f"nas-{name}.lock")


def device(physical: str) -> Lock:
    """The lock of a device of this machine."""
    return lock(f"device-{physical}")


@contextmanager
def exclusive(physical: str, say: Say = speak) -> Iterator[None]:
    """Waits until nobody else evaluates on that device of this machine: a latency is measured alone."""
    with device(physical).held(say):
        yield


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Holds the lock of that name.

    Raises:
        Taken: another process holds it.
    """
    held = lock(name)
    if not held.take():
        raise Taken(held.holder())
    try:
        yield
    finally:
        held.release()


def identity() -> str:
    """This process as people know it: number, user and command; or that of the driver for which it works."""
    if driver := os.environ.get(ON_BEHALF):
        return driver
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"user {os.getuid()}"
    asked = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return f"process {os.getpid()} of {user}{f' from {asked}' if asked else ''} ({shlex.join(sys.orig_argv):.300})"


def _opened(path: Path) -> int:
    """The lock's file, made where there is none. Follows no link and truncates nothing: anybody could have put it."""
    refused = OSError(errno.EAGAIN, "it comes and goes")
    for _ in range(ATTEMPTS):
        try:
            descriptor = os.open(path, FLAGS) if path.is_symlink() or path.exists() else _made(path)
        except (FileNotFoundError, FileExistsError):  # its holder removed it, or another process made it
            if not path.parent.is_dir():
                raise _refused(path, OSError(errno.ENOENT, f"there is no folder '{path.parent}'")) from None
            continue
        except PermissionError as error:  # perhaps made this instant, and not yet opened to everybody
            refused = error
            time.sleep(POLL_SECONDS / 10)
            continue
        except OSError as error:
            raise _refused(path, error) from None
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:  # a second name could be that of any file
            return descriptor
        os.close(descriptor)
        raise _refused(path, OSError(errno.EEXIST, "something else is in its place"))
    raise _refused(path, refused)


def _made(path: Path) -> int:
    descriptor = os.open(path, FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
    os.fchmod(descriptor, 0o666)  # whatever the umask: every user may hold it
    return descriptor


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _refused(path: Path, error: OSError) -> InfrastructureFailed:
    return InfrastructureFailed(
        f"the lock '{path}' cannot be had: {error.strerror}",
        f"have it removed, or name another folder for locks, the same for everybody who measures here: {VARIABLE}=DIR",
    )
