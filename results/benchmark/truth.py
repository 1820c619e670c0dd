"""Truths: tables of networks with known accuracy, with which scores are compared; from CSV files or the database.

Columns are known by their names: `accuracy` (or `accuracy_seed0`, `accuracy_seed1`, ...) is required, `architecture` is
a network of ours (notation or JSON) or any code of equal length, columns that end in `_ms` are latencies and in
`_img_per_s` throughputs, `params`, `macs`, `activations` and their like are structure; every other number is a score.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluators.prediction import features
from evaluators.statistics.ranking import FEWEST
from results.benchmark import csv_table
from search_spaces import Architecture
from search_spaces.common.errors import InvalidArchitecture, NegativeAnswer, UsageError
from search_spaces.nextvit import reading

if TYPE_CHECKING:
    import pandas as pd

Vector = NDArray[np.float64]
ACCURACIES = ("accuracy", "val_accuracy", "test_accuracy", "top1", "acc1")
STRUCTURE = ("params", "param_count", "macs", "gmacs", "flops", "activations", "macts", "depth", "width")
MOST_CHOICES = 64  # at a place of a code; with more values it is a number
LABELS = ("architecture", "model", "id", "name", "img_size")


@dataclass(frozen=True, kw_only=True)
class Truth:
    """n networks with their accuracies, (n, seeds) in percent, and their other columns, (n,)."""

    name: str
    accuracies: Vector
    structure: dict[str, Vector] = field(default_factory=dict)
    scores: dict[str, Vector] = field(default_factory=dict)
    latencies: dict[str, Vector] = field(default_factory=dict)  # ms; NaN where unknown
    codes: Vector = field(default_factory=lambda: np.empty((0, 0)))  # (n, c): structure, for predictors
    architectures: tuple[Architecture, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def accuracy(self) -> Vector:
        """The mean over seeds."""
        return np.asarray(self.accuracies.mean(1))

    def features(self) -> tuple[Vector, list[str | None]]:
        """The features of a predictor, (n, p), on a logarithmic scale, and the names of those that are structure."""
        named = [(name, _scaled(column)) for name, column in self.structure.items()]
        rest = [_scaled(column) for column in self.scores.values()] + list(self.codes.T if self.codes.size else ())
        return np.column_stack([column for _, column in named] + rest), [name for name, _ in named] + [None] * len(rest)


def _scaled(column: Vector) -> Vector:
    """sign(x) ln(1 + |x|): scores span many orders of magnitude."""
    return np.asarray(np.sign(column) * np.log1p(np.abs(column)))


def read(path: Path) -> Truth:
    """The truth of a CSV file.

    Raises:
        UsageError: no such file, no accuracy column, or fewer than ten usable rows.
    """
    table = csv_table.read(path)
    seeds = [name for name in table.columns if re.fullmatch(r"accuracy_seed\d+", name)]
    columns = seeds or [name for name in table.columns if name in ACCURACIES][:1]
    if not columns:
        raise UsageError(
            f"'{path}' has no column of accuracies; its columns: {_listed(table.columns)}",
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
    values, names = features.matrix([features.structure(network) for network in networks])
    rest = values[:, [index for index, name in enumerate(names) if not name]]
    return rest, {name: np.expm1(values[:, index]) for index, name in enumerate(names) if name}


def _listed(names: Iterable[str]) -> str:
    """Names for a message: the first twenty."""
    known = [str(name) for name in names]
    return ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")


def _truth(name: str, table: "pd.DataFrame", accuracies: list[str]) -> Truth:
    true = np.column_stack([csv_table.percentages(table[column]) for column in accuracies])
    others = [column for column in table.columns if column not in (*accuracies, *LABELS)]
    numeric = [column for column in others if csv_table.is_numeric(table[column])]
    texts = [column for column in others if column not in numeric]
    values = {column: csv_table.numbers(table[column]) for column in numeric}
    whole, remarks = _whole(table, true, [v for column, v in values.items() if not _is_latency(column)])
    if whole.sum() < FEWEST:
        raise UsageError(f"'{name}' has {whole.sum()} usable rows: {FEWEST} are the least", "add networks")
    table, true = table[whole].reset_index(drop=True), true[whole]
    values = {column: numbers[whole] for column, numbers in values.items()}
    codes, structure, architectures, used = _encoded(table, texts)
    if ignored := [text for text in texts if text not in used]:
        remarks.append(f"columns that hold no numbers are left out: {_listed(ignored)}")
    latencies, doubts = _latencies(values)
    truth = Truth(
        name=name,
        accuracies=true,
        structure={
            **{column: numbers for column, numbers in values.items() if column in STRUCTURE},
            **structure,
        },
        scores={c: v for c, v in values.items() if c not in STRUCTURE and not _is_latency(c) and c not in used},
        latencies=latencies,
        codes=codes,
        architectures=architectures,
    )
    return replace(truth, remarks=(*remarks, *doubts, *_remarks(truth)))


def _whole(table: "pd.DataFrame", true: Vector, needed: Sequence[Vector]) -> tuple[NDArray[np.bool_], list[str]]:
    """Which rows are complete, (n,), and remarks about the others."""
    remarks = []
    whole = np.asarray(np.isfinite(np.column_stack([true, *needed])).all(axis=1))
    if not whole.all():
        remarks.append(f"{(~whole).sum()} rows with missing numbers are left out")
    named = table["architecture"].notna().to_numpy() if "architecture" in table.columns else np.ones(len(table), bool)
    if named.any() and (whole & ~named).any():
        remarks.append(f"{(whole & ~named).sum()} rows without an architecture are left out")
        whole &= named
    return whole, remarks


TINIEST = 1e-100  # of a latency or throughput: less is no quantity, and its inverse overflows


def _is_latency(column: str) -> bool:
    return bool(re.search(r"_ms($|_batch)|_img_per_s$|^latency", column))


def _latencies(values: Mapping[str, Vector]) -> tuple[dict[str, Vector], list[str]]:
    """Latencies in ms by device, NaN where unknown, and remarks about values that are no latency."""
    by_device, remarks = {}, []
    for column in filter(_is_latency, values):
        given = values[column]
        positive = np.where(given > TINIEST, given, np.nan)
        times = 1000 / positive if column.endswith("_img_per_s") else positive
        if none := int((np.isfinite(given) & ~np.isfinite(positive)).sum()):
            remarks.append(f"{none} values of {column} are not above 0: taken as unknown")
        if np.isfinite(times).sum() < FEWEST:
            remarks.append(f"{column} is known of {np.isfinite(times).sum()} networks, fewer than {FEWEST}: left out")
        else:
            by_device[column.removesuffix("_img_per_s")] = times
    return by_device, remarks


def _remarks(truth: Truth) -> list[str]:
    """Remarks on what weakens the conclusions from a table."""
    remarks = []
    if ties := len(truth.accuracy) - len(np.unique(truth.accuracy)):
        remarks.append(f"{ties} networks tie with another in accuracy: tau-b allows for it")
    for name, column in {**truth.structure, **truth.scores}.items():
        if len(np.unique(column)) == 1:
            remarks.append(f"{name} is the same for every network: it ranks nothing")
    if truth.accuracies.shape[1] > 1:
        noise, spread = truth.accuracies.std(1, ddof=1).mean(), truth.accuracy.std(ddof=1)
        if spread < 2 * noise:
            remarks.append(
                f"differences are near the noise: accuracies spread by {spread:.2f} points, seeds of one by {noise:.2f}"
            )
    return remarks


Encoding = tuple[Vector, dict[str, Vector], tuple[Architecture, ...], set[str]]


def _encoded(table: "pd.DataFrame", texts: Sequence[str]) -> Encoding:
    """The networks' structure: codes, counts, our architectures, and the text columns that were used."""
    given = [str(cell) for cell in table["architecture"]] if "architecture" in table.columns else []
    if ours := _ours(given):
        return *_described(ours), ours, set(texts)
    parts = [_parts(text) for text in given]
    if parts and parts[0] and len({len(part) for part in parts}) == 1:
        return _one_hot(np.array(parts)), {}, (), set()
    return np.empty((len(table), 0)), {}, (), set()


