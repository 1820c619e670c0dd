"""Where an evaluator runs: under this interpreter, another one of this machine, over SSH, or in a lane of a queue.

A location is data: a spec names it (`trt:python=/usr/bin/python3`, `coreml@ssh:me@macbook`, `trt@lane:t4`). The worker
and its protocol are the same at every location; only how a worker is reached differs.
"""

import functools
import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from evaluators.core import locks, scratch
from search_spaces.common.errors import InfrastructureFailed, UsageError

WORKER = ("-m", "evaluators.workers.worker", "--attached")
PACKAGES = ("search_spaces", "evaluators")  # all of our code that a worker needs, under Python 3.10 or later
LANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")  # the name of a lane
SSH_OPTIONS = {
    "BatchMode": "yes",  # nobody can type a password
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",  # with the next line: a lost connection is detected after 15 s
    "ServerAliveCountMax": "3",
    "ControlMaster": "auto",  # one connection carries all workers, which saves a handshake for each
    "ControlPersist": "60",
}


@dataclass(frozen=True, kw_only=True)
class Location:
    """An interpreter and its machine; empty fields mean those of this process."""

    host: str = ""
    python: str = ""
    lane: str = ""  # of the queue in a team's database

    def __post_init__(self) -> None:
        if self.host.startswith("-") or any(letter.isspace() for letter in self.host):
            raise UsageError(f"'{self.host}' is not an SSH destination", "for example ort@ssh:me@macbook")
        if self.lane and not LANE.fullmatch(self.lane):
            raise UsageError(
                f"'{self.lane}' is no name for a lane", "letters, digits and . _ -, for example trt@lane:t4"
            )

    def __str__(self) -> str:
        if self.lane:
            return f"lane {self.lane}"
        return " on ".join(filter(None, [self.python, self.host])) or "this machine"

    @property
    def is_here(self) -> bool:
        """Whether it is the interpreter of this process."""
        return not (self.host or self.python or self.lane)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it may be another machine."""
        return bool(self.host or self.lane)

    def command(self) -> list[str]:
        """The command that starts a worker at this location."""
        if not self.host:
            return [self.python or sys.executable, *WORKER]
        client = _client()
        options = [f"-o{name}={value}" for name, value in SSH_OPTIONS.items()]
        # The second command keeps the remote shell: its exit code tells a killed worker from a lost connection.
        script = f"{_quoted(self.python or 'python3')} {shlex.join(WORKER)}; exit $?"
        remote = f"sh -c {shlex.quote(script)}"
        return [*client, "-T", *options, f"-oControlPath={_sockets()}/%C", "--", self.host, remote]

    def environment(self, room: Path) -> dict[str, str]:
        """The environment variables for that command; `room` is a folder for its temporary files."""
        if self.host:
            return dict(os.environ)
        paths = [path for path in sys.path if path] if not self.python else [str(_links())]
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "TMPDIR": str(room),
            scratch.VARIABLE: str(room.parent),
            locks.ON_BEHALF: locks.identity(),
        }


HERE = Location()
SOCKETS = Path("/tmp")  # not a folder of the user's choice: the path of a socket has about a hundred characters at most
SSH_EXAMPLE = "for example NAS_SSH='ssh -F my-config'; unset, it is ssh"


def _quoted(path: str) -> str:
    """A path for the remote shell; `~` is the home folder there."""
    return f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)


def _client() -> list[str]:
    command = os.environ.get("NAS_SSH", "ssh")
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"NAS_SSH is not a command: {error}, in {command!r}", SSH_EXAMPLE) from None
    if not arguments:
        raise UsageError("NAS_SSH is set and names no command", SSH_EXAMPLE)
    return arguments


@functools.cache
def _sockets() -> Path:
    """The folder of the connections' sockets, which only this user can open."""
    folder = SOCKETS / f"nas-ssh-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise InfrastructureFailed(f"'{folder}' cannot be created: {error.strerror}", "remove what is there") from None
    if status.st_uid != os.getuid() or folder.is_symlink():
        raise InfrastructureFailed(f"'{folder}' belongs to another user", "remove it, or ask for its removal")
    return folder


@functools.cache
def _links() -> Path:
    """A folder with links to our packages for another interpreter, without the other packages of this one."""
    import importlib

    folder = scratch.mine().room()
    for name in PACKAGES:
        (folder / name).symlink_to(Path(str(importlib.import_module(name).__file__)).parent, target_is_directory=True)
    return folder
