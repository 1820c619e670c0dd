"""Where the time of a run goes: runs the main job and prints seconds by step, memory, and the share outside its work.

    python benchmarks/run_breakdown.py --budget 200

Measuring, scoring and the sampler are the work; counting, storing, starting and drawing are not, and must stay
within 20 % of the whole.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

WORK = {"latency": "measuring", "accuracy": "scoring", "ask": "the sampler"}


def main() -> None:
    """Runs `nas run` in an empty folder and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--sampler", default="gp")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "nas",
            "run",
            "--budget",
            str(arguments.budget),
            "--sampler",
            arguments.sampler,
        ]
        start = time.perf_counter()
        with subprocess.Popen([*command, "--json"], cwd=folder, stdout=subprocess.PIPE, text=True) as process:
            peak = Peak(process.pid)
            assert process.stdout
            events = [json.loads(line) for line in process.stdout]
        report(events, time.perf_counter() - start, peak.bytes)


class Peak(threading.Thread):
    """The most memory that a process and its children held at once: proportional set size, read twice a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.bytes = pid, 0
        self.start()

    def run(self) -> None:
        while Path(f"/proc/{self.pid}").exists():
            self.bytes = max(self.bytes, sum(map(held, family(self.pid))))
            time.sleep(0.5)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return [pid, *(descendant for child in children for descendant in family(child))]


def held(pid: int) -> int:
    """The process's share of memory, in bytes; 0 where it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def report(events: list[dict], whole: float, peak: int) -> None:  # type: ignore[type-arg]
    """Prints the table."""
    last = events[-1]
    trials = [event for event in events if event["event"] == "trial"]
    measured = sum("ort" in event["measurements"] for event in trials)
    print(f"{len(trials)} candidates, {measured} measured, {len({event['id'] for event in trials})} different")
    steps = last["steps"]
    work = sum(seconds for step, seconds in steps.items() if step in WORK)
    for step, seconds in sorted(steps.items(), key=lambda item: -item[1]):
        print(
            f"{WORK.get(step, step):24}{seconds:8.1f} s {seconds / whole:6.1%} {seconds / len(trials):8.3f} s a trial"
        )
    print(f"{'starting, drawing, rest':24}{whole - sum(steps.values()):8.1f} s {1 - sum(steps.values()) / whole:6.1%}")
    print(f"{'whole':24}{whole:8.1f} s; outside measuring, scoring and sampling: {1 - work / whole:.1%}")
    asks = [event["seconds"].get("ask", 0) for event in trials[-20:]]
    print(f"the sampler for the last {len(asks)} candidates: {sum(asks) / len(asks):.2f} s each")
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"memory at its peak: {peak / 1024**3:.2f} GiB in all, {children:.2f} GiB in the largest process")


if __name__ == "__main__":
    main()
