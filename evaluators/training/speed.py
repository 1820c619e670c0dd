"""How fast this machine trains: seconds an image, timed in short trainings on noise, in parallel as in a search.

Run as `python -m evaluators.training.speed JSON RESOLUTION CLASSES`, it prints the seconds of one network.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np

from evaluators.core.evaluator import cores
from evaluators.counts.formula import total
from evaluators.datasets.images import Head, Images
from search_spaces import Architecture
from search_spaces.common.errors import InfrastructureFailed

STEPS = 2  # timed, after one that is not
RESOLUTIONS = (32, 64)
VALIDATION = 1 / 3  # of the time of a training step: the forward pass alone


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Seconds of an image in a training step: a fixed part, one for each multiply-accumulate, and one for each weight.

    Small images leave the late stages with few positions, where a step spends its time on weights: their gradients and
    their update. Of 13 networks that were trained at 32 px on two cores, seconds follow MACs alone within 32 %, and
    MACs and weights within 8 %.
    """

    fixed: float
    per_mac: float
    per_weight: float
    start: float  # seconds until a new process trains
    parallel: int  # networks in training at once: the seconds are those of one of them

    def seconds(self, architecture: Architecture, resolution: int, images: float) -> float:
        """Of training a network on so many images, counted in every epoch."""
        return images * float(_costs(architecture, resolution) @ (self.fixed, self.per_mac, self.per_weight))


def measured(networks: Sequence[Architecture], classes: int, parallel: int) -> Speed:
    """Times two networks or more at two resolutions, and fits what an image takes.

    Each is timed in `parallel` processes at once: trainings side by side share caches, memory and often a core.

    Raises:
        InfrastructureFailed: a training failed, for instance for want of memory.
    """
    jobs = list(product(networks, RESOLUTIONS))
    seconds = np.array([_side_by_side(network, side, classes, parallel) for network, side in jobs])
    fixed, per_mac, per_weight = _fitted(np.array([_costs(*job) for job in jobs]), seconds[:, 0])
    start = float(np.median(seconds[:, 1]))
    return Speed(fixed=fixed, per_mac=per_mac, per_weight=per_weight, start=start, parallel=parallel)


def _side_by_side(architecture: Architecture, resolution: int, classes: int, parallel: int) -> "np.ndarray":
    """The means of `_in_a_process` over as many processes at once as there are trainings."""
    with ThreadPoolExecutor(parallel) as pool:
        timed = [pool.submit(_in_a_process, architecture, resolution, classes, parallel) for _ in range(parallel)]
        return np.asarray(np.mean([each.result() for each in timed], axis=0))


def _costs(architecture: Architecture, resolution: int) -> "np.ndarray":
    """1, the multiply-accumulates of an image, and the weights of a network."""
    work = total(architecture, resolution)
    return np.array([1.0, work.all_macs, work.params])


def _fitted(costs: "np.ndarray", seconds: "np.ndarray") -> tuple[float, float, float]:
    """The seconds of each cost, none of them negative, with the least relative errors."""
    from scipy.optimize import nnls

    scale = costs.max(0)
    fixed, per_mac, per_weight = nnls(costs / scale / seconds[:, None], np.ones_like(seconds))[0] / scale
    return float(fixed), float(per_mac), float(per_weight)


def _in_a_process(architecture: Architecture, resolution: int, classes: int, parallel: int) -> tuple[float, float]:
    """Seconds an image, and seconds until the process could train."""
    threads = {"OMP_NUM_THREADS": str(max(1, cores() // parallel))} if parallel > 1 else {}
    command = [sys.executable, "-m", __spec__.name, architecture.canonical_json(), str(resolution), str(classes)]
    began = time.perf_counter()
    done = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - began
    try:
        seconds, trained = map(float, done.stdout.split())
    except ValueError:
        last = done.stderr.strip()[-500:]
        raise InfrastructureFailed("the speed of training could not be measured", last or "no output") from None
    return seconds, elapsed - trained


def timed(architecture: Architecture, resolution: int, classes: int, device: str) -> tuple[float, float]:
    """Seconds an image in this process, and the seconds that finding it out took."""
    from evaluators.training.short_training import Recipe, train
    from search_spaces.nextvit.network import NextViT

    began, recipe = time.perf_counter(), Recipe(epochs=1, learning_rate=1e-6)
    network = NextViT(architecture, num_classes=classes, drop_path_rate=0)
    train(network, _noise(recipe.batch_size, resolution, classes), recipe, device)
    outcome = train(network, _noise(STEPS * recipe.batch_size, resolution, classes), recipe, device)
    return outcome.seconds / outcome.samples, time.perf_counter() - began


def _noise(count: int, resolution: int, classes: int) -> Images:
    import torch

    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 3, resolution, resolution), generator=random, dtype=torch.uint8)
    labels = torch.randint(0, classes, (count,), generator=random)
    return Images(
        name="noise",
        identity="",
        heads=(Head(name="class", first=0, classes=classes, chance=1 / classes),),
        train_pixels=pixels,
        train_labels=labels,
        valid_pixels=pixels[:2],
        valid_labels=labels[:2],
        mirrors=True,
    )


def main() -> None:
    """Prints the two numbers of `timed` for the network of the command line."""
    import torch

    description, resolution, classes = sys.argv[1:]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(*timed(Architecture.from_dict(json.loads(description)), int(resolution), int(classes), device))  # noqa: T201


if __name__ == "__main__":
    main()
