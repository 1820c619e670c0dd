"""How a program is told to end from outside: a cluster's SIGTERM and a closed terminal mean what Ctrl-C means."""

import signal
from collections.abc import Callable
from types import FrameType

WAYS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
Handler = Callable[[int, FrameType | None], object]


def listen(handler: Handler = signal.default_int_handler) -> None:
    """Calls the handler, which raises KeyboardInterrupt, for each of them; what was to be ignored (nohup) stays so."""
    for way in WAYS:
        if signal.getsignal(way) is not signal.SIG_IGN:
            signal.signal(way, handler)
