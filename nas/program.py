"""Runs one command: every error becomes a message and an exit code."""

import contextlib
import errno
import os
import sys
import tempfile
import traceback
from pathlib import Path

# Our matrices are small: two threads of OpenBLAS took 70 times as long as one over a product of 130 x 36 numbers.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before anything imports numpy

import click

from nas import __version__, terminal
from nas.cli import cli
from nas.exit_codes import BUG, DONE, INTERRUPTED, NEGATIVE, USAGE
from search_spaces.common.errors import NasError, UsageError
from search_spaces.common.texts import printable, shown, unprintable, without_passwords

LONGEST_ARGUMENT = 4096  # characters: no path is longer
# Refusals of the operating system, and what to do about them. Every other OSError is our bug.
REMEDIES = {
    errno.EACCES: "check the permissions of the file and of its folder",
    errno.EDQUOT: "free some space",
    errno.EIO: "check the disk",
    errno.ELOOP: "correct the symbolic link",
    errno.EMFILE: "raise the limit on open files: ulimit -n 4096",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.ENFILE: "close other programs",
    errno.ENOMEM: "close other programs, or ask for less",
    errno.ENOSPC: "free some space",
    errno.EROFS: "give another path",
}


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; prints every error on standard error."""
    terminal.degrade(sys.stdout, sys.stderr)
    try:
        _check(arguments)
        result = cli.main(arguments, prog_name="nas", standalone_mode=False)
        if sys.stdout:
            sys.stdout.flush()
        return result if isinstance(result, int) else DONE
    except click.ClickException as error:
        error.message = printable(error.message)  # type: ignore[misc]
        error.show()
        return error.exit_code
    except NasError as error:
        _print(f"error: {error}")
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _print("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # `nas show | head` has read enough
        _discard_output()
        return DONE
    except MemoryError:
        _print("error: there is not enough memory\n  close other programs, or ask for less at once")
        return NEGATIVE
    except Exception as error:  # every expected error was caught above
        if isinstance(error, OSError) and error.errno in REMEDIES:
            return _refused(error, REMEDIES[error.errno])
        _print(f"error: this is a bug in nas {__version__}: {type(error).__name__}: {error}\n  {_report()}")
        return BUG


def _check(arguments: list[str]) -> None:
    """Refuses arguments that no command can read: control characters, invalid UTF-8, texts longer than any path."""
    for argument in arguments:
        if len(argument) > LONGEST_ARGUMENT:
            raise UsageError(
                f"an argument has {len(argument):,} characters: {shown(argument)}", f"give at most {LONGEST_ARGUMENT:,}"
            )
        if unprintable(argument):
            raise UsageError(
                f"the argument {shown(argument)} holds control characters or invalid bytes",
                "leave them out, or rename the file; for characters beyond ASCII, set LC_ALL=C.UTF-8",
            )


def _refused(error: OSError, hint: str) -> int:
    """Reports a refusal of the operating system; writes nothing more to standard output, which may be its cause."""
    _discard_output()
    where = f": {os.fsdecode(error.filename)!r}" if isinstance(error.filename, str | bytes) else ""
    _print(f"error: {error.strerror or error}{where}\n  {hint}")
    return USAGE if error.errno == errno.ENAMETOOLONG else NEGATIVE


def _discard_output() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report() -> str:
    if os.environ.get("NAS_DEBUG"):
        traceback.print_exc()
        return "the traceback is above"
    with tempfile.NamedTemporaryFile(
        "w", prefix="nas-bug-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as report:
        story = f"nas {__version__}, Python {sys.version}\n{sys.argv}\n\n{traceback.format_exc()}"
        report.write(without_passwords(story))
    return f"please send {Path(report.name)} with your report; NAS_DEBUG=1 prints it instead"


def _print(message: str) -> None:
    if sys.stderr:
        sys.stderr.write(printable(message) + "\n")
        sys.stderr.flush()
