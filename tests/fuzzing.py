"""Texts and files as a careless or hostile user gives them: valid ones, mutated along their grammar, and random bytes.

Each surface draws an input from a `random.Random` and reads it. An input is a value, whose round trips hold, or one of
our errors; anything else that is raised is a bug, and so is an input that takes longer than `PATIENCE`.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import evaluators
from evaluators.workers import jobs
from nas.search.config import Config
from results import limits
from results.benchmark import truth
from search_spaces import PAPER, Architecture
from search_spaces.common.errors import NasError
from search_spaces.nextvit import reading
from tests.networks import EVERY

PATIENCE = 2.0  # seconds of this thread
Random = random.Random
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, 2.0, 32.0, -1, 0.5, 7, 96, 1e308, 5e-324, -0.0, 10**30, -(10**30), 10**4000,
    float("nan"), float("inf"), "", "1", "C", "CT", "²³", "NaN", "\x00", "\x1b[31m", "\ud800", "a" * 300,
    "C" * 101, "T" * 3000, [], {}, [[]], [1, 2, 3], {"a": 1}, [None] * 4, ["C"] * 4, {"blocks": "C"},
    "nas.architecture/1", "ort", "entropy", "ort:threads=2", "@ssh:", "ort<=40ms",
)  # fmt: skip
TOKENS = (
    *"CT-:,=@<>+.eE[]{}()\"'\\ \t\n\r#&*!|%?;/~`$^_0123456789", "--", "<=", ">=", "@ssh:", "NaN", "Infinity",
    "1e400", "9" * 5000, "[" * 2000, "{" * 500, '{"a":' * 1000, "null", "true", "\x00", "\x1b[2J", "\ufeff",
    "\u2028", "\u202e", "é", "²³", "٣", "ﬅ", "\ud800", "ms", "us", "inf", "nan", "0x", "1_0", "C" * 101, "stages",
    "blocks", "sr_ratio", "provenance", "predicted", "python=", "data=", "- ", "? ", ": ", "&a ", "*a", "<<: ",
    "!!int ", "!!bool ", "!!timestamp ", "!!binary ", "2020-13-45", ".inf", "1:" * 40, "|\n", ">\n",
)  # fmt: skip


def mutated_text(draw: Random, seeds: Sequence[str]) -> str:
    """One of the texts, cut, doubled, spliced and mixed with tokens; sometimes nothing but noise."""
    if draw.random() < 0.03:
        return "".join(
            chr(draw.choice((draw.randrange(256), draw.randrange(0x11000)))) for _ in range(draw.randrange(60))
        )
    text = draw.choice(seeds)
    for _ in range(draw.choice((0, 1, 1, 1, 2, 3, 8))):
        start = draw.randrange(len(text) + 1)
        end = min(len(text), start + draw.choice((0, 1, 1, 2, 8, 50)))
        action = draw.randrange(6)
        if action == 0:
            text = text[:start] + text[end:]
        elif action == 1:
            text = text[:end] + text[start:end] * draw.choice((1, 2, 50)) + text[end:]
        elif action == 2:
            text = text[:start] + draw.choice(TOKENS) + text[end:]
        elif action == 3:
            text = text[:start] + draw.choice(TOKENS) + text[start:]
        elif action == 4:
            text = text[:start] + draw.choice(seeds)[start:]
        else:
            text = text[:start] + chr(draw.choice((draw.randrange(128), draw.randrange(0x3000)))) + text[end:]
    return text


def mutated_value(draw: Random, value: Any) -> Any:
    """A document with some of its values, keys or items replaced, added, doubled or left out."""
    value = deepcopy(value)
    for _ in range(draw.choice((0, 1, 1, 1, 2, 3))):
        value = _changed(draw, value)
    return value


def _changed(draw: Random, value: Any) -> Any:
    if isinstance(value, dict) and value and draw.random() < 0.9:
        key = draw.choice(list(value))
        action = draw.random()
        if action < 0.08:
            del value[key]
        elif action < 0.14:
            value[draw.choice(("extra", "\x1b", key.upper(), key + " "))] = value[key]
        else:
            value[key] = _changed(draw, value[key])
        return value
    if isinstance(value, list) and value and draw.random() < 0.9:
        place = draw.randrange(len(value))
        action = draw.random()
        if action < 0.08:
            del value[place]
        elif action < 0.14:
            value.insert(place, deepcopy(value[place]))
        else:
            value[place] = _changed(draw, value[place])
        return value
    if isinstance(value, int) and abs(value) < 1e9 and draw.random() < 0.4:
        return draw.choice((float(value), value + 1, value * 2, value + 32, str(value), -value))
    if isinstance(value, str) and draw.random() < 0.4:
        return mutated_text(draw, [value])
    return deepcopy(draw.choice(HOSTILE))


def mutated_json(draw: Random, documents: Sequence[Any]) -> str:
    """The text of a mutated document, itself mutated now and then."""
    text = json.dumps(mutated_value(draw, draw.choice(documents)), indent=draw.choice((None, None, 1)))
    return mutated_text(draw, [text]) if draw.random() < 0.25 else text


# The surfaces


@dataclass(frozen=True)
class Surface:
    """A kind of input: how many of a million, how one is drawn, and how it is read, which checks its round trips."""

    share: int
    draw: Callable[[Random], Any]
    read: Callable[[Any], None]


NETWORKS = [*PAPER.values(), *EVERY.values()]
DOCUMENTS = [json.loads(each.to_json()) for each in NETWORKS]
DOCUMENTS += [{**DOCUMENTS[0], "provenance": {"run": "nhs-1", "when": "2020-01-01", "values": [1, 2.5, None]}}]
YAMLS = [yaml.safe_dump(each, sort_keys=False) for each in DOCUMENTS] + [json.dumps(DOCUMENTS[0])]
NOTATIONS = [*map(str, NETWORKS), "next-vit-s", "Next-ViT-B", "arch.json", "C-C-C-C"]
SPECS = [
    *evaluators.names(), "ort:resolution=64,threads=2", "ort:precision=int8", "trt:batch=8,precision=fp16",
    "coreml@ssh:me@macbook", "coreml:units=cpu_and_ne,burst=true@ssh:mac", "coreml:phone=ABCDE12345/Ada's iPhone",
    "trt:python=/usr/bin/python3", "ort:predicted", "coreml:predicted=abc",
    "train:data=digits,epochs=3,rate=0.004", "auto:data=photos/,features=all",
    "entropy:resolution=32,seeds=2,seed=7", "cuda:compile=true", "ort:spinning=true", "activations:resolution=64",
]  # fmt: skip
LIMITS = [
    f"{spec}{sign}{bound}"
    for spec in SPECS
    for sign in ("<=", ">=")
    for bound in ("40ms", "0.04 s", "35M", "5.8G", "4.5", "1e-3", "90%")
]
CONFIGS = [
    Config().to_dict(),
    Config(
        latencies=("ort:resolution=64", "trt"), limits=("params<=35M", "trt<=5ms"), seed=3, sampler="nsga2"
    ).to_dict(),
    Config(fix=("stage3.t=1", "stage[12].N=1..3", "stage2.mix_block_ratio=0.5,0.75")).to_dict(),
    Config(proxy="train:data=digits,epochs=3", budget=30, evaluations=10).to_dict(),
]
JOBS: list[dict[str, Any]] = [
    {"do": "describe", "evaluator": "ort"},
    {"do": "prepare", "evaluator": "ort:threads=2"},
    {"do": "measure", "evaluator": "ort", "architecture": DOCUMENTS[0]},
    {"do": "join", "evaluator": "train", "architecture": DOCUMENTS[4]},
    {"do": "compare", "evaluator": "ort", "architecture": DOCUMENTS[5], "other": DOCUMENTS[6], "seed": 3},
]


def _read_architecture(found: Architecture) -> None:
    for again in (Architecture.from_json(found.to_json()), Architecture.from_json(found.canonical_json())):
        assert again == found
        assert (again.id, again.canonical_json()) == (found.id, found.canonical_json())
    assert str(found).count("-") == 3
    assert found.feature_channels


def _read_spec(spec: str) -> None:
    found = evaluators.get(spec)
    assert evaluators.get(found.spec) == found
    assert found.metric.name == found.spec
    assert found.family() in evaluators.FAMILIES


def _read_limit(text: str) -> None:
    limit = limits.parse(text)
    assert limits.parse(str(limit)) == limit
    assert np.isfinite(limit.bound)


def _read_config(data: Any) -> None:
    config = Config.from_dict(data)
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config.differences(config) == []


def _read_job(line: bytes) -> None:
    job = jobs.parse(line)
    plain = {name: each.to_dict() if isinstance(each, Architecture) else each for name, each in job.items()}
    assert jobs.parse(json.dumps(plain).encode()) == job


def _mutated_job(draw: Random) -> bytes:
    line = mutated_json(draw, JOBS).encode("utf-8", "surrogatepass")
    if draw.random() < 0.1:
        place = draw.randrange(len(line) + 1)
        line = line[:place] + draw.randbytes(draw.randrange(4)) + line[place + draw.randrange(3) :]
    return line


# Tables

HEADS = (
    "architecture", "accuracy", "accuracy_seed0", "accuracy_seed1", "top1", "params", "macs", "phone_ms",
    "gpu_img_per_s", "latency", "my_score", "depth", "acc1", "",
    "a,b", "\x1b", "model",
)  # fmt: skip
CELLS = (
    "", " ", "nan", "inf", "-inf", "0", "-1", "1e308", "1e-320", "101", "50", "²³", "(1, 2)", "(1,", "((((", "012",
    "2-6-4", "a-b", "0-0-0", "C-C-C-C", "CC-CT-C-T", "C-C-C", "{}", "{", '"', '""', "1,234", "True", "9" * 400,
    "-" * 400, "abc", "1_0", "0x1", "٣", "2020-01-01",
)  # fmt: skip


def _mutated_table(draw: Random) -> bytes:
    heads = draw.sample(HEADS, draw.randrange(1, 6))
    if draw.random() < 0.7:
        heads[draw.randrange(len(heads))] = draw.choice(("accuracy", "accuracy", "accuracy_seed0"))
    kinds = {head: draw.choice((0, 0, 0, 1, 2, 3, 4)) for head in heads}
    rows = []
    for number in range(draw.choice((0, 1, 9, 12, 14, 24))):
        cells = [_cell(draw, head, kinds[head], number) for head in heads]
        rows.append(cells[: -1 if draw.random() < 0.002 else None] + (["more"] if draw.random() < 0.002 else []))
    text = "\n".join(",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in [heads, *rows])
    if draw.random() < 0.15:
        text = mutated_text(draw, [text])
    return (b"\xef\xbb\xbf" if draw.random() < 0.05 else b"") + text.encode("utf-8", "surrogatepass")


def _cell(draw: Random, head: str, kind: int, number: int) -> str:
    if draw.random() < 0.01:
        return draw.choice(CELLS)
    plain = {
        "architecture": "-".join(("C" * (1 + number % 3), "CT", "C" * (1 + number), "T")),
        "depth": f"{1 + number % 3}-6-4",
    }
    other = (
        plain.get(head, f"{draw.uniform(1, 90):.3f}"),
        str(number),
        f"({number % 3}, {number % 2}, 1)",
        f"{number:04d}",
        "5",
    )
    return other[kind]


class Tables:
    """Tables need a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "table.csv"

    def read(self, content: bytes) -> None:
        self.path.write_bytes(content)
        found = truth.read(self.path)
        count = len(found.accuracy)
        assert count >= 10 and np.isfinite(found.accuracies).all()
        for column in (*found.structure.values(), *found.scores.values()):
            assert column.shape == (count,) and np.isfinite(column).all()
        for column in found.latencies.values():
            assert column.shape == (count,) and (np.isnan(column) | (column > 0)).all()
        values, names = (
            found.features()
            if found.structure or found.scores or found.codes.size
            else (found.accuracies, [None] * found.accuracies.shape[1])
        )
        assert values.shape == (count, len(names)) and np.isfinite(values).all()


