"""The command `nas rediscover`: the claims of Next-ViT, tested on this device."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import evaluators
from evaluators import Evaluator
from evaluators.training.fidelity import Fidelity
from evaluators.workers.bench import Bench
from evaluators.workers.remote import check_lane
from nas import console, signals
from nas.claims.rediscovery import Rediscovery
from nas.commands.study.strategies import judge, milliseconds
from nas.exit_codes import INTERRUPTED
from nas.strategies.stored_latency import StoredLatency
from results.claims import page, table
from results.claims.catalogue import chosen
from results.claims.claim import Claim, Kind, Report
from results.store.store import Store
from search_spaces.common import files
from search_spaces.common.errors import UsageError
from search_spaces.strategies.strategy import check_scalings

LATENCY = "ort"
DENSE = "segment:epochs=9"
WRITERS: dict[str, Callable[[Report, Path], None]] = {".html": page.write, ".md": table.write}
NOTHING_MEASURED = "nothing was measured: --quick"


def rediscover(
    numbers: tuple[int, ...],
    *,
    latency: str | None,
    at: str | None,
    proxy: str | None,
    data: str | None,
    seeds: int | None,
    scalings: Sequence[str],
    dense: bool,
    quick: bool,
    outputs: Sequence[Path],
    store_url: str,
    timeout: float,
    lane: str,
    as_json: bool,
) -> int:
    """Settles the claims of these numbers as far as they can be. Returns the exit code."""
    signals.listen()
    claims = chosen(numbers)
    given = {"--latency": latency, "--at": at, "--proxy": proxy, "--data": data, "--seeds": seeds, "--dense": dense}
    _check(given | {"--scaling": scalings}, quick=quick)
    depths = check_scalings(scalings)
    for output in outputs:
        _check_output(output)
    if quick:
        report = Rediscovery(say=console.say, missing=NOTHING_MEASURED).report(claims)
    else:
        measured = _latency(latency or LATENCY)
        target = milliseconds(measured, at) if at else None
        judges = _judges(proxy, data, seeds, dense=dense)
        for judge in judges.values() if lane else ():
            check_lane(lane, judge)
        if reason := measured.missing():
            console.say(f"{measured.spec} is not available: {reason.message}\n  {reason.hint}")
            report = Rediscovery(say=console.say, missing=f"no {measured.spec} here: {reason.message}").report(claims)
        else:
            made = _measured(claims, measured, target, judges, depths, store_url, timeout, lane)
            if made is None:
                console.say(f"interrupted; what was measured is stored. Resume with:\n  {console.same_command()}")
                return INTERRUPTED
            report = made
    _write(report, outputs, as_json=as_json)
    return 0


def _measured(
    claims: Sequence[Claim],
    latency: Evaluator,
    target: float | None,
    judges: dict[Kind, Evaluator],
    scalings: Sequence[str],
    store_url: str,
    timeout: float,
    lane: str,
) -> Report | None:
    """The report; None where it was interrupted."""
    store = Store(store_url, writable=True)
    with closing(store), Bench(timeout, say=console.say, lane=lane) as bench:
        try:
            return Rediscovery(
                say=console.say,
                stopwatch=StoredLatency(store=store, bench=bench, latency=latency),
                milliseconds=target,
                judges=judges,
                scalings=scalings,
                foresees=evaluators.get("published", "accuracy"),
            ).report(claims)
        except KeyboardInterrupt:
            return None


def _check(given: Mapping[str, object], *, quick: bool) -> None:
    """Refuses options that contradict each other.

    Raises:
        UsageError: they do.
    """
    names = [name for name, value in given.items() if value]
    if quick and names:
        raise UsageError(f"--quick measures and trains nothing, and {names[0]} is for that", "leave one of the two out")
    if given["--proxy"] and not given["--data"]:
        raise UsageError("--proxy says how to train, and there is no --data", "add --data DIR")
    if given["--scaling"] and not given["--at"]:
        raise UsageError("--scaling is for strategies at one latency, and none is given", "add --at, such as --at 60ms")
    trains = "--data" if given["--data"] else "--dense" if given["--dense"] else ""
    if given["--seeds"] and not trains:
        raise UsageError(f"--seeds {given['--seeds']} is for trainings", "add --data DIR or --dense")
    if trains and not given["--at"]:
        raise UsageError(f"{trains} trains strategies at one latency, and none is given", "add --at, such as --at 60ms")


def _check_output(path: Path) -> None:
    if path.suffix not in WRITERS:
        raise UsageError(
            f"'{path}' is neither a page nor Markdown", f"choose a name that ends in {' or '.join(WRITERS)}"
        )
    files.check_file(path)


def _latency(spec: str) -> Evaluator:
    """The latency to measure.

    Raises:
        UsageError: it is a prediction.
    """
    latency = evaluators.get(spec, "latency")
    if latency.metric.kind != "measured":
        raise UsageError(f"--latency {spec} predicts, and claims are measured", f"--latency {latency.local.name()}")
    return latency


def _judges(proxy: str | None, data: str | None, seeds: int | None, *, dense: bool) -> dict[Kind, Evaluator]:
    """What trains the strategies: on the data, and on the dense task.

    Raises:
        UsageError: the proxy does not train.
        Unavailable: there is no such data.
    """
    judges: dict[Kind, Evaluator] = {}
    if data:
        judges["trained"] = judge(proxy, data, seeds)
    if dense:
        segment = evaluators.get(DENSE, "accuracy")
        assert isinstance(segment, Fidelity)
        judges["dense"] = replace(segment, seeds=seeds or 1)
    for each in judges.values():
        if each.kind != "trained":
            raise UsageError(f"{each.spec} trains nothing, and only trainings settle a claim", "leave --proxy out")
        if reason := each.missing():
            raise reason
    return judges


def _write(report: Report, outputs: Sequence[Path], *, as_json: bool) -> None:
    if as_json:
        console.write_json(report.to_dict())
    else:
        for term, text in table.facts(report).items():
            console.say(f"{term}: {text}")
        console.write_table(table.HEADINGS, table.rows(report))
    for output in outputs:
        WRITERS[output.suffix](report, output)
        console.say(f"report: {output}")
