"""Locks between all processes of a machine: one process holds a lock, and the system releases it however that one ends.

A lock is a file that everybody may open, in a folder shared by all users, because two users who measure on one
processor disturb each other as much as two programs of one user. Its holder writes into it who it is. If another user
holds a lock for ever or replaces its file, `NAS_LOCKS` names another folder.
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
from search_spaces.common.texts import without_passwords

VARIABLE = "NAS_LOCKS"  # overrides the folder of the locks
ON_BEHALF = "NAS_ON_BEHALF_OF"  # the process for which a worker holds its locks
SHARED = (Path("/run/lock"), Path("/tmp"))
POLL_SECONDS, SAY_SECONDS, ATTEMPTS = 0.1, 30.0, 100
LONGEST = 500  # bytes of a holder's description
# Without O_CREAT: where the kernel protects shared folders (fs.protected_regular), it refuses other users' files.
READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
Say = Callable[[str], object]


class Taken(NegativeAnswer):
    """Another process holds the lock: `holder` says which one and since when."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"held by {holder}")
        self.holder = holder


def speak(message: str) -> None:
    """Prints a message on standard error: the default of everything that reports while it waits."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201, the program passes its own function


def folder() -> Path:
    """The folder of the locks: the same for every user, unless `NAS_LOCKS` overrides it."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    shared = stat.S_IWOTH | stat.S_ISVTX  # everybody may write, and remove only their own files
    for path in SHARED:
        if path.is_dir() and path.stat().st_mode & shared == shared:
            return path
    return Path(tempfile.gettempdir())


class Lock:
    """A lock on a file. It is not reentrant: a process that takes it twice waits for itself."""

    def __init__(self, path: Path) -> None:
        self.path, self.descriptor = path, -1

    def take(self) -> bool:
        """Takes the lock if nobody holds it; returns whether it did.

        Raises:
            InfrastructureFailed: something other than a lock is at its path, or it may not be opened.
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
            os.close(descriptor)  # its last holder has just removed it
        self.descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{identity()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}".encode()[:LONGEST], 0)
        return True

    def take_within(self, seconds: float) -> bool:
        """Takes the lock if it becomes free in time; returns whether it did."""
        end = time.monotonic() + seconds
        while not (taken := self.take()) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
        return taken

    def wait(self, say: Say = speak) -> None:
        """Takes the lock as soon as it is free; reports its holder at once and then every 30 s."""
        start, said = time.monotonic(), 0
        while not self.take():
            waited = time.monotonic() - start
            if waited >= said * SAY_SECONDS:
                said += 1
                still = f" for {waited:.0f} s" if waited >= SAY_SECONDS else ""
                say(f"waiting{still}: {self.path} is held by {self.holder()}")
            time.sleep(POLL_SECONDS)

    def holder(self) -> str:
        """The holder's description of itself, made printable: any process can write to the file."""
        description = ""
        with contextlib.suppress(OSError), os.fdopen(os.open(self.path, READING), "rb") as file:
            description = file.read(LONGEST).decode(errors="replace")
        return "".join(letter for letter in description if letter.isprintable()) or "a process that does not say which"

    def release(self) -> None:
        """Releases the lock and removes its file, if that is allowed."""
        if _is_at(self.descriptor, self.path):
            with contextlib.suppress(OSError):  # another user's file stays and serves the next holder
                self.path.unlink()
        os.close(self.descriptor)
        self.descriptor = -1

    @contextmanager
    def held(self, say: Say = speak) -> Iterator[None]:
        """Waits for the lock and holds it inside a `with` statement."""
        self.wait(say)
        try:
            yield
        finally:
            self.release()


def lock(name: str) -> Lock:
    """The lock of a name on this machine."""
    return Lock(folder() / f"nas-{name}.lock")


def device(physical: str) -> Lock:
    """The lock of a device of this machine."""
    return lock(f"device-{physical}")


@contextmanager
def exclusive(physical: str, say: Say = speak) -> Iterator[None]:
    """Holds a device of this machine exclusively, after waiting for it: a latency is measured alone."""
    with device(physical).held(say):
        yield


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Holds the lock of a name, without waiting for it.

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
    """This process for people: number, user and command; in a worker, the process that it works for."""
    if driver := os.environ.get(ON_BEHALF):
        return driver
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"user {os.getuid()}"
    client = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    where, command = f" from {client}" if client else "", without_passwords(shlex.join(sys.orig_argv))
    return f"process {os.getpid()} of {user}{where} ({command:.300})"


def _opened(path: Path) -> int:
    """Opens the lock's file, or creates it. Follows no link and truncates nothing: any user may have put it there."""
    refused = OSError(errno.EAGAIN, "it comes and goes")
    for _ in range(ATTEMPTS):
        try:
            descriptor = os.open(path, FLAGS) if path.is_symlink() or path.exists() else _made(path)
        except (FileNotFoundError, FileExistsError):  # its holder just removed it, or another process just created it
            if not path.parent.is_dir():
                raise _refused(path, OSError(errno.ENOENT, f"there is no folder '{path.parent}'")) from None
            continue
        except PermissionError as error:  # perhaps just created and not yet open to everybody
            refused = error
            time.sleep(POLL_SECONDS / 10)
            continue
        except OSError as error:
            raise _refused(path, error) from None
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_nlink <= 1:  # a second link could be any file of its owner
            return descriptor
        os.close(descriptor)
        raise _refused(path, OSError(errno.EEXIST, "something else is in its place"))
    raise _refused(path, refused)


def _made(path: Path) -> int:
    descriptor = os.open(path, FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
    os.fchmod(descriptor, 0o666)  # independent of the umask: every user may hold it
    return descriptor


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _refused(path: Path, error: OSError) -> InfrastructureFailed:
    return InfrastructureFailed(
        f"the lock '{path}' cannot be taken: {error.strerror}",
        f"have it removed, or set {VARIABLE} to another folder, the same for everybody who measures here",
    )
