"""Finds plug-ins: modules directly in one of our packages, a user's own files, and entry points.

A plug-in has the name of its file. No list is kept: adding a file to a package adds a plug-in. The environment variable
NAS_PLUGINS names a user's own files, so that child processes know them too; installed packages announce theirs as entry
points of the group `nas.search_spaces` or `nas.evaluators`.
"""

import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import os
import pkgutil
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from search_spaces.common.errors import UnknownName, UsageError

VARIABLE = "NAS_PLUGINS"  # paths of Python files, separated as in PATH
SPACES, EVALUATORS = "nas.search_spaces", "nas.evaluators"  # groups of entry points
_OWN = "nas_plugins"  # the package under which users' files are imported


def names(package: str) -> list[str]:
    """The plug-ins in one of our packages, in alphabetical order. Imports none of them."""
    path = importlib.import_module(package).__path__
    return sorted(module.name for module in pkgutil.iter_modules(path) if not module.ispkg)


def load(package: str, name: str, kind: str) -> ModuleType:
    """The plug-in module of that name in one of our packages.

    Raises:
        UnknownName: no file of that name; the message offers the nearest one.
    """
    known = names(package)
    if name not in known:
        raise UnknownName(kind, name, known)
    return importlib.import_module(f"{package}.{name}")


def add(path: Path) -> str:
    """Makes a user's own file known to this process and its children; returns the plug-in's name.

    Raises:
        UsageError: there is no such file, or another one has its name.
    """
    file = path.expanduser().resolve()
    if file.suffix != ".py" or not file.is_file():
        raise UsageError(f"there is no plug-in file '{path}'", "name a Python file: ./my_space.py")
    if not file.stem.isidentifier():
        raise UsageError(
            f"'{file.name}' is not a name for a plug-in", "rename it: letters, digits and _, as in my_space.py"
        )
    known = _files().get(file.stem, file)
    if known != file:
        raise UsageError(f"two plug-ins are called '{file.stem}': '{known}' and '{file}'", "rename one of them")
    files = [*map(str, _files().values()), str(file)]
    os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys(files))
    return file.stem


def own(group: str) -> dict[str, ModuleType]:
    """The imported plug-ins of users and of installed packages that belong to a group, by name.

    Raises:
        UsageError: one of them cannot be imported; the message says why.
    """
    modules = [_import_file(name, file) for name, file in _files().items()]
    modules += [_import_entry(entry) for entry in importlib.metadata.entry_points(group=group)]
    wanted = [module for module in modules if group in _groups(module)]
    return {module.__name__.rpartition(".")[2]: module for module in wanted}


@cache  # of the file as it was imported: it may change while it is in use
def digest(module: ModuleType) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of a plug-in's source."""
    return hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest()[:12]


def is_own(module: str) -> bool:
    """Whether a module comes from outside our packages."""
    return module.partition(".")[0] not in {"search_spaces", "evaluators", "results", "nas"}


def summary(module: ModuleType) -> str:
    """The first line of a plug-in's docstring, which is its help text."""
    return (module.__doc__ or "").strip().partition("\n")[0]


def _files() -> dict[str, Path]:
    paths = filter(None, os.environ.get(VARIABLE, "").split(os.pathsep))
    return {Path(path).stem: Path(path) for path in paths}


def _import_file(name: str, file: Path) -> ModuleType:
    full = f"{_OWN}.{name}"
    if full in sys.modules:
        return sys.modules[full]
    spec = importlib.util.spec_from_file_location(full, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise UsageError(f"the plug-in '{file}' is not there", f"correct the environment variable {VARIABLE}")
    module = sys.modules[full] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        digest(module)
    except Exception as error:
        del sys.modules[full]
        raise UsageError(
            f"the plug-in '{file}' cannot be imported: {type(error).__name__}: {error}", f"run: python {file}"
        ) from error
    return module


def _import_entry(entry: importlib.metadata.EntryPoint) -> ModuleType:
    try:
        module = entry.load()
    except Exception as error:
        raise UsageError(
            f"the plug-in '{entry.name}' ({entry.value}) cannot be imported: {type(error).__name__}: {error}",
            "repair or uninstall the package that announces it",
        ) from error
    if not isinstance(module, ModuleType) or module.__name__.rpartition(".")[2] != entry.name:
        raise UsageError(
            f"the entry point '{entry.name}' names {entry.value}, which is not a module of that name",
            f"write {entry.name} = 'package.{entry.name}'",
        )
    return module


def _groups(module: ModuleType) -> set[str]:
    """The groups a module belongs to: a space has `suggest`, an evaluator is a class with `_read`."""
    groups = {SPACES} if callable(getattr(module, "suggest", None)) else set()
    own_classes = (value for value in vars(module).values() if inspect.isclass(value))
    if any(value.__module__ == module.__name__ and hasattr(value, "_read") for value in own_classes):
        groups.add(EVALUATORS)
    return groups
