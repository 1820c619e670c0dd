"""A user's own plug-ins on the command line: `--space ./my_space.py`, `--proxy ./my_score.py:seeds=3`, `nas check`."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import evaluators
import search_spaces
from evaluators.core import contract as evaluator_contract
from nas import console
from search_spaces.common import contract as space_contract
from search_spaces.common import plugins
from search_spaces.common.errors import NasError, UsageError

FILE = re.compile(r"(?P<path>.+?\.py)(?P<options>[:<>@].*)?", re.DOTALL)


def by_name(text: str) -> str:
    """A name, spec or limit in which the path of a plug-in file, if it has one, is replaced by the plug-in's name.

    From then on the plug-in is known here and in every process that is started.

    Raises:
        UsageError: there is no such file, or it is no plug-in.
    """
    match = FILE.fullmatch(text)
    if not match:
        return text
    return _added(Path(match["path"])) + (match["options"] or "")


def _added(path: Path) -> str:
    packages = ("search_spaces", *(f"evaluators.{family}" for family in evaluators.FAMILIES))
    if any(path.stem in plugins.names(package) for package in packages):
        raise UsageError(f"'{path}' bears the name of one of our own plug-ins", "rename the file")
    return plugins.add(path)


def digests(names: Iterable[str]) -> dict[str, str]:
    """The digest of the source of each of these plug-ins that is not one of ours."""
    own = plugins.own(plugins.SPACES) | plugins.own(plugins.EVALUATORS)
    return {name: plugins.digest(own[name]) for name in names if name in own}


def check(path: Path) -> int:
    """Holds a user's plug-in against what all of its kind promise. Returns the exit code: 1 if a promise is broken."""
    name = _added(path)
    promises = list(_promises(name))
    if not promises:
        raise UsageError(
            f"'{path}' is neither a search space nor an evaluator",
            "a space has a function suggest(trial), an evaluator is a subclass of evaluators.Evaluator",
        )
    broken = 0
    for words, kept in promises:
        try:
            kept()
        except Exception as error:  # whatever a stranger's code raises is the answer
            broken += 1
            console.say(f"broken: {words}\n    {_reason(error)}")
        else:
            console.say(f"kept:   {words}")
    console.say(f"{name}: {len(promises) - broken} of {len(promises)} promises kept")
    return int(broken > 0)


def _promises(name: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    if name in plugins.own(plugins.SPACES):
        for each in space_contract.CHECKS:
            yield _first_line(each), partial(each, search_spaces.get(name))
    if name in plugins.own(plugins.EVALUATORS):
        for made in evaluator_contract.CHECKS:
            yield _first_line(made), partial(made, evaluators.get, name)


def _first_line(check: Callable[..., Any]) -> str:
    return (inspect.getdoc(check) or "").partition("\n")[0]


def _reason(error: Exception) -> str:
    if isinstance(error, NasError):
        return str(error).replace("\n", "\n    ")
    frames = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
    where = next((f" (line {each.lineno} of {each.filename})" for each in reversed(frames)), "")
    return f"{type(error).__name__}: {error}{where}"
