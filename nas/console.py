"""Output of the program: data on standard output, messages on standard error."""

import json
import shlex
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from results import DEFAULT_STORE
from search_spaces.common.texts import printable

talk = Console(stderr=True, highlight=False, soft_wrap=True)


def say(message: str = "") -> None:
    """Prints a message."""
    talk.print(printable(message), markup=False)


def command(*arguments: str) -> str:
    """A command to type next, quoted for a shell, with this command's `--store` if it was given one."""
    context = click.get_current_context(silent=True)
    store = context.params.get("store") if context else None
    return shlex.join(["nas", *arguments, *(["--store", store] if store and store != DEFAULT_STORE else [])])


def same_command() -> str:
    """This very command, quoted for a shell."""
    return shlex.join(["nas", *sys.argv[1:]])


def write_json(data: object) -> None:
    """Writes one JSON document to standard output."""
    click.echo(json.dumps(data, indent=2))


def write_event(event: str, **data: Any) -> None:
    """Writes one line of newline-delimited JSON to standard output."""
    click.echo(json.dumps({"event": event, **data}))


def is_narrow() -> bool:
    """Whether standard output is a terminal too narrow for the last column of a table."""
    out = Console()
    return out.is_terminal and out.width < 150


def write_table(headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[str] = frozenset()) -> None:
    """Writes a table to standard output; columns named in `numbers` are aligned to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(Text(heading), justify="right" if heading in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))  # text, not markup: units are in brackets
    out = Console(highlight=False)
    if not out.is_terminal:
        out = Console(
            highlight=False, width=max(out.width, 200)
        )  # a file or a pipe has no edge at which lines would fold
    out.print(table)
