"""The command `nas worker`: measures and trains for drivers on other machines, as long as it runs."""

import socket
from collections.abc import Sequence
from pathlib import Path

import evaluators
from evaluators import Evaluator
from evaluators.core.locations import LANE
from evaluators.datasets import data
from evaluators.workers.bench import Bench
from nas import console
from search_spaces.common.errors import UsageError
from search_spaces.common.texts import is_folder


def serve_lane(
    store_url: str, lane: str | None, offers: Sequence[str], sets: Sequence[str], *, until_empty: bool
) -> int:
    """Serves a lane of the queue, with data `sets` for trainings. Returns the exit code."""
    from nas.farm.server import LaneServer

    lane, offered = lane or socket.gethostname(), [_offered(spec) for spec in offers]
    if not LANE.fullmatch(lane):
        raise UsageError(f"'{lane}' is no name for a lane", "letters, digits and . _ -, for example --lane t4")
    _check(offered)
    known = _identities(sets)
    with Bench(say=console.say) as bench:
        server = LaneServer(store_url, lane, offered, bench, console.say, known)
        console.say(f"worker of lane '{lane}', which offers")
        for evaluator in offered:
            where = evaluator.device().label if evaluator.family() == "latency" else evaluator.metric.kind
            console.say(f"  {evaluator.name():<12} {where}")
        for identity, name in known.items():
            console.say(f"  {identity}  {name}")
        latency = next((each.name() for each in offered if each.family() == "latency"), "")
        example = f"--latency {latency}@lane:{lane}" if latency else f"--lane {lane}"
        console.say(f"for example: nas run {example}; Ctrl-C ends it after the present job")
        server.serve(until_empty=until_empty)
    console.say(f"{server.done} jobs done, of which {server.failed} failed")
    return 0


def _identities(sets: Sequence[str]) -> dict[str, str]:
    """The data sets by their identity.

    Raises:
        UsageError: one cannot be trained on.
        Unavailable: there is none of that name.
    """
    for name in sets:
        if reason := data.missing(name):
            raise reason
    return {data.identity(name): str(Path(name).resolve()) if is_folder(name) else name for name in sets}


def _offered(spec: str) -> Evaluator:
    """The evaluator of that name.

    Raises:
        UsageError: it has options or a location.
    """
    evaluator = evaluators.get(spec)
    if spec != evaluator.name():
        raise UsageError(f"--offer {spec}: drivers choose the options", f"--offer {evaluator.name()}")
    return evaluator


def _check(offered: Sequence[Evaluator]) -> None:
    """Makes sure that all can run here, and all latencies on one physical device.

    Raises:
        UsageError: they are on several, or one needs no other machine.
        Unavailable: one cannot run here.
    """
    for evaluator in offered:
        if not Bench.isolates(evaluator):
            raise UsageError(
                f"--offer {evaluator.spec}: drivers compute it themselves, at once",
                "offer latencies, trainings (train, segment) and scores",
            )
        if reason := evaluator.missing():
            raise reason
    devices = {evaluator.physical() for evaluator in offered if evaluator.family() == "latency"}
    if len(devices) > 1:
        raise UsageError(
            f"a lane is one device, and these measure on {' and '.join(sorted(devices))}",
            "start a worker for each, with --lane names of their own",
        )
