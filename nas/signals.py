"""Signals that end the program: a cluster's SIGTERM and a closed terminal do what Ctrl-C does."""

import signal
from collections.abc import Callable
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
Handler = Callable[[int, FrameType | None], object]


def listen(handler: Handler | None = None) -> None:
    """Installs a handler, which raises KeyboardInterrupt, for all of them; ignored signals (nohup) stay ignored.

    Without a handler, they do what Ctrl-C does at present (`__main__.py` installs one that spares imports).
    """
    present = signal.getsignal(signal.SIGINT)
    handler = handler or (present if callable(present) else signal.default_int_handler)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
