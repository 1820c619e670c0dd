"""Options that several commands have: of the database, of the output, and the settings of a full training."""

import math
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Any, TypeVar

import click

from evaluators.training.recipe import PLAIN, FullRecipe
from results import DEFAULT_STORE

Command = TypeVar("Command", bound=Callable[..., Any])

STORE = click.option(
    "--store",
    metavar="URL",
    envvar="NAS_STORE",
    default=DEFAULT_STORE,
    show_default=True,
    help="Database of runs and measurements.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")
RUN = click.argument("run", required=False)
SEED = click.IntRange(0, 2**31 - 1)  # what every generator of random numbers takes


class Seconds(click.FloatRange):
    """A number of seconds that a clock can count: click takes nan for a number in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or click's own complaint."""
        seconds = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds


TIMEOUT = click.option(
    "--timeout",
    type=Seconds(min=1, max=10**6),
    default=120.0,
    show_default=True,
    help="Seconds per evaluation.",
)


def examples(*lines: str) -> str:
    """The end of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def flag(name: str) -> str:
    """A setting as an option on the command line."""
    return "--" + name.replace("_", "-")


def recipe(command: Command) -> Command:
    """Gives a command the options of a recipe; those that were not given arrive as None."""
    light = ", ".join(f"{flag(name)} {value}" for name, value in PLAIN.items())
    command = click.option("--plain", is_flag=True, help=f"For a small set: {light}.")(command)
    for each in reversed(fields(FullRecipe)):
        command = _option(each)(command)
    return command


def _option(field: "Field[Any]") -> Callable[[Command], Command]:
    words = field.metadata["words"]
    if field.default is not None:
        words += f"  [default: {'on' if field.default is True else field.default}]"
    if field.metadata["kind"] is bool:
        return click.option(f"{flag(field.name)}/{flag('no-' + field.name)}", default=None, help=words)
    return click.option(flag(field.name), type=field.metadata["kind"], help=words)


def given(choices: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were given, of everything that a command was called with."""
    return {each.name: choices[each.name] for each in fields(FullRecipe) if choices[each.name] is not None}
