"""The program's way in. It imports next to nothing by itself: Ctrl-C ends it quietly from its first line on."""

import _signal as signal  # type: ignore[import-not-found]  # `signal` itself takes a hundredth of a second to import
import os
import sys
from types import FrameType

INTERRUPTED = 130
PACKAGES = ("search_spaces", "evaluators", "results")
IMPORTS = "<frozen importlib._bootstrap>"
AGAIN = 0.05  # seconds


def main() -> None:
    """Runs the command line and exits with its code."""
    heeds = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # a shell may have it ignored
    if heeds:
        signal.signal(signal.SIGINT, _leave)
    _refuse_strangers()
    from nas.program import run

    if heeds:
        signal.signal(signal.SIGALRM, _interrupt)
        signal.signal(signal.SIGINT, _interrupt)
    code = run(sys.argv[1:])
    if heeds:
        signal.signal(signal.SIGINT, _leave)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Runs one command in this process and returns its exit code."""
    from nas.program import run

    return run(arguments)


def _leave(number: int, frame: FrameType | None) -> None:
    """Ends at once: no command runs, and nothing has to be tidied up."""
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Interrupts the command, but no import: extension modules turn the exception into an error of their own."""
    while frame:
        if frame.f_code.co_filename == IMPORTS:
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _refuse_strangers() -> None:
    """The four packages have plain names; a file of the same name in the working directory would take their place."""
    from importlib.util import find_spec

    for name in PACKAGES:
        spec = find_spec(name)
        if spec is None or _folder(str(spec.origin)) != _folder(__file__):
            sys.exit(
                f"error: '{name}' was found at {spec.origin if spec else 'no place'}, which is not part of nas\n"
                "  rename that file or folder, or run `python -P -m nas`"
            )


def _folder(origin: str) -> str:
    return os.path.dirname(os.path.dirname(origin))  # noqa: PTH120, pathlib takes longer than all else here


if __name__ == "__main__":
    main()
