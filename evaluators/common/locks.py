"""Locks between processes of this machine: held by at most one, and let go when its process ends, however it ends."""

import os
import tempfile
from pathlib import Path

import filelock


def lock(name: str) -> filelock.BaseFileLock:
    """The lock of that name, for this user on this machine; `acquire(timeout=0)` raises `filelock.Timeout` if taken."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"nas-locks-{user}"
    folder.mkdir(exist_ok=True)
    return filelock.FileLock(folder / f"{name}.lock")


def exclusive(physical: str) -> filelock.BaseFileLock:
    """Waits until nobody else evaluates on that device of this machine: a latency is measured alone."""
    return lock(f"device-{physical}")
