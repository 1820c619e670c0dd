"""Options shared by several commands: the database, the output, and the settings of a full training."""

import math
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Any, TypeVar

import click

from evaluators.training.recipe import PLAIN, FullRecipe
from results import DEFAULT_STORE

Command = TypeVar("Command", bound=Callable[..., Any])


def _with_lanes(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """The lanes of a command are those of its database, where that is on a server."""
    if value.startswith("postgres"):  # without importing anything for others
        from evaluators.workers import lanes
        from nas.farm.queue import PostgresQueue

        lanes.provide(lambda: context.with_resource(PostgresQueue(value)))
    return value


STORE = click.option(
    "--store",
    metavar="URL",
    envvar="NAS_STORE",
    default=DEFAULT_STORE,
    show_default=True,
    callback=_with_lanes,
    help="Database of runs and measurements.",
)
LANE = click.option(
    "--lane",
    metavar="NAME",
    default="",
    help="Lane of the team's database that trains and computes scores instead of this machine.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")
RUN = click.argument("run", required=False)
SEED = click.IntRange(0, 2**31 - 1)  # every random number generator in use accepts these


class Finite(click.FloatRange):
    """A finite number: click accepts nan in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or an error of click."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


TIMEOUT = click.option(
    "--timeout",
    type=Finite(min=1, max=10**6),
    default=120.0,
    show_default=True,
    help="Longest time of one evaluation, in seconds.",
)


def plugin_names(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """The callback of parameters that take a space, a spec or a limit: a plug-in file becomes the plug-in's name."""
    texts = value if isinstance(value, tuple) else (value,)
    if not any(text and ".py" in text for text in texts):
        return value  # without importing anything
    from nas.own_plugins import by_name

    return tuple(map(by_name, value)) if isinstance(value, tuple) else by_name(value)


def narrowing(command: Command) -> Command:
    """Adds the options `--fix` and `--free`, which narrow the search space of a command."""
    command = click.option(
        "--free",
        metavar="NAME",
        multiple=True,
        help="Except a parameter from the --fix before: --fix 'stage*.t=1' --free stage2.t.",
    )(command)
    return click.option(
        "--fix",
        metavar="NAME=VALUES",
        multiple=True,
        help="Keep some values of a parameter of the space: stage3.t=1, stage3.L=2..6, stage2.conv_width=128,256; "
        "repeat for several. NAME may be a pattern.",
    )(command)


def latencies(text: str, **further: Any) -> Callable[[Command], Command]:
    """Adds the option `--latency`, which may be repeated; `further` are arguments of click's."""
    return click.option(
        "--latency", "latencies", metavar="SPEC", multiple=True, callback=plugin_names, help=text, **further
    )


def examples(*lines: str) -> str:
    """The end of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def flag(name: str) -> str:
    """A setting as an option on the command line."""
    return "--" + name.replace("_", "-")


def recipe(command: Command) -> Command:
    """Adds the options of a full training to a command; options that were not given are None."""
    light = ", ".join(f"{flag(name)} {value}" for name, value in PLAIN.items())
    command = click.option("--plain", is_flag=True, help=f"Settings for a small data set: {light}.")(command)
    for field in reversed(fields(FullRecipe)):
        command = _option(field)(command)
    return command


def _option(field: "Field[Any]") -> Callable[[Command], Command]:
    text = field.metadata["words"]
    if field.default is not None:
        text += f"  [default: {'on' if field.default is True else field.default}]"
    if field.metadata["kind"] is bool:
        return click.option(f"{flag(field.name)}/{flag('no-' + field.name)}", default=None, help=text)
    return click.option(flag(field.name), type=field.metadata["kind"], help=text)


def given(choices: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a full training that the command line gave."""
    return {field.name: choices[field.name] for field in fields(FullRecipe) if choices[field.name] is not None}
