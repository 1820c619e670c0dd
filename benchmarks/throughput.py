"""How `nas run` compares with the script of a weekend: both in turns, on the same machine.

    python benchmarks/throughput.py --json throughput.json    about 12 minutes, with the machine to itself
    python benchmarks/throughput.py --quick                   about 3 minutes, to see that it works

Both search from scratch for the same time, seed after seed. Then both measure six networks that both can express, in
turns of a block, each block of the script in a fresh process. Then the networks of both fronts are judged alike: by the
evaluator `published`, and by this program's stopwatch. The tables show the seconds that a candidate takes, the
coefficient of variation of a latency, and what the fronts cover; and the targets: a fifth of the time, a third of the
variation.
"""

import argparse
import json
import math
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import f as f_distribution

import evaluators
from benchmarks import weekend_script
from evaluators.core.measurement import Measurement
from evaluators.stopwatch.calibration import calibrate, ratio_of
from evaluators.workers.bench import Bench
from nas.exit_codes import INTERRUPTED
from results.front import Points, hypervolume, non_dominated
from results.store.store import Store
from search_spaces import Architecture

METHODS = NAS, SCRIPT = "nas run", "weekend script"
# Of the six networks; the first is Next-ViT-S.
DEPTHS: tuple[tuple[int, ...], ...] = (
    (3, 4, 10, 3), (1, 1, 5, 1), (2, 2, 5, 2), (3, 4, 5, 3), (2, 6, 10, 1), (1, 2, 15, 4),
)  # fmt: skip
TARGETS = {"time": 5, "variation": 3}
UNLIMITED = "100000"  # candidates: the time ends a search
Fronts = dict[tuple[str, int], list[Architecture]]  # by method and seed
BEYOND = 1.1  # the reference point of the hypervolume, in a box of side 1 around both fronts


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A network that a search evaluated: when, and how the search itself saw it."""

    method: str
    seed: int
    at: float  # seconds after the start of the program
    architecture: Architecture
    costs: tuple[float, float]  # minus what stands in for accuracy, and milliseconds
    steps: dict[str, float]  # seconds


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """One of several latencies of a network. `moment`: what `nas measure` without a database says."""

    method: str
    network: str
    milliseconds: float
    moment: float


def network(depths: Sequence[int]) -> Architecture:
    """timm's Next-ViT of these depths, as one of our networks: stage 3 has groups of four NCBs and an NTB."""
    first, second, third, fourth = depths
    stages = "C" * first, "C" * (second - 1) + "T", "CCCCT" * (third // 5), "C" * (fourth - 1) + "T"
    return Architecture.from_notation("-".join(stages))


# The searches


def stamped(command: Sequence[str], folder: str, end_after: float | None = None) -> list[tuple[float, dict[str, Any]]]:
    """The lines of JSON that a program prints, each with the seconds since its start.

    SIGTERM ends it, because a shell's background jobs ignore SIGINT.
    """
    began, errors = time.perf_counter(), Path(folder) / "errors.txt"
    with (
        errors.open("w") as log,
        subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        timer = threading.Timer(end_after or 0.0, process.send_signal, [signal.SIGTERM])
        if end_after:
            timer.start()
        assert process.stdout
        lines = [(time.perf_counter() - began, json.loads(line)) for line in process.stdout]
        timer.cancel()
    if process.returncode not in (0, INTERRUPTED):
        raise SystemExit(f"{shlex.join(command)} ended with {process.returncode}:\n{errors.read_text()[-3000:]}")
    return lines


def nas_search(seed: int, seconds: float, options: Sequence[str]) -> list[Candidate]:
    """What `nas run` evaluates in that time, from an empty database."""
    command = [sys.executable, "-m", "nas", "run", "--space", "nhs", "--name", "search"]
    command += ["--budget", UNLIMITED, "--measure", "all"]
    with tempfile.TemporaryDirectory() as folder:
        lines = stamped([*command, "--seed", str(seed), "--json", *options], folder, seconds)
        with closing(Store(f"sqlite:///{folder}/runs/nas.db")) as store:
            run = store.run("search")
    found, trials = list[Candidate](), {trial.number: trial for trial in run.feasible()}
    for at, line in lines:
        if line["event"] == "trial" and (trial := trials.get(line["trial"])):
            accuracy, latency = run.point(trial)
            found.append(
                Candidate(
                    method=NAS, seed=seed, at=at, architecture=trial.architecture, costs=(-accuracy, latency),
                    steps=trial.seconds,
                )
            )  # fmt: skip
    return found


def script_search(seed: int, seconds: float) -> list[Candidate]:
    """What the script evaluates in that time; a candidate that it has begun in time may end later."""
    command = [sys.executable, weekend_script.__file__, "--budget", UNLIMITED]
    with tempfile.TemporaryDirectory() as folder:
        lines = stamped([*command, "--seed", str(seed), "--seconds", str(seconds)], folder)
    return [
        Candidate(
            method=SCRIPT, seed=seed, at=at, architecture=network(line["depths"]),
            costs=(-line["giga_macs"], line["milliseconds"]), steps=line["seconds"],
        )
        for at, line in lines
        if "depths" in line
    ]  # fmt: skip


def pace(candidates: Sequence[Candidate], with_start: bool) -> float:
    """Seconds a candidate, over all seeds; without the start they count from the first candidate on."""
    searches = [[each.at for each in candidates if each.seed == seed] for seed in {each.seed for each in candidates}]
    if with_start:
        return sum(times[-1] for times in searches) / len(candidates)
    return sum(times[-1] - times[0] for times in searches) / (len(candidates) - len(searches))


# Repeated latencies


def fresh_process() -> ProcessPoolExecutor:
    """One process that has measured nothing yet."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def exported(depths: tuple[int, ...], file: Path) -> Path:
    """The ONNX file that the script writes."""
    return weekend_script.export(weekend_script.build(depths), file)


def script_latency(file: Path) -> float:
    """Milliseconds as the script measures them."""
    return weekend_script.milliseconds(weekend_script.session(file))


def repeated(networks: Sequence[tuple[int, ...]], repeats: int) -> list[Repeat]:
    """The latencies of every network by both methods, in turns of a block.

    Ours are as a run reads them: ratios, times one constant of the device, which changes no variation.
    """
    rows, ours, ort = list[Repeat](), list[tuple[Architecture, Measurement]](), evaluators.get("ort")
    with tempfile.TemporaryDirectory() as folder:
        with fresh_process() as pool:
            files = list(pool.map(exported, networks, [Path(folder) / f"{n}.onnx" for n in range(len(networks))]))
        for block in range(repeats):
            with fresh_process() as pool:
                for depths, latency in zip(networks, pool.map(script_latency, files), strict=True):
                    name = str(network(depths))
                    rows.append(Repeat(method=SCRIPT, network=name, milliseconds=latency, moment=latency))
            with Bench() as bench:
                ours += [(each, bench.measure(ort, each)) for each in map(network, networks)]
            say(f"latencies: block {block + 1} of {repeats}")
    return rows + [
        Repeat(method=NAS, network=str(each), milliseconds=latency, moment=found.value)
        for (each, found), latency in zip(ours, at_typical_speed(ours), strict=True)
    ]


def at_typical_speed(measured: Sequence[tuple[Architecture, Measurement]]) -> list[float]:
    """Milliseconds of each measurement alone, at the typical speed of the device in all of them."""
    device = calibrate((each.id, ratio) for each, found in measured if (ratio := ratio_of(found)))
    return [device.applied([found]).value for _, found in measured]


def variation(rows: Sequence[Repeat], field: str) -> float:
    """The coefficient of variation of repeats, pooled over networks."""
    groups = defaultdict(list)
    for row in rows:
        groups[row.network].append(math.log(getattr(row, field)))
    return math.sqrt(np.mean([np.var(logs, ddof=1) for logs in groups.values()]))


def ratio_interval(ratio: float, freedom: int) -> tuple[float, float]:
    """The 95 % interval of a ratio of two standard deviations with these degrees of freedom each."""
    factor = math.sqrt(f_distribution.ppf(0.975, freedom, freedom))
    return ratio / factor, ratio * factor


# The fronts


def own_fronts(candidates: Sequence[Candidate], seconds: float) -> Fronts:
    """The front of each search after that time, as the search itself sees it."""
    found: Fronts = {}
    for search in dict.fromkeys((each.method, each.seed) for each in candidates):
        own = [each for each in candidates if (each.method, each.seed) == search and each.at <= seconds]
        if len(own) < 2:
            raise SystemExit(f"{search[0]} evaluated {len(own)} networks in {seconds:g} s: give more with --seconds")
        keep = non_dominated(np.array([each.costs for each in own]))
        found[search] = [each.architecture for each, kept in zip(own, keep, strict=True) if kept]
    return found


def judged(architectures: Sequence[Architecture]) -> dict[Architecture, tuple[float, float]]:
    """Minus the score by `published`, and milliseconds by our stopwatch, measured now and in random order."""
    order, ort, published = list(dict.fromkeys(architectures)), evaluators.get("ort"), evaluators.get("published")
    random.Random(0).shuffle(order)
    with Bench() as bench:
        measured = [(each, bench.measure(ort, each)) for each in order]
    return {
        each: (-published.measure(each).value, latency)
        for each, latency in zip(order, at_typical_speed(measured), strict=True)
    }


def covered(points: Points, everything: Points) -> float:
    """The hypervolume, as a share of what the best value in each objective would cover."""
    best, span = everything.min(0), np.ptp(everything, axis=0)
    return hypervolume((points - best) / span, np.full(2, BEYOND)) / BEYOND**2


def beaten(points: Points, by: Points) -> float:
    """The share of points that one of the others dominates."""
    return float(np.mean([((by <= point).all(1) & (by < point).any(1)).any() for point in points]))


# The report


def row(words: str, ours: str, theirs: str, ratio: str = "", target: str = "") -> str:
    """A line of the table."""
    return f"| {words} | {ours} | {theirs} | {ratio} | {target} |"


def compared(candidates: Sequence[Candidate], repeats: Sequence[Repeat]) -> Iterator[str]:
    """The lines about time and variation."""
    by_method = [[each for each in candidates if each.method == method] for method in METHODS]
    for words, with_start in (("with its start", True), ("without", False)):
        ours, theirs = (pace(each, with_start) for each in by_method)
        ratio, target = f"{theirs / ours:.1f}", f"{TARGETS['time']}"
        yield row(f"seconds a candidate, {words}", f"{ours:.2f}", f"{theirs:.2f}", ratio, target)
    rows = [[each for each in repeats if each.method == method] for method in METHODS]
    for words, field in (("", "milliseconds"), (", at the speed of the moment", "moment")):
        ours, theirs = (variation(each, field) for each in rows)
        low, high = ratio_interval(theirs / ours, len(rows[0]) - len({each.network for each in rows[0]}))
        ratio, target = f"{theirs / ours:.1f} (95 %: {low:.1f} to {high:.1f})", f"{TARGETS['variation']}"
        yield row(f"variation of a latency{words}", f"{ours:.2%}", f"{theirs:.2%}", ratio, target)


def covers(fronts: Fronts, values: dict[Architecture, tuple[float, float]]) -> Iterator[str]:
    """The lines about the fronts, three for each seed."""
    everything = np.array(list(values.values()))
    for seed in sorted({seed for _, seed in fronts}):
        ours, theirs = (np.array([values[each] for each in fronts[method, seed]]) for method in METHODS)
        shares = covered(ours, everything), covered(theirs, everything)
        yield row(f"seed {seed}: networks on the front", f"{len(ours)}", f"{len(theirs)}")
        yield row("their hypervolume", f"{shares[0]:.3f}", f"{shares[1]:.3f}", f"{shares[0] / shares[1]:.2f}")
        yield row("beaten by the other's", f"{beaten(ours, theirs):.0%}", f"{beaten(theirs, ours):.0%}")


def steps(candidates: Sequence[Candidate], method: str) -> str:
    """Where the time of a candidate goes, on average."""
    total, own = Counter[str](), [each.steps for each in candidates if each.method == method]
    for each in own:
        total.update(each)
    return f"{method}: {', '.join(f'{name} {seconds / len(own):.2f} s' for name, seconds in total.items())}"


def say(sentence: str) -> None:
    """Progress, beside the table on standard output."""
    print(sentence, file=sys.stderr, flush=True)


def main() -> None:
    """Searches and measures by both methods, and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=80, help="of each search")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5, help="of each latency")
    parser.add_argument("--quick", action="store_true", help="one seed, 25 s, three networks, two repeats")
    parser.add_argument("--run", default="", help="further options of nas run, in one text")
    parser.add_argument("--json", type=Path, help="where candidates and latencies are written")
    arguments = parser.parse_args()
    seconds, seeds, blocks, depths = arguments.seconds, arguments.seeds, arguments.repeats, DEPTHS
    if arguments.quick:
        seconds, seeds, blocks, depths = 25.0, 1, 2, DEPTHS[:3]
    candidates: list[Candidate] = []
    for seed in range(seeds):
        candidates += script_search(seed, seconds)
        candidates += nas_search(seed, seconds, shlex.split(arguments.run))
        say(f"searches: seed {seed + 1} of {seeds}, {len(candidates)} candidates so far")
    fronts = own_fronts(candidates, seconds)
    repeats = repeated(depths, blocks)
    values = judged([each for members in fronts.values() for each in members])
    print(row("", NAS, SCRIPT, "ratio", "target"), "|---|---|---|---|---|", sep="\n")
    print(*compared(candidates, repeats), *covers(fronts, values), "", sep="\n")
    print(*(steps(candidates, method) for method in METHODS), sep="\n")
    if arguments.json:
        rows = [asdict(each) | {"architecture": each.architecture.to_dict()} for each in candidates]
        judgements = [{"architecture": each.to_dict(), "costs": costs} for each, costs in values.items()]
        plain = {"candidates": rows, "repeats": [asdict(each) for each in repeats], "judged": judgements}
        arguments.json.write_text(json.dumps(plain, indent=1))


if __name__ == "__main__":
    main()
