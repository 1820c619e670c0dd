"""The entry point. It imports next to nothing, so that Ctrl-C ends it quietly from its first line on."""

import _signal as signal  # type: ignore[import-not-found]  # `signal` itself takes a hundredth of a second to import
import os
import sys
from types import FrameType

from nas.exit_codes import INTERRUPTED

PACKAGES = ("search_spaces", "evaluators", "results")
IMPORTS = "<frozen importlib._bootstrap>"
AGAIN = 0.05  # seconds until an interruption that met an import is tried again


def main() -> None:
    """Runs the command line and exits with its code."""
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # nohup and shells may ignore it
    if interruptible:
        signal.signal(signal.SIGINT, _leave)
    _check_packages()
    from nas.program import run

    if interruptible:
        signal.signal(signal.SIGALRM, _interrupt)
        signal.signal(signal.SIGINT, _interrupt)
    code = run(sys.argv[1:])
    if interruptible:
        signal.signal(signal.SIGINT, _leave)
        waiting, _ = signal.setitimer(signal.ITIMER_REAL, 0)  # while Python exits, SIGALRM would kill it
        if waiting:
            sys.exit(_report_interruption())
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Runs one command in this process and returns its exit code."""
    from nas.program import run

    return run(arguments)


def _leave(number: int, frame: FrameType | None) -> None:
    """Ends at once: no command runs, so there is nothing to clean up."""
    os._exit(_report_interruption())


def _report_interruption() -> int:
    os.write(2, b"interrupted\n")
    return INTERRUPTED


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Interrupts the command, but never an import: extension modules would turn the exception into another error."""
    while frame:
        if frame.f_code.co_filename == IMPORTS:
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _check_packages() -> None:
    """Refuses other packages of our plain names, such as a `results.py` in the working directory."""
    from importlib.util import find_spec

    for name in PACKAGES:
        spec = find_spec(name)
        if spec is None or _folder(str(spec.origin)) != _folder(__file__):
            sys.exit(
                f"error: '{name}' is imported from {spec.origin if spec else 'nowhere'}, which is not part of nas\n"
                "  rename that file or folder, or run `python -P -m nas`"
            )


def _folder(origin: str) -> str:
    return os.path.dirname(os.path.dirname(origin))  # noqa: PTH120, pathlib takes longer to import than everything else here


if __name__ == "__main__":
    main()
