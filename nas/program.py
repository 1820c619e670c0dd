"""Running one command: whatever ends it becomes a message and an exit code.

0 done, 1 ran but the answer is no, 2 usage or configuration, 3 our bug, 130 interrupted and resumable.
"""

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
from search_spaces.common.errors import NasError, UsageError
from search_spaces.common.texts import printable, shown, unprintable

NEGATIVE, USAGE, OUR_BUG, INTERRUPTED = 1, 2, 3, 130
LONGEST_ARGUMENT = 4096  # letters: no path is longer
# What a machine refuses, whatever the program does, and what to do about it. Every other OSError is our mistake.
SURROUNDINGS = {
    errno.EACCES: "check the rights of the file and of its folder",
    errno.EDQUOT: "make room",
    errno.EIO: "check the disk",
    errno.ELOOP: "mend the link",
    errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.ENFILE: "close other programs",
    errno.ENOMEM: "close other programs, or ask for less",
    errno.ENOSPC: "make room",
    errno.EROFS: "name another place",
}


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; every error has been told on standard error."""
    terminal.degrade(sys.stdout, sys.stderr)
    try:
        _check(arguments)
        result = cli.main(arguments, prog_name="nas", standalone_mode=False)
        if sys.stdout:
            sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.message = printable(error.message)  # type: ignore[misc]
        error.show()
        return error.exit_code
    except NasError as error:
        _tell(f"error: {error}")
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # `nas show | head`: the reader has gone, and that is its right
        _discard_output()
        return 0
    except MemoryError:
        _tell("error: there is not enough memory\n  close other programs, or ask for less at once")
        return NEGATIVE
    except Exception as error:  # the last resort: everything expected was caught above
        if isinstance(error, OSError) and error.errno in SURROUNDINGS:
            return _refused(error, SURROUNDINGS[error.errno])
        _tell(f"error: this is a bug in nas {__version__}: {type(error).__name__}: {error}\n  {_report()}")
        return OUR_BUG


def _check(arguments: list[str]) -> None:
    """Refuses what no command could read: control characters, bytes that are no text, more than a path may have."""
    for argument in arguments:
        if len(argument) > LONGEST_ARGUMENT:
            raise UsageError(
                f"an argument has {len(argument):,} letters: {shown(argument)}", f"{LONGEST_ARGUMENT:,} are the most"
            )
        if unprintable(argument):
            raise UsageError(
                f"the argument {shown(argument)} holds control characters, or bytes that are no text",
                "leave them out, or rename the file; for letters beyond ASCII, set LC_ALL=C.UTF-8",
            )


def _refused(error: OSError, hint: str) -> int:
    """What the machine refused; where that was standard output, nothing more is written there."""
    _discard_output()
    where = f": {os.fsdecode(error.filename)!r}" if isinstance(error.filename, str | bytes) else ""
    _tell(f"error: {error.strerror or error}{where}\n  {hint}")
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
        report.write(f"nas {__version__}, Python {sys.version}\n{sys.argv}\n\n{traceback.format_exc()}")
    return f"please send {Path(report.name)} with your report; NAS_DEBUG=1 prints it instead"


def _tell(message: str) -> None:
    if sys.stderr:
        sys.stderr.write(printable(message) + "\n")
        sys.stderr.flush()
