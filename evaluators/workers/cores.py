"""The cores of this machine, for threads of which one measures: never more of them compute than there are cores.

A measurement beside which more computes than the other cores hold shares its own with it: it takes longer, and all that
its references can do is correct it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Cores:
    """So many cores. Whoever computes takes one; a measurement takes the next that is free, before all others."""

    def __init__(self, count: int) -> None:
        self._free, self._measurements = count, 0  # that wait for one
        self._changed = threading.Condition()

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """A core for a measurement."""
        with self._changed:
            self._measurements += 1
            try:
                self._changed.wait_for(lambda: self._free)
            finally:
                self._measurements -= 1
            self._free -= 1
        with self._giving_back():
            yield

    @contextmanager
    def beside(self) -> Iterator[None]:
        """A core for work that can wait: to ask for a candidate, or to build one."""
        with self._changed:
            self._changed.wait_for(lambda: self._free and not self._measurements)
            self._free -= 1
        with self._giving_back():
            yield

    @contextmanager
    def _giving_back(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()
