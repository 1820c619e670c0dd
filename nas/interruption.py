"""How a program is told to end from outside: a cluster's SIGTERM and a closed terminal mean what Ctrl-C means."""

import signal
from collections.abc import Callable
from types import FrameType

WAYS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
Handler = Callable[[int, FrameType | None], object]


def listen(handler: Handler | None = None) -> None:
    """Calls the handler, which raises KeyboardInterrupt, for each of them; what was to be ignored (nohup) stays so.

    Without a handler, the others do what Ctrl-C does (`__main__.py` has one that spares imports).
    """
    usual = signal.getsignal(signal.SIGINT)
    handler = handler or (usual if callable(usual) else signal.default_int_handler)
    for way in WAYS:
        if signal.getsignal(way) is not signal.SIG_IGN:
            signal.signal(way, handler)
