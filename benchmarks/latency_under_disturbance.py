"""How well a latency repeats on a machine that is not calm: the acceptance test of the stopwatch.

    python benchmarks/latency_under_disturbance.py --processes 8 --json results.json
    python benchmarks/latency_under_disturbance.py --against ../first-version   another checkout's `nas measure`, too

Two networks, Next-ViT-S and one of about three quarters of its time, are measured in fresh processes, in turns, under
each disturbance. Every disturbance is a session of its own: Linux shares a core between sessions, not processes. It
prints, for each condition, the coefficient of variation of each network (it must be 3 % or less), how far the ratio
of the two is from the undisturbed one (2 %), and how long a measurement took (3.0 s, and 4.0 s with opening).
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import evaluators
from evaluators.core.measurement import Measurement
from evaluators.stopwatch.calibration import Ratio, calibrate, ratio_of
from evaluators.workers.bench import Bench
from search_spaces import PAPER, Architecture

NETWORKS = {"S": PAPER["next-vit-s"], "3/4 S": Architecture.from_notation("CC-CCCT-CCCCT-CCT")}
BURN = "import numpy as np\na = np.ones(1 << 20)\nb = np.empty_like(a)\nwhile True:\n    np.copyto(b, a)\n"
TOGGLE = """
import numpy as np, time
a = np.ones(1 << 20)
b = np.empty_like(a)
while True:
    end = time.monotonic() + 3
    while time.monotonic() < end:
        np.copyto(b, a)
    time.sleep(3)
"""
CONDITIONS: dict[str, list[tuple[str, str]]] = {  # programs, each with the core that it is pinned to; "" for any
    "none": [],
    "other core": [(BURN, "last")],
    "same core": [(BURN, "first")],
    "toggling": [(TOGGLE, "first")],
    "memory, four processes": [(BURN, "")] * 4,
}


@contextmanager
def disturbance(name: str) -> Iterator[None]:
    """The machine while somebody else uses it; whoever measures beside a burner on the first core must stay on it."""
    cores = sorted(os.sched_getaffinity(0))
    pins = {"first": {cores[0]}, "last": {cores[-1]}, "": set(cores)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {pins[where]!r})\n{program}"],
            start_new_session=True,
        )
        for program, where in CONDITIONS[name]
    ]
    try:
        time.sleep(2.0 if started else 0.0)
        if any(where == "first" for _, where in CONDITIONS[name]):
            os.sched_setaffinity(0, pins["first"])  # the workers inherit it
        yield
    finally:
        os.sched_setaffinity(0, pins[""])
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def measured(name: str, processes: int, spec: str) -> list[dict[str, Any]]:
    """Both networks in turns, each time in a fresh process, under one condition."""
    rows, evaluator = [], evaluators.get(spec, "latency")
    with disturbance(name), Bench() as bench:
        for _ in range(processes):
            for network, architecture in NETWORKS.items():
                found = bench.measure(evaluator, architecture)
                ratio = ratio_of(found)
                assert ratio
                rows.append(
                    {
                        "condition": name,
                        "network": network,
                        "log": ratio.log,
                        "error": ratio.error,
                        "rounds": ratio.rounds,
                        "reference": ratio.reference,
                        "cpu_share": ratio.cpu_share,
                        "quality": found.quality,
                        "stopwatch_s": found.details["seconds"],
                        "total_s": found.details["opening_seconds"] + found.details["seconds"],
                    }
                )
                print(json.dumps(rows[-1]), flush=True)
    return rows


def first_version(name: str, processes: int, checkout: Path) -> list[dict[str, Any]]:
    """The same by another checkout of this program, through its command line."""
    rows = []
    with disturbance(name):
        for _ in range(processes):
            for network, architecture in NETWORKS.items():
                began = time.perf_counter()
                out = subprocess.run(
                    [sys.executable, "-m", "nas", "measure", str(architecture), "--json", "--store", "sqlite:///no.db"],
                    cwd=checkout,
                    env={**os.environ, "PYTHONPATH": str(checkout)},
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                found: Measurement = Measurement.from_dict(json.loads(out)["measurements"]["ort"])
                rows.append({"condition": name, "network": network, "log": float(np.log(found.value)),
                             "quality": found.quality, "total_s": time.perf_counter() - began})  # fmt: skip
    return rows


def summary(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A table in Markdown: a line for each condition."""
    yield "| condition | CV S / other | ratio S : other, off by | stopwatch, with opening [s] | flags |"
    yield "|---|---|---|---|---|"
    conditions, undisturbed = list(dict.fromkeys(row["condition"] for row in rows)), None
    for name in conditions:
        logs = {n: np.array([r["log"] for r in rows if (r["condition"], r["network"]) == (name, n)]) for n in NETWORKS}
        spread = " / ".join(f"{100 * each.std(ddof=1):.2f} %" for each in logs.values())
        first, second = logs.values()
        ratio = float(np.median(first) - np.median(second))
        error = 1.25 * float(np.hypot(first.std(ddof=1), second.std(ddof=1))) / len(first) ** 0.5
        undisturbed = ratio if undisturbed is None else undisturbed
        own = [row for row in rows if row["condition"] == name]
        longest = max(row.get("stopwatch_s", 0.0) for row in own)
        flags = {flag: sum(row["quality"] == flag for row in own) for flag in sorted({row["quality"] for row in own})}
        yield (
            f"| {name} | {spread} | {100 * (ratio - undisturbed):+.2f} % ± {196 * error:.1f} | "
            f"{longest:.2f}, {statistics.median(row['total_s'] for row in own):.2f} (at most "
            f"{max(row['total_s'] for row in own):.2f}) | {', '.join(f'{n} {flag}' for flag, n in flags.items())} |"
        )


def coverage(rows: list[dict[str, Any]]) -> str:
    """Of all pairs of repeats of a network: how many lie in each other's 95 % interval, with tau from these repeats."""
    ratios = [
        (row["network"], Ratio(log=row["log"], error=row["error"], rounds=row["rounds"], reference=row["reference"],
                               cpu_share=row["cpu_share"]))
        for row in rows
    ]  # fmt: skip
    known = calibrate(ratios)
    inside = total = 0
    for network in NETWORKS:
        own = [ratio for name, ratio in ratios if name == network]
        for index, one in enumerate(own):
            for other in own[:index]:
                total += 1
                inside += (
                    abs(one.log - other.log) <= 1.96 * (one.variance(known.tau) + other.variance(known.tau)) ** 0.5
                )
    return f"tau {known.tau:.4f}; of {total} pairs of repeats, {inside / total:.1%} agree within their errors"


def main() -> None:
    """Measures under every condition and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--latency", default="ort")
    parser.add_argument("--condition", action="append", choices=CONDITIONS, help="several times; all without it")
    parser.add_argument("--against", type=Path, help="a checkout whose stopwatch is measured, too")
    parser.add_argument("--json", type=Path, help="where the rows are written")
    arguments = parser.parse_args()
    rows, others = [], []
    for name in arguments.condition or CONDITIONS:
        rows += measured(name, arguments.processes, arguments.latency)
        if arguments.against:
            others += first_version(name, arguments.processes, arguments.against)
        if arguments.json:
            arguments.json.write_text(json.dumps({"rows": rows, "against": others}, indent=1))
    print("\n".join(summary(rows)))
    print(coverage(rows))
    if others:
        print("\n".join(["", f"The same by {arguments.against}:", "", *summary(others)]))


if __name__ == "__main__":
    main()
