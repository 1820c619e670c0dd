"""The networks of the experiment: every strategy of `nas strategies` at one latency, to be trained on photographs.

    nas strategies --scaling tiny --at 1.5ms --latency ort:resolution=64 --json > strategies.json
    python benchmarks/strategies/networks.py strategies.json            writes genotypes.json here
    python benchmarks/nhs_truth/train.py --networks benchmarks/strategies --data cifar10 --photos cifar10/ --epochs 6
    python benchmarks/strategies/analyse.py

A network has the latency of the device on which it was found; its accuracy holds for every device.
"""

import json
import sys
from pathlib import Path
from typing import Any

from evaluators.counts.formula import total
from search_spaces import Architecture

HERE = Path(__file__).parent
RESOLUTION = 64


def main() -> None:
    report = json.loads(Path(sys.argv[1]).read_text())
    found: dict[str, dict[str, Any]] = {}
    for answer in report["answers"]:
        for standing in answer["strategies"]:
            for entry in standing["entries"]:
                made = genotype(entry) | {"at": report["at"]}
                row = found.setdefault(made["id"], made)
                row["strategies"] = sorted({*row["strategies"], standing["name"]})
            if not standing["entries"]:
                print(f"{standing['name']}: {'; '.join(standing['missing'])}")
    (HERE / "genotypes.json").write_text(json.dumps(list(found.values()), indent=1) + "\n")
    print(f"{len(found)} networks")


def genotype(entry: dict[str, Any]) -> dict[str, Any]:
    """A network as the training reads it, with its latency and the strategies that it stands for."""
    architecture = Architecture.from_dict(entry["architecture"])
    work = total(architecture, RESOLUTION)
    return {
        "id": architecture.id,
        "notation": str(architecture),
        "control": "",
        "strategies": [],
        "macs": work.all_macs,
        "params": work.params,
        "latency": entry["latency"],
        "missed_by": entry["missed_by"],
        "architecture": architecture.to_dict(),
    }


if __name__ == "__main__":
    main()
