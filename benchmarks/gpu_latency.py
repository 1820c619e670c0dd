"""S, B, L and twenty candidates on an NVIDIA GPU, and how well they repeat: for a machine that has one.

    python benchmarks/gpu_latency.py --latency cuda:batch=8 --latency trt:batch=8

Writes benchmarks/results/LATENCY-GPU.json with the device's fingerprint, and prints a table of ratios to Next-ViT-S.
S, B and L are measured in five processes each and must repeat within 2 %.
"""

import argparse
import json
import re
import statistics
from pathlib import Path

import evaluators
from evaluators import Evaluator, Measurement
from evaluators.workers.bench import Bench
from nas.commands.measure import sample
from search_spaces import PAPER, Architecture

RESULTS = Path(__file__).parent / "results"
REPEATS, CANDIDATES = 5, 20


def main() -> None:
    """Measures every latency that was named, and stops at one that cannot run here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", action="append", required=True)
    for spec in parser.parse_args().latency:
        evaluator = evaluators.get(spec, "latency")
        if reason := evaluator.missing():
            raise reason
        record(evaluator)


def record(evaluator: Evaluator) -> None:
    """Measures, prints and writes."""
    with Bench(timeout=1800) as bench:
        papers = {name: [bench.measure(evaluator, network) for _ in range(REPEATS)] for name, network in PAPER.items()}
        architectures = [candidate.architecture for candidate in sample("nhs", CANDIDATES, seed=0)]
        others = [bench.measure(evaluator, architecture) for architecture in architectures]
    first = statistics.median(measurement.value for measurement in papers["next-vit-s"])
    print(f"{evaluator.spec} on {evaluator.device().label}, {evaluator.versions()}")
    for name, measurements in papers.items():
        values = [measurement.value for measurement in measurements]
        spread = (max(values) - min(values)) / statistics.median(values)
        middle = statistics.median(values)
        print(f"  {name}: {middle:.3f} ms, ratio {middle / first:.3f}, spread {spread:.2%}")
    slug = re.sub(r"[^a-z0-9]+", "-", f"{evaluator.spec}-{evaluator.device().label}".lower()).strip("-")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{slug}.json"
    rows = [
        row(name, PAPER[name], measurement) for name, measurements in papers.items() for measurement in measurements
    ]
    rows += [
        row(str(network), network, measurement) for network, measurement in zip(architectures, others, strict=True)
    ]
    path.write_text(json.dumps({"device": evaluator.device().facts, "measurements": rows}, indent=1))
    print(f"  {path}")


def row(name: str, architecture: Architecture, measurement: Measurement) -> dict[str, object]:
    """One line of the record."""
    return {"network": name, "id": architecture.id, "measurement": measurement.to_dict()}


if __name__ == "__main__":
    main()
