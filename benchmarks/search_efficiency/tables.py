"""Tables of networks whose objectives are all known, so that a search is a look-up and takes no time.

Both objectives are costs, lower is better: minus the accuracy, and the latency. The published tables are not part of
this repository; `nhs` (`make_nhs_table.py`) and the formulas of `toy` are.
"""

import ast
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.search_efficiency import toy
from benchmarks.search_efficiency.networks import Networks, Space
from results.front import hypervolume, non_dominated

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "data"
Array = NDArray[np.float64]
Whole = NDArray[np.int_]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Networks, and the truth about them."""

    networks: Networks
    truth: Array  # (n, 2): minus the accuracy, latency

    @cached_property
    def reference(self) -> Array:
        """The reference point of hypervolumes: the worst value of each objective in the table."""
        return np.asarray(self.truth.max(0))

    @cached_property
    def whole(self) -> float:
        """The hypervolume of the whole table."""
        return volume(self.truth, self.reference)

    @cached_property
    def digest(self) -> str:
        """Changes with the table: the curves of another one do not count."""
        return hashlib.sha256(np.round(self.truth, 6).tobytes() + self.networks.parameters.tobytes()).hexdigest()[:8]

    def seen(self, error: float | None, seed: int) -> Networks:
        """What a sampler sees: no latency, or latencies that are wrong by a relative `error` (standard deviation)."""
        if error is None:
            return self.networks
        noise = np.random.default_rng([seed, 1]).standard_normal(len(self.truth))
        return replace(self.networks, latency=self.truth[:, 1] * np.exp(error * noise), error=error)

    def costs(self, networks: Networks, asked: list[int]) -> Array:
        """The true costs of networks, by their indices."""
        return self.truth[asked]


class Formulas:
    """The toy, in which any network of the space may be asked for; no latency is known beforehand."""

    reference, whole, digest = np.array(toy.REFERENCE), toy.WHOLE, str(toy.WHOLE)

    def seen(self, error: float | None, seed: int) -> Space:
        """The space, of which nothing was asked yet."""
        return Space(toy.CHOICES)

    def costs(self, networks: Space, asked: list[int]) -> Array:
        """The true costs of networks, by their indices."""
        return toy.costs(networks.parameters[asked])


def volume(costs: Array, reference: Array) -> float:
    """The hypervolume of costs (n, 2)."""
    return hypervolume(costs[non_dominated(costs)], reference)


def _accel(folder: Path, device: str) -> Table:
    rows = pd.read_csv(folder / "accel_nasbench.csv")
    return _table(_parsed(rows["architecture"]), rows["accuracy"], rows[device], rows[["macs", "params"]])


def _nasbench201(folder: Path, device: str) -> Table:
    rows = pd.read_csv(folder / "nasbench201_hw.csv")
    counts = rows[["flops", "params"]]
    return _table(_parsed(rows["architecture"]), rows["val_accuracy"], rows[device], counts, categorical=True)


def _macro(folder: Path) -> Table:
    rows = pd.read_csv(folder / "nasbench_macro_cifar10.csv", dtype={"architecture": str})
    accuracy = rows[[f"accuracy_seed{seed}" for seed in range(3)]].mean(axis=1)
    counts = rows[["flops", "params"]]
    return _table(_digits(rows["architecture"]), accuracy, rows["flops"] / 1e6, counts, categorical=True)


def _nhs(folder: Path) -> Table:
    rows = pd.read_csv(folder / "nhs.csv", dtype={"parameters": str}, comment="#")
    return _table(_digits(rows["parameters"]), rows["score"], rows["ms"], rows[["macs", "params"]])


def _table(
    values: Whole, accuracy: "pd.Series[float]", latency: "pd.Series[float]", counts: pd.DataFrame, **kind: bool
) -> Table:
    choices = [np.unique(column, return_inverse=True)[1] for column in values.T if np.ptp(column) > 0]
    networks = Networks(parameters=np.column_stack(choices), counts=np.log(counts.to_numpy(dtype=float)), **kind)
    return Table(networks=networks, truth=np.column_stack([-accuracy.to_numpy(dtype=float), latency.to_numpy(float)]))


def _parsed(column: "pd.Series[str]") -> Whole:
    return np.array([ast.literal_eval(cell) for cell in column])


def _digits(column: "pd.Series[str]") -> Whole:
    return np.array([list(map(int, cell)) for cell in column])


PUBLISHED: dict[str, Callable[[Path], Table]] = {
    "accel-a100": lambda folder: _accel(folder, "a100_ms"),
    "accel-vck190": lambda folder: _accel(folder, "vck190_ms"),
    "nb201-raspi4": lambda folder: _nasbench201(folder, "raspi4_ms"),
    "nb201-pixel3": lambda folder: _nasbench201(folder, "pixel3_ms"),
    "macro-flops": _macro,
}
OWN: dict[str, Callable[[], Table | Formulas]] = {"nhs": lambda: _nhs(HERE), "toy": Formulas}
NAMES = {
    "accel-a100": "Accel-NASBench, A100",
    "accel-vck190": "Accel-NASBench, VCK190",
    "nb201-raspi4": "NAS-Bench-201, Raspberry Pi 4",
    "nb201-pixel3": "NAS-Bench-201, Pixel 3",
    "macro-flops": "NAS-Bench-Macro, FLOPs",
    "nhs": "nhs, predicted",
    "toy": "toy, formulas",
}


@cache
def table(name: str, folder: Path = DATA) -> Table | Formulas:
    """A table by its name."""
    return OWN[name]() if name in OWN else PUBLISHED[name](folder)


def available(wanted: list[str], folder: Path) -> list[str]:
    """Those of the wanted tables that are here; says which are not, and why."""
    missing = [name for name in wanted if name in PUBLISHED and not folder.is_dir()]
    if missing:
        print(f"without {', '.join(missing)}: there is no folder {folder}; name it: --data DIR", file=sys.stderr)
    return [name for name in wanted if name not in missing]
