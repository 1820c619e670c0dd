"""Finding plug-ins: every module that lies directly in a package is one, and its file name is its name.

Adding a file adds a plug-in; there is no list to keep. Sub-folders are machinery.
"""

import importlib
import pkgutil
from types import ModuleType

from search_spaces.common.errors import UnknownName


def names(package: str) -> list[str]:
    """The plug-ins of a package, in alphabetical order, without importing any of them."""
    path = importlib.import_module(package).__path__
    return sorted(module.name for module in pkgutil.iter_modules(path) if not module.ispkg)


def load(package: str, name: str, kind: str) -> ModuleType:
    """The plug-in module of that name.

    Raises:
        UnknownName: no file of that name; offers the nearest one.
    """
    known = names(package)
    if name not in known:
        raise UnknownName(kind, name, known)
    return importlib.import_module(f"{package}.{name}")


def summary(module: ModuleType) -> str:
    """The first line of a plug-in's docstring, which is its help text."""
    return (module.__doc__ or "").strip().splitlines()[0]
