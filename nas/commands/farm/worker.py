"""The command `nas worker`: measures for drivers on other machines, as long as it runs."""

import socket
from collections.abc import Sequence

import evaluators
from evaluators import Evaluator
from evaluators.core.locations import LANE
from evaluators.workers.bench import Bench
from nas import console
from search_spaces.common.errors import UsageError


def serve_lane(store_url: str, lane: str | None, offers: Sequence[str], *, until_empty: bool) -> int:
    """Serves a lane of the queue. Returns the exit code."""
    from nas.farm.server import LaneServer

    lane, offered = lane or socket.gethostname(), [evaluators.get(name, "latency") for name in offers]
    if not LANE.fullmatch(lane):
        raise UsageError(f"'{lane}' is no name for a lane", "letters, digits and . _ -, for example --lane t4")
    _check(offered)
    with Bench(say=console.say) as bench:
        server = LaneServer(store_url, lane, offered, bench, console.say)
        console.say(f"worker of lane '{lane}', which offers")
        for evaluator in offered:
            console.say(f"  {evaluator.name():<12} {evaluator.device().label}")
        console.say(
            f"for example: nas run --latency {offered[0].name()}@lane:{lane}; Ctrl-C ends it after the present job"
        )
        server.serve(until_empty=until_empty)
    console.say(f"{server.done} jobs done, of which {server.failed} failed")
    return 0


def _check(offered: Sequence[Evaluator]) -> None:
    """Makes sure that all can measure here, on one physical device.

    Raises:
        UsageError: they are on several, or one has options or another location.
        Unavailable: one cannot run here.
    """
    for evaluator in offered:
        if evaluator.spec != evaluator.name():
            raise UsageError(f"--offer {evaluator.spec}: drivers choose the options", f"--offer {evaluator.name()}")
        if reason := evaluator.missing():
            raise reason
    devices = {evaluator.physical() for evaluator in offered}
    if len(devices) > 1:
        raise UsageError(
            f"a lane is one device, and these measure on {' and '.join(sorted(devices))}",
            "start a worker for each, with --lane names of their own",
        )