def surfaces(folder: Path) -> dict[str, Surface]:
    """Everything that a user can write, by name."""

    def json_text(draw: Random) -> str:
        return mutated_json(draw, DOCUMENTS)

    def texts(seeds: Sequence[str]) -> Callable[[Random], str]:
        return lambda draw: mutated_text(draw, seeds)

    def architecture(read: Callable[[str], Architecture]) -> Callable[[str], None]:
        return lambda text: _read_architecture(read(text))

    return {
        "architecture in JSON": Surface(280, json_text, architecture(Architecture.from_json)),
        "architecture in YAML": Surface(60, texts(YAMLS), architecture(reading.from_yaml)),
        "notation": Surface(150, texts(NOTATIONS), architecture(reading.find)),
        "evaluator": Surface(150, texts(SPECS), _read_spec),
        "limit": Surface(150, texts(LIMITS), _read_limit),
        "configuration": Surface(70, lambda draw: mutated_value(draw, draw.choice(CONFIGS)), _read_config),
        "job": Surface(120, _mutated_job, _read_job),
        "table": Surface(20, _mutated_table, Tables(folder).read),
    }


def fuzz(surface: Surface, seed: str, count: int) -> tuple[int, float]:
    """Reads so many inputs. Returns how many were values, and the seconds of the slowest.

    Raises:
        AssertionError: an input was neither a value nor refused, or took too long; says which.
    """
    values, slowest = 0, 0.0
    for number in range(count):
        drawn = surface.draw(Random(f"{seed}/{number}"))
        began = time.thread_time()
        try:
            surface.read(drawn)
            values += 1
        except NasError:
            pass
        except BaseException as error:
            raise AssertionError(f"seed '{seed}/{number}': {type(error).__name__}: {error}\n{drawn!r:.2000}") from error
        took = time.thread_time() - began
        assert took < PATIENCE, f"seed '{seed}/{number}' took {took:.1f} s:\n{drawn!r:.2000}"
        slowest = max(slowest, took)
    return values, slowest
