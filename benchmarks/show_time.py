"""How long `nas show` takes, as a process of its own, to recompute the front for another limit.

    python benchmarks/show_time.py --store sqlite:///runs/nas.db --limit 'ort<=60ms'

For a run of 200 it must be under a second.
"""

import argparse
import subprocess
import sys
import time


def main() -> None:
    """Runs the command five times and prints the seconds of every run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="sqlite:///runs/nas.db")
    parser.add_argument("--limit", default="ort<=60ms")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "nas", "show", "--store", arguments.store, "--limit", arguments.limit]
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        print(f"{time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