def _ours(texts: Sequence[str]) -> tuple[Architecture, ...]:
    """The networks of notations or JSON; none if these are other networks than ours.

    Raises:
        UsageError: some are ours and one is not; or it is JSON, from which nothing can be built. Names the first.
    """
    networks: list[Architecture] = []
    refused: list[tuple[int, InvalidArchitecture]] = []
    for row, text in enumerate(texts, start=1):
        is_json = text.startswith("{")
        try:
            networks.append(reading.from_text(text))
        except InvalidArchitecture as error:
            refused.append((row, error))
            if not networks and not is_json:
                return ()
    if refused:
        row, reason = refused[0]
        raise UsageError(f"the architecture of row {row} is no network: {reason.message}", "mend it, or leave it out")
    return tuple(networks)


def _parts(text: str) -> tuple[int, ...]:
    """`(4, 0, 3)` and `403` as whole numbers; nothing for other texts."""
    if re.fullmatch(r"[0-9]+", text):
        return tuple(map(int, text))
    if re.fullmatch(r"\(\s*-?[0-9]{1,9}(\s*,\s*-?[0-9]{1,9})*\s*,?\s*\)", text):
        return tuple(map(int, re.findall(r"-?[0-9]+", text)))
    return ()


def _one_hot(parts: NDArray[np.int64]) -> Vector:
    """The choices at each place as one-hot codes, and how often each choice occurs; (n, 0) where there are none."""
    kinds = np.unique(parts)
    if len(kinds) > MOST_CHOICES:
        return np.empty((len(parts), 0))
    places = [parts == kind for kind in kinds]
    return np.column_stack([*places, *(place.sum(1) for place in places)]).astype(float)


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
