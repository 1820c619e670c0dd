"""What measuring over SSH costs: seconds between request and answer, minus the worker's own work.

    python benchmarks/transport_overhead.py --host localhost

Without --host a server of our own is started on the loopback interface (needs sshd). A job over SSH must cost at most
50 ms beyond the measuring itself and the start of its worker.
"""

import argparse
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

import evaluators
from evaluators import Evaluator
from evaluators.workers.connection import Worker
from search_spaces import PAPER

JOBS = 20


def main() -> None:
    """Prints the overhead of a job, and the time to start a worker, here and over SSH."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", help="an SSH destination where nas is installed")
    parser.add_argument("--python", default=sys.executable, help="the interpreter there")
    arguments = parser.parse_args()
    report("here", evaluators.get("ort:resolution=32"))
    if arguments.host:
        report("over SSH", evaluators.get(f"ort:resolution=32,python={arguments.python}@ssh:{arguments.host}"))
        return
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.ssh import HOST, Server, short_folder

    folder = short_folder()
    server = Server(folder)
    os.environ["NAS_SSH"] = server.client
    try:
        report("over SSH", evaluators.get(f"ort:resolution=32,python={arguments.python}@ssh:{HOST}"))
    finally:
        server.stop()
        shutil.rmtree(folder)


def report(name: str, evaluator: Evaluator) -> None:
    """Times twenty jobs of one warm worker, from request to answer, and five starts."""
    starts = []
    for _ in range(5):
        start = time.perf_counter()
        worker = Worker(evaluator.location, evaluator.local.spec)
        worker.run({"do": "describe", "evaluator": evaluator.local.spec}, 60)
        starts.append(time.perf_counter() - start)
        worker.close()
    worker = Worker(evaluator.location, evaluator.local.spec)
    job = {"do": "measure", "evaluator": evaluator.local.spec, "architecture": PAPER["next-vit-s"].to_dict()}
    worker.run(job, 120)  # the first one finishes the preparation
    overheads = []
    for _ in range(JOBS):
        start = time.perf_counter()
        answer = worker.run(job, 120)
        overheads.append(time.perf_counter() - start - answer["measurement"]["seconds"])
    worker.close()
    print(
        f"{name}: a job costs {1000 * statistics.median(overheads):.1f} ms beyond measuring "
        f"(at most {1000 * max(overheads):.1f}); a worker is ready after {statistics.median(starts):.2f} s"
    )


if __name__ == "__main__":
    main()
