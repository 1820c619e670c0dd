"""Where an evaluator runs: under this interpreter, under another one of this machine, or on a machine over SSH.

A place is data: a spec names it (`trt:python=/usr/bin/python3`, `coreml@ssh:me@macbook`). All places run the same
worker and speak to it in the same way; they differ in the command that starts it.
"""

import functools
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from evaluators.core import locks, scratch
from search_spaces.common.errors import InfrastructureFailed, UsageError

WORKER = ("-m", "evaluators.workers.worker", "--attached")
PACKAGES = ("search_spaces", "evaluators")  # all that a worker needs of ours, in any Python from 3.10 on
SSH_OPTIONS = {
    "BatchMode": "yes",  # nobody is there to type a password
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",  # a lost connection is known after 15 s
    "ServerAliveCountMax": "3",
    "ControlMaster": "auto",  # one connection carries every worker: each start saves the handshake
    "ControlPersist": "60",
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """An interpreter, and the machine it is on; empty fields mean this process's own."""

    host: str = ""
    python: str = ""

    def __post_init__(self) -> None:
        if self.host.startswith("-") or any(letter.isspace() for letter in self.host):
            raise UsageError(f"'{self.host}' is not an SSH destination", "for example ort@ssh:me@macbook")

    def __str__(self) -> str:
        return " on ".join(filter(None, [self.python, self.host])) or "this machine"

    @property
    def is_here(self) -> bool:
        """Whether it is this very interpreter."""
        return not (self.host or self.python)

    def command(self) -> list[str]:
        """The command line that starts a worker in this place."""
        if not self.host:
            return [self.python or sys.executable, *WORKER]
        client = _client()
        options = [f"-o{name}={value}" for name, value in SSH_OPTIONS.items()]
        # A second command keeps the shell there, so that a worker killed there is told from a lost connection.
        script = f"{_quoted(self.python or 'python3')} {shlex.join(WORKER)}; exit $?"
        remote = f"sh -c {shlex.quote(script)}"
        return [*client, "-T", *options, f"-oControlPath={_sockets()}/%C", "--", self.host, remote]

    def environment(self, room: Path) -> dict[str, str]:
        """The environment in which that command is started, with a folder for its temporary files."""
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


HERE = Place()
SOCKETS = Path("/tmp")  # and no folder that a user names: a socket's path has some hundred letters at most
SSH_EXAMPLE = "for example NAS_SSH='ssh -F my-config'; unset, it is ssh"


def _quoted(path: str) -> str:
    """A path for a shell; its home folder is the one over there."""
    return f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)


def _client() -> list[str]:
    command = os.environ.get("NAS_SSH", "ssh")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"NAS_SSH is no command: {error}, in {command!r}", SSH_EXAMPLE) from None
    if not words:
        raise UsageError("NAS_SSH is set and names no command", SSH_EXAMPLE)
    return words


@functools.cache
def _sockets() -> Path:
    """Where the connections' sockets lie."""
    folder = SOCKETS / f"nas-ssh-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise InfrastructureFailed(f"'{folder}' cannot be made: {error.strerror}", "remove what is there") from None
    if found.st_uid != os.getuid() or folder.is_symlink():
        raise InfrastructureFailed(f"'{folder}' belongs to somebody else", "remove it, or have it removed")
    return folder


@functools.cache
def _links() -> Path:
    """A folder that shows another interpreter these packages, and nothing else that is installed for this one."""
    import importlib

    folder = scratch.mine().room()
    for name in PACKAGES:
        (folder / name).symlink_to(Path(str(importlib.import_module(name).__file__)).parent, target_is_directory=True)
    return folder
