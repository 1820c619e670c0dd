"""How often `nas measure A B --compare` is right about equal and about different networks, on a machine under load.

    python benchmarks/comparison.py --repeats 20

One pair is truly equal (the same network twice, each with a session and a weights file of its own), the other differs
by less than 10 %. `nas measure A B --compare` must be right in 19 of 20 repeats of each, while another process burns a
core.
"""

import argparse
import multiprocessing

import evaluators
from evaluators.workers.bench import Bench
from evaluators.workers.paired_comparison import compare
from search_spaces import PAPER, Architecture

S = PAPER["next-vit-s"]
FASTER = Architecture.from_notation("CCC-CCCT-CCCTCCCT-CCT")  # by 7.6 % on two cores of an AMD EPYC, calm


def burn() -> None:
    """Keeps one core busy."""
    while True:
        pass


def main() -> None:
    """Repeats both comparisons and prints every verdict and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--burners", type=int, default=1, help="busy processes during the measurement")
    arguments = parser.parse_args()
    burners = [multiprocessing.Process(target=burn, daemon=True) for _ in range(arguments.burners)]
    for burner in burners:
        burner.start()
    evaluator = evaluators.get("ort")
    for name, other, expected in (("equal", S, False), ("different", FASTER, True)):
        right = 0
        with Bench() as bench:
            for number in range(arguments.repeats):
                comparison = compare(bench, evaluator, S, other)
                right += comparison.distinguishable == expected
                print(f"{name} {number}: {comparison.sentence('S', name)}", flush=True)
        print(f"{name}: right in {right} of {arguments.repeats}", flush=True)
    for burner in burners:
        burner.kill()


if __name__ == "__main__":
    main()
