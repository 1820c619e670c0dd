"""A user's own plug-ins: files that stand for names on the command line, and the digests that a run keeps of them."""

import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import evaluators
from search_spaces.common import plugins
from search_spaces.common.errors import StoreError, UsageError

FILE = re.compile(r"(?P<path>[^:]+?\.py)(?P<rest>[:<>=@].*)?", re.DOTALL)
Record = dict[str, dict[str, str]]  # by the name of a plug-in: the path of its file, and the digest of its source


def by_name(text: str) -> str:
    """A name, spec or limit with the path of a plug-in file, if it begins with one, replaced by the plug-in's name.

    From then on, this process and every process that it starts know the plug-in.

    Raises:
        UsageError: there is no such file, or it bears the name of another plug-in.
    """
    match = FILE.fullmatch(text)
    return add(Path(match["path"])) + (match["rest"] or "") if match else text


def add(path: Path) -> str:
    """Adds a plug-in file; returns the plug-in's name.

    Raises:
        UsageError: there is no such file, or it bears the name of another plug-in.
    """
    packages = ("search_spaces", *(f"evaluators.{family}" for family in evaluators.FAMILIES))
    if any(path.stem in plugins.names(package) for package in packages):
        raise UsageError(f"'{path}' bears the name of one of our own plug-ins", "rename the file")
    return plugins.add(path)


def record(names: Iterable[str]) -> Record:
    """The paths and digests of those of the named plug-ins that are a user's own, for a run's configuration."""
    own = _known()
    return {
        name: {"path": str(own[name].__file__), "digest": plugins.digest(own[name])} for name in names if name in own
    }


def restore(run: str, stored: object) -> None:
    """Makes the plug-ins of a stored run known, from their stored paths where the command line names no other.

    Raises:
        UsageError: a file is missing, or it has changed since the run was begun.
        StoreError: the record is damaged.
    """
    for name, entry in _checked(stored).items():
        if name not in _known():
            _add_again(run, name, Path(entry["path"]))
        module = _known().get(name)
        digest = plugins.digest(module) if module else "none"
        if digest != entry["digest"]:
            where = module.__file__ if module else entry["path"]
            raise UsageError(
                f"the plug-in '{name}' of run '{run}' has changed: '{where}' has the digest {digest}, "
                f"the run was begun with {entry['digest']}",
                "restore the file as it was, or start a new run with the changed one: without --name, or with another",
            )


def _add_again(run: str, name: str, path: Path) -> None:
    try:
        add(path)
    except UsageError as error:
        raise UsageError(
            f"the plug-in '{name}' of run '{run}' is missing: {error.message}",
            f"put it back, or give its new place where you named it first, for example --space path/to/{name}.py",
        ) from None


def _known() -> dict[str, ModuleType]:
    return plugins.own(plugins.SPACES) | plugins.own(plugins.EVALUATORS)


def _checked(stored: Any) -> Record:
    entries = stored.values() if isinstance(stored, dict) else [None]
    for entry in entries:
        if not (isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in ("path", "digest"))):
            raise StoreError(
                "the stored configuration of the run is damaged: its 'plugins' is no record of files",
                "restore the database from a copy, or start a new run without --name",
            )
    return dict(stored)
