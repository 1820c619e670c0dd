"""Progress of long work and the time left: one updated line on a terminal, plain lines elsewhere.

A terminal is updated at most twice a second, so that it does not disturb measurements. Elsewhere the first line comes
after two seconds, and further ones at growing intervals.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.status import Status
from rich.text import Text

from nas import console

UPDATES = 2.0  # per second
FIRST, LEAST = 2.0, 30.0  # seconds before the first plain line, and the least between two
TYPICAL = 3  # finished steps, from which on they say more of a step's time than an estimate
SHARE = 0.1  # of the time so far, between two plain lines: a day's work must not print a thousand

_lines: list[Status] = []  # on the terminal: at most one


class Progress:
    """Work of `total` equal steps; call it with the number of finished steps and a remark about the latest.

    `expected` are the seconds of a step, where they were estimated: they count until a few steps are done.
    """

    def __init__(self, task: str, total: int, expected: float = 0.0) -> None:
        self.task, self.total, self.done, self.remark, self.expected = task, total, 0, "", expected
        self.started = self.latest = time.monotonic()  # the latter: when the latest step ended
        self.due = self.started + FIRST
        self.plain = False  # whether plain lines are printed

    def __call__(self, done: int, remark: str = "") -> None:
        if done != self.done:
            self.latest = time.monotonic()
        self.done, self.remark = done, remark
        self.print_if_due()

    def line(self) -> str:
        """The task, the finished steps and the time left."""
        seconds = time.monotonic() - self.started
        left = self._whole(seconds) - seconds
        time_left = f"about {duration(left)} left" if left > 0 else f"{duration(seconds)} so far"
        return f"{self.task}: {self.done} of {self.total}, {time_left}" + (f"; {self.remark}" if self.remark else "")

    def _whole(self, seconds: float) -> float:
        """The seconds of all steps: as they were estimated, until a few are done or the estimate is exceeded."""
        estimated = self.expected * self.total
        if (self.done < TYPICAL and estimated > seconds) or not self.done:
            return estimated
        return (self.latest - self.started) / self.done * self.total

    def __rich__(self) -> Text:
        return Text(self.line())

    def print_if_due(self) -> None:
        """Prints a plain line if one is due."""
        now = time.monotonic()
        if self.plain and now >= self.due and self.done < self.total:
            self.due = now + max(LEAST, SHARE * (now - self.started))
            console.say(f"  {self.line()}")


@contextmanager
def progress(task: str, total: int, expected: float = 0.0) -> Iterator[Progress]:
    """Shows the progress of a task, which calls the yielded object."""
    shown = Progress(task, total, expected)
    with moving_line(shown) as status:
        if status:
            yield shown
            return
        shown.plain = True
        with _ticking(shown):
            yield shown


@contextmanager
def moving_line(first: str | Progress) -> Iterator[Status | None]:
    """An updated line, on a terminal; a nested call borrows the outer line and gives it back."""
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
    with console.talk.status(first, refresh_per_second=UPDATES) as status:
        _lines.append(status)
        try:
            yield status
        finally:
            _lines.pop()


@contextmanager
def _ticking(shown: Progress) -> Iterator[None]:
    """Prints due lines also during a step that takes long."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(max(0.05, shown.due - time.monotonic())):
            shown.print_if_due()

    clock = threading.Thread(target=watch, daemon=True)
    clock.start()
    try:
        yield
    finally:
        ended.set()
        clock.join()


def duration(seconds: float) -> str:
    """A time in the unit that suits it: seconds, minutes, hours or days."""
    for unit, length in (("days", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.{0 if unit == 'min' else 1}f} {unit}"
    return f"{seconds:.0f} s"
