"""The one rule for names of runs. A run's name is also part of file names, and of commands that people type."""

import re
from pathlib import Path

from search_spaces.common.errors import UsageError

LONGEST = 100  # bytes in UTF-8: file systems take 255, and a file's ending and a temporary name come on top
ALLOWED = re.compile(r"[^\W_][\w.~-]*")
RULE = (
    f"a run's name has letters, digits and . _ - ~, begins with a letter or digit, and is at most {LONGEST} bytes long"
)


def is_valid(name: str) -> bool:
    """Whether a run may have this name: no path leads out of a folder by it, and no shell or option parser trips."""
    return bool(ALLOWED.fullmatch(name)) and len(name.encode()) <= LONGEST


def check(name: str) -> str:
    """The name itself.

    Raises:
        UsageError: no run may have it.
    """
    if not is_valid(name):
        shown = repr(name if len(name) <= LONGEST else f"{name[:LONGEST]}...")
        raise UsageError(
            f"{shown} is not a name for a run",
            f"{RULE}\n  a run that got such a name from an earlier version is renamed by: nas merge NEW.db OLD.db",
        )
    return name


def nearest(name: str) -> str:
    """The valid name that is most like this one: `../../x` gives `x`."""
    return name if is_valid(name) else _cut(re.sub(r"[^\w.~-]+", "-", name).strip("._~-"), LONGEST) or "run"


def numbered(name: str, number: int) -> str:
    """The name of the second, third ... run of one name: `nhs-1~2`."""
    ending = f"~{number}"
    return name if number == 1 else _cut(name, LONGEST - len(ending)) + ending


def file_in(folder: Path, name: str, suffix: str = "") -> Path:
    """Where a run's own file or folder stands.

    Raises:
        UsageError: the name would lead elsewhere.
    """
    return folder / f"{check(name)}{suffix}"


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore")
