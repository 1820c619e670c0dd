"""How well a latency repeats: one network, several processes, while another process burns a core.

    python benchmarks/latency_repeatability.py --processes 8

The coefficient of variation must be 4 % or less.
"""

import argparse
import multiprocessing
import statistics

import evaluators
from evaluators.workers.bench import Bench
from search_spaces import PAPER


def burn() -> None:
    """Keeps one core busy for ever."""
    while True:
        pass


def main() -> None:
    """Measures Next-ViT-S with and without a burning neighbour, and prints both spreads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--burners", type=int, default=1, help="busy processes beside the measurement")
    arguments = parser.parse_args()
    measure("calm", arguments.processes)
    burners = [multiprocessing.Process(target=burn, daemon=True) for _ in range(arguments.burners)]
    for burner in burners:
        burner.start()
    measure(f"{arguments.burners} cores burning", arguments.processes)
    for burner in burners:
        burner.kill()


def measure(name: str, processes: int) -> None:
    """Measures in so many fresh processes, and prints the values and their coefficient of variation."""
    evaluator = evaluators.get("ort")
    with Bench() as bench:
        found = [bench.measure(evaluator, PAPER["next-vit-s"]) for _ in range(processes)]
    values = [measurement.value for measurement in found]
    spread = statistics.stdev(values) / statistics.mean(values)
    qualities = ", ".join(sorted({measurement.quality for measurement in found}))
    print(f"{name}: {' '.join(f'{value:.2f}' for value in values)} ms; CV {spread:.2%}; {qualities}")


if __name__ == "__main__":
    main()
