"""The program's way in and out: runs a command, and turns whatever ends it into a message and an exit code.

0 done, 1 ran but the answer is no, 2 usage or configuration, 3 our bug, 130 interrupted and resumable.
"""

import os
import sys
import tempfile
import traceback
from pathlib import Path

import click

# Our matrices are small: two threads of OpenBLAS took 70 times as long as one over a product of 130 x 36 numbers.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before anything imports numpy

from nas import __version__
from nas.cli import cli
from search_spaces.common.errors import NasError

OUR_BUG, INTERRUPTED = 3, 130


def main() -> None:
    """Runs the command line and exits with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; every error has been told on standard error."""
    try:
        result = cli.main(arguments, prog_name="nas", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except NasError as error:
        _tell(f"error: {error}")
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # `nas show | head`: the reader has gone, and that is its right
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the last resort: everything expected was caught above
        _tell(f"error: this is a bug in nas {__version__}: {type(error).__name__}: {error}\n  {_report()}")
        return OUR_BUG


def _report() -> str:
    if os.environ.get("NAS_DEBUG"):
        traceback.print_exc()
        return "the traceback is above"
    with tempfile.NamedTemporaryFile("w", prefix="nas-bug-", suffix=".txt", delete=False) as report:
        report.write(f"nas {__version__}, Python {sys.version}\n{sys.argv}\n\n{traceback.format_exc()}")
    return f"please send {Path(report.name)} with your report; NAS_DEBUG=1 prints it instead"


def _tell(message: str) -> None:
    click.echo(message, err=True)


if __name__ == "__main__":
    main()
