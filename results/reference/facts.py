"""Published numbers, each with its source and the strength of its evidence.

A published latency holds for the setting that it was measured in, never for this machine: no view draws it on an axis
of milliseconds that were measured here. The ratio of two networks is what can be compared.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from search_spaces import PAPER
from search_spaces.common.errors import Unavailable

Evidence = Literal["official", "timm", "third party", "figure", "calculated"]  # the strongest first

DATA = Path(__file__).with_name("data")
COLUMNS = ("what", "model", "metric", "value", "unit", "resolution", "setting", "source", "evidence")
IMAGENET = "ImageNet-1k"
SIZES = tuple(PAPER)  # Next-ViT-S, B and L
STRENGTH = get_args(Evidence)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a number was published."""

    key: str
    title: str
    address: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a latency was measured on: device, run-time, precision and batch size (None: not published)."""

    key: str
    label: str  # with its article, for sentences: `a T4`
    device: str
    run_time: str
    precision: str
    batch: int | None


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One published number. `resolution` is in pixels, None where it does not matter or was not published."""

    what: str  # the task or the data: `ImageNet-1k`, `ADE20K UperNet 160k`
    model: str
    metric: str
    value: float
    unit: str
    resolution: int | None
    setting: Setting | None
    source: Source
    evidence: Evidence

    def __str__(self) -> str:
        where = f" on {self.setting.label}" if self.setting else ""
        return f"{self.model}: {self.metric} {self.value:g} {self.unit}".rstrip() + f"{where} ({self.evidence})"


@dataclass(frozen=True, kw_only=True)
class Ratios:
    """How much longer Next-ViT-B and L take than S, in one setting."""

    setting: Setting
    base: float
    large: float
    source: Source

    def __str__(self) -> str:
        return f"1 : {self.base:.2f} : {self.large:.2f} on {self.setting.label}"


@cache
def facts() -> tuple[Fact, ...]:
    """All facts, the strongest evidence first.

    Raises:
        Unavailable: the files of the package are damaged.
    """
    found = [fact for name in ("published.csv", "figure.csv") for fact in _read(name)]
    return tuple(sorted(found, key=lambda fact: STRENGTH.index(fact.evidence)))


def _read(name: str) -> Iterator[Fact]:
    try:
        for row in rows(name):
            yield Fact(
                what=row["what"],
                model=row["model"],
                metric=row["metric"],
                value=float(row["value"]),
                unit=row["unit"],
                resolution=int(row["resolution"]) if row["resolution"] else None,
                setting=settings()[row["setting"]] if row["setting"] else None,
                source=sources()[row["source"]],
                evidence=STRENGTH[STRENGTH.index(row["evidence"])],
            )
    except (KeyError, ValueError, TypeError) as error:
        raise _damaged(name, repr(error)) from None


def latencies(model: str, resolution: int | None = 224) -> tuple[Fact, ...]:
    """The times of a classification network in every published setting, in ms.

    Latencies are those of a batch; throughputs are turned into ms an image, and marked as calculated.
    """
    known = [fact for fact in facts() if (fact.what, fact.model, fact.resolution) == (IMAGENET, model, resolution)]
    per_image = [
        replace(fact, metric="time per image", value=1000 / fact.value, unit="ms", evidence="calculated")
        for fact in known
        if fact.metric == "throughput"
    ]
    return (*(fact for fact in known if fact.metric == "latency"), *per_image)


def accuracies(model: str, resolution: int | None = 224) -> tuple[Fact, ...]:
    """Every published ImageNet-1k top-1 of a network trained with its labels alone, in percent."""
    wanted = (IMAGENET, model, "top-1", resolution)
    return tuple(fact for fact in facts() if (fact.what, fact.model, fact.metric, fact.resolution) == wanted)


def accuracy(model: str, resolution: int | None = 224) -> Fact | None:
    """The ImageNet-1k top-1 of a network with the strongest evidence; None where nothing is published."""
    return next(iter(accuracies(model, resolution)), None)


def ratios(resolution: int | None = 224) -> dict[str, Ratios]:
    """The ratios of Next-ViT-S, B and L, by setting; None has those whose resolution was not published."""
    small, base, large = ({fact.setting: fact for fact in latencies(model, resolution)} for model in SIZES)
    return {
        setting.key: Ratios(
            setting=setting,
            base=base[setting].value / fact.value,
            large=large[setting].value / fact.value,
            source=fact.source,
        )
        for setting, fact in small.items()
        if setting and setting in base and setting in large
    }


@cache
def sources() -> dict[str, Source]:
    """Every source, by its key."""
    return {row["key"]: Source(**row) for row in rows("sources.csv")}


@cache
def settings() -> dict[str, Setting]:
    """Every setting, by its key."""
    return {
        row["key"]: Setting(
            key=row["key"],
            label=row["label"],
            device=row["device"],
            run_time=row["run_time"],
            precision=row["precision"],
            batch=int(row["batch"]) if row["batch"] else None,
        )
        for row in rows("settings.csv")
    }


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a file of this room, as text.

    Raises:
        Unavailable: it cannot be read.
    """
    try:
        lines = (DATA / name).read_text(encoding="utf-8").splitlines()
        return list(csv.DictReader((line for line in lines if not line.startswith("#")), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise _damaged(name, str(error)) from None


def _damaged(name: str, problem: str) -> Unavailable:
    return Unavailable(f"the table of published facts '{name}' is damaged: {problem}", "install nas again")
