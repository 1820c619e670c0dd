"""Writes docs/cli.md from the program's own help: `python scripts/make_cli.py`. A test holds it fresh."""

from pathlib import Path

import click

from nas.cli import cli

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"


def page() -> str:
    """The reference of every command, as Markdown."""
    parts = [
        "# Commands\n\nMade from `--help` by `python scripts/make_cli.py`; do not edit by hand.\n",
        _section("nas", cli),
    ]
    parts += [_section(f"nas {name}", command) for name, command in sorted(cli.commands.items())]
    return "\n".join(parts)


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name, terminal_width=100, help_option_names=["-h", "--help"])
    return f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page())
