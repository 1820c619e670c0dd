"""How far long work has come, and how long the rest will take: one line that moves, or a plain line now and then.

A line on a terminal is drawn anew at most twice a second, so that it does not disturb what is measured. Elsewhere the
first line comes after two seconds, and the next ones ever more rarely.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.status import Status
from rich.text import Text

from nas import console

REDRAWN = 2.0  # times a second
FIRST, LEAST = 2.0, 30.0  # seconds before the first plain line, and the least between two
SHARE = 0.1  # of the time so far, between two plain lines: a day's work is no thousand lines

_lines: list[Status] = []  # that are shown: one at the most


class Progress:
    """Work of so many equal parts, called with the number of those that are done, and with words about the latest."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done, self.words = what, total, 0, ""
        self.started = time.monotonic()
        self.due = self.started + FIRST
        self.plain = False  # whether lines are printed

    def __call__(self, done: int, words: str = "") -> None:
        self.done, self.words = done, words
        self.tell()

    def line(self) -> str:
        """What is done, where it stands, and about how long the rest takes."""
        seconds = time.monotonic() - self.started
        left = seconds / self.done * (self.total - self.done) if self.done else 0.0
        time_left = f"about {duration(left)} left" if self.done else f"{duration(seconds)} so far"
        return f"{self.what}: {self.done} of {self.total}, {time_left}" + (f"; {self.words}" if self.words else "")

    def __rich__(self) -> Text:
        return Text(self.line())

    def tell(self) -> None:
        """Prints a plain line, where one is due."""
        now = time.monotonic()
        if self.plain and now >= self.due and self.done < self.total:
            self.due = now + max(LEAST, SHARE * (now - self.started))
            console.say(f"  {self.line()}")


@contextmanager
def progress(what: str, total: int) -> Iterator[Progress]:
    """Shows how far work has come while it is done; the work calls what it is given."""
    shown = Progress(what, total)
    with moving_line(shown) as status:
        if status:
            yield shown
            return
        shown.plain = True
        with _ticking(shown):
            yield shown


@contextmanager
def moving_line(first: str | Progress) -> Iterator[Status | None]:
    """A line that moves, where there is a terminal to show it; inside another one, that one, which comes back."""
    if not console.talk.is_terminal:
        yield None
        return
    if _lines:
        status, before = _lines[-1], _lines[-1].status
        status.update(first)
        try:
            yield status
        finally:
            status.update(before)
        return
    with console.talk.status(first, refresh_per_second=REDRAWN) as status:
        _lines.append(status)
        try:
            yield status
        finally:
            _lines.pop()


@contextmanager
def _ticking(shown: Progress) -> Iterator[None]:
    """Looks at the clock while work goes on that reports nothing."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(max(0.05, shown.due - time.monotonic())):
            shown.tell()

    clock = threading.Thread(target=watch, daemon=True)
    clock.start()
    try:
        yield
    finally:
        ended.set()
        clock.join()


def duration(seconds: float) -> str:
    """A time for people: seconds, minutes, hours or days."""
    for unit, length in (("days", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.{0 if unit == 'min' else 1}f} {unit}"
    return f"{seconds:.0f} s"
