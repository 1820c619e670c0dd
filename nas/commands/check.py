"""The command `nas check`: does a user's own plug-in keep the promises of its kind?"""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import evaluators
import search_spaces
from evaluators.core import contract as evaluator_contract
from nas import console, own_plugins
from search_spaces.common import contract as space_contract
from search_spaces.common import plugins
from search_spaces.common.errors import NasError, UsageError


def check_plugin(path: Path) -> int:
    """Checks every promise of a plug-in and reports each. Returns the exit code: 1 if a promise is broken."""
    name = own_plugins.add(path)
    promises = list(_promises(name))
    if not promises:
        raise UsageError(
            f"'{path}' is neither a search space nor an evaluator",
            "a space has a function suggest(trial), an evaluator is a subclass of evaluators.Evaluator",
        )
    broken = 0
    for promise, verify in promises:
        try:
            verify()
        except Exception as error:  # a user's code may raise anything
            broken += 1
            console.say(f"broken: {promise}\n    {_reason(error)}")
        else:
            console.say(f"kept:   {promise}")
    console.say(f"{name}: {len(promises) - broken} of {len(promises)} promises kept")
    return int(broken > 0)


def _promises(name: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    if name in plugins.own(plugins.SPACES):
        for space_check in space_contract.CHECKS:
            yield _first_line(space_check), partial(space_check, search_spaces.get(name))
    if name in plugins.own(plugins.EVALUATORS):
        for evaluator_check in evaluator_contract.CHECKS:
            yield _first_line(evaluator_check), partial(evaluator_check, evaluators.get, name)


def _first_line(check: Callable[..., Any]) -> str:
    return (inspect.getdoc(check) or "").partition("\n")[0]


def _reason(error: Exception) -> str:
    if isinstance(error, NasError):
        return str(error).replace("\n", "\n    ")
    frames = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
    where = f" (line {frames[-1].lineno} of {frames[-1].filename})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
