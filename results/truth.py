"""Truth to hold scores against: tables of networks whose accuracy is known, from a CSV file or from the database.

Columns are known by their names: `accuracy` (or `accuracy_seed0`, `accuracy_seed1`, ...) is required, `architecture` is
a network of ours (notation or JSON) or any code of equal length, columns that end in `_ms` are latencies and in
`_img_per_s` throughputs, `params`, `macs`, `activations` and their like are structure; every other number is a score.
"""

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluators.common import features
from evaluators.common.ranking import FEWEST
from search_spaces import Architecture
from search_spaces.common.errors import InvalidArchitecture, NegativeAnswer, UsageError

if TYPE_CHECKING:
    import pandas as pd

Vector = NDArray[np.float64]
ACCURACIES = ("accuracy", "val_accuracy", "test_accuracy", "top1", "cifar100_top1", "acc1")
STRUCTURE = ("params", "param_count", "macs", "gmacs", "flops", "activations", "macts", "depth", "width")
LABELS = ("architecture", "model", "id", "name", "img_size")


@dataclass(frozen=True, kw_only=True)
class Truth:
    """n networks with their accuracies (n, seeds) in percent, and whatever else is known of each."""

    name: str
    accuracies: Vector
    structure: dict[str, Vector] = field(default_factory=dict)
    scores: dict[str, Vector] = field(default_factory=dict)
    latencies: dict[str, Vector] = field(default_factory=dict)  # ms; not a number where unknown
    codes: Vector = field(default_factory=lambda: np.empty((0, 0)))  # (n, c): how each is built, for predictors
    architectures: tuple[Architecture, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def accuracy(self) -> Vector:
        """The mean over seeds."""
        return np.asarray(self.accuracies.mean(1))

    def features(self) -> tuple[Vector, list[str | None]]:
        """Everything that a predictor may look at, (n, p); counts on a logarithmic scale, structure named."""
        named = [(name, _scaled(column)) for name, column in self.structure.items()]
        rest = [_scaled(column) for column in self.scores.values()] + list(self.codes.T if self.codes.size else ())
        return np.column_stack([column for _, column in named] + rest), [name for name, _ in named] + [None] * len(rest)


def _scaled(column: Vector) -> Vector:
    """ln(1 + |x|) with its sign: scores span many orders of magnitude."""
    return np.asarray(np.sign(column) * np.log1p(np.abs(column)))


def read(path: Path) -> Truth:
    """The truth of a CSV file.

    Raises:
        UsageError: no such file, no accuracy column, or fewer than ten usable rows.
    """
    import pandas as pd

    if not path.is_file():
        raise UsageError(f"there is no file '{path}'", "give a CSV file, or 'store' for the networks trained here")
    try:
        table = pd.read_csv(path, dtype={"architecture": str}, thousands=",")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UsageError(
            f"'{path}' cannot be read as CSV: {error}", "see nas validate --help for the columns"
        ) from None
    seeds = [name for name in table.columns if re.fullmatch(r"accuracy_seed\d+", name)]
    columns = seeds or [name for name in table.columns if name in ACCURACIES][:1]
    if not columns:
        raise UsageError(
            f"'{path}' has no column of accuracies; its columns: {', '.join(map(str, table.columns))}",
            f"name it accuracy, or accuracy_seed0, accuracy_seed1, ... (also known: {', '.join(ACCURACIES[1:])})",
        )
    return _truth(path.stem, table, columns)


def of_networks(name: str, networks: Sequence[Architecture], accuracies: Vector) -> Truth:
    """The truth of networks of ours, with their accuracies (n, seeds)."""
    codes, structure = _described(networks)
    truth = Truth(name=name, accuracies=accuracies, structure=structure, codes=codes, architectures=tuple(networks))
    return replace(truth, remarks=tuple(_remarks(truth)))


def _described(networks: Sequence[Architecture]) -> tuple[Vector, dict[str, Vector]]:
    """How networks of ours are built (n, c), and their counts."""
    values, names = features.matrix([features.structure(each) for each in networks])
    rest = values[:, [index for index, name in enumerate(names) if not name]]
    return rest, {name: np.expm1(values[:, index]) for index, name in enumerate(names) if name}


def _truth(name: str, table: "pd.DataFrame", accuracies: list[str]) -> Truth:
    numbers: list[str] = []
    texts: list[str] = []
    for column in table.columns:
        if column not in (*accuracies, *LABELS):
            (numbers if table[column].dtype.kind in "iufb" else texts).append(str(column))
    latencies = [column for column in numbers if _is_latency(column)]
    needed = [*accuracies, *(column for column in numbers if column not in latencies)]
    whole = table[needed].notna().all(axis=1)
    remarks = [f"{(~whole).sum()} rows with missing numbers are left out"] if not whole.all() else []
    table = table[whole].reset_index(drop=True)
    if len(table) < FEWEST:
        raise UsageError(f"'{name}' has {len(table)} usable rows: {FEWEST} are the least", "add networks")
    codes, structure, architectures, used = _encoded(table, texts)
    if ignored := [text for text in texts if text not in used]:
        remarks.append(f"columns that hold no numbers are left out: {', '.join(ignored)}")
    values = {column: table[column].to_numpy(dtype=float) for column in numbers}
    truth = Truth(
        name=name,
        accuracies=table[accuracies].to_numpy(dtype=float),
        structure={**{column: values[column] for column in numbers if column in STRUCTURE}, **structure},
        scores={c: v for c, v in values.items() if c not in STRUCTURE and c not in latencies and c not in used},
        latencies={_latency_name(column): _milliseconds(column, values[column]) for column in latencies},
        codes=codes,
        architectures=architectures,
    )
    return replace(truth, remarks=(*remarks, *_remarks(truth)))


def _is_latency(column: str) -> bool:
    return bool(re.search(r"_ms($|_batch)|_img_per_s$|^latency", column))


def _latency_name(column: str) -> str:
    return column.removesuffix("_img_per_s") if column.endswith("_img_per_s") else column


def _milliseconds(column: str, values: Vector) -> Vector:
    return 1000 / values if column.endswith("_img_per_s") else values


def _remarks(truth: Truth) -> list[str]:
    """What makes a table say less than it seems to."""
    found = []
    if ties := len(truth.accuracy) - len(np.unique(truth.accuracy)):
        found.append(f"{ties} networks tie with another in accuracy: tau-b allows for it")
    for name, column in {**truth.structure, **truth.scores}.items():
        if np.ptp(column) == 0:
            found.append(f"{name} is the same for every network: it ranks nothing")
    if truth.accuracies.shape[1] > 1:
        noise, spread = truth.accuracies.std(1, ddof=1).mean(), truth.accuracy.std(ddof=1)
        if spread < 2 * noise:
            found.append(
                f"differences are near the noise: accuracies spread by {spread:.2f} points, seeds of one by {noise:.2f}"
            )
    return found


Encoding = tuple[Vector, dict[str, Vector], tuple[Architecture, ...], set[str]]


def _encoded(table: "pd.DataFrame", texts: Sequence[str]) -> Encoding:
    """How the networks are built, as numbers: the codes, structure worked out, our architectures, columns used up."""
    if {"base_dim", "mlp_ratio", "depth", "heads"} <= set(table.columns):
        return _pit(table)
    found = table["architecture"].astype(str).tolist() if "architecture" in table.columns else []
    if ours := _ours(found):
        return *_described(ours), ours, set(texts)
    parts = [_parts(text) for text in found]
    if parts and parts[0] and all(len(part) == len(parts[0]) for part in parts):
        return _one_hot(np.array(parts)), {}, (), set()
    return np.empty((len(table), 0)), {}, (), set()


def _ours(texts: Iterable[str]) -> tuple[Architecture, ...]:
    """The networks of notations or JSON; none if any is something else."""
    try:
        return tuple(
            Architecture.from_json(text) if text.startswith("{") else Architecture.from_notation(text) for text in texts
        )
    except InvalidArchitecture:
        return ()


def _parts(text: str) -> tuple[int, ...]:
    """`(4, 0, 3)` and `403` as whole numbers; nothing for other texts."""
    if text.isdigit():
        return tuple(map(int, text))
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return ()
    return found if isinstance(found, tuple) and all(isinstance(each, int) for each in found) else ()


def _one_hot(parts: NDArray[np.int64]) -> Vector:
    """Which choice stands at each place, and how often each choice was made."""
    kinds = np.unique(parts)
    places = [parts == kind for kind in kinds]
    return np.column_stack([*places, *(place.sum(1) for place in places)]).astype(float)


def _pit(table: "pd.DataFrame") -> Encoding:
    """PiT (Heo and others, ICCV 2021): three stages of transformers, pooled between; width = heads x base."""
    depth, heads = (np.array([[int(n) for n in text.split("-")] for text in table[c]]) for c in ("depth", "heads"))
    mlp = table["mlp_ratio"].to_numpy(dtype=float)[:, None]
    width = table["base_dim"].to_numpy(dtype=float)[:, None] * heads
    tokens = np.array([27.0, 14.0, 7.0]) ** 2
    weights = depth * width**2 * (4 + 2 * mlp)
    structure = {
        "params": weights.sum(1),
        "macs": (weights * tokens + 2 * depth * width * tokens**2).sum(1),
        "sum of widths": (depth * width).sum(1),
        "mean log width": np.expm1((depth * np.log(width)).sum(1) / depth.sum(1)),
        "depth": depth.sum(1).astype(float),
    }
    return np.column_stack([np.log(width), depth, mlp]), structure, (), set(table.columns)


def check_networks(truth: Truth, specs: Sequence[str]) -> None:
    """Scores by name can be computed only for networks of ours.

    Raises:
        NegativeAnswer: the table holds others.
    """
    if specs and not truth.architectures:
        raise NegativeAnswer(
            f"'{truth.name}' names no networks of ours: {', '.join(specs)} cannot be computed for them",
            f"leave them out: its own scores are {', '.join(truth.scores) or 'none'}",
        )
