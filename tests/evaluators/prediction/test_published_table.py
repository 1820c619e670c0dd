"""The table that ships with the package: what it holds, how it was chosen, and what a damaged one says."""

import csv
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from evaluators.prediction import published_features
from evaluators.prediction.published_table import FEATURES, PATH, read, table, table_digest
from search_spaces import PAPER
from search_spaces.common.errors import Unavailable

ROOT = Path(__file__).parents[3]
RESULTS = ROOT.parent / "shared" / "data" / "timm_imagenet.csv"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make", ROOT / "scripts" / "make_published_table.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_it_holds() -> None:
    results = table()
    assert len(results.model) > 850
    assert results.features.shape == (len(results.model), FEATURES)
    assert results.names == tuple(published_features.own(PAPER["next-vit-s"]))
    assert len(set(zip(results.model, results.size, strict=True))) == len(results.model)
    assert PATH.stat().st_size <= 200_000
    assert len(table_digest()) == 16


def test_every_architecture_has_one_best_result() -> None:
    results = table()
    best = results.best()
    assert len(best) == len(set(results.architecture)) == len({results.architecture[row] for row in best})
    row = results.model.index("resnet50.a3_in1k")
    assert row not in best


def test_it_says_where_it_comes_from() -> None:
    head = "".join(line for line in PATH.read_text().splitlines() if line.startswith("#"))
    assert all(word in head for word in ("pytorch-image-models", "Apache-2.0", "timm 1.", "2026"))


@pytest.mark.parametrize("size", ["small", "base", "large"])
def test_the_papers_networks_have_their_features(size: str) -> None:
    results = table()
    row = results.model.index(f"nextvit_{size}.bd_in1k")
    own = list(published_features.own(PAPER[f"next-vit-{size[0]}"]).values())
    assert np.abs(results.features[row] - own).max() < 0.006  # three digits
    assert (results.family[row], results.recipe[row], results.legacy[row]) == ("nextvit", "bd", 0)


@pytest.mark.skipif(not RESULTS.exists(), reason="the published results are not part of this repository")
def test_its_rows_are_those_that_the_script_chooses() -> None:
    make = script()
    with RESULTS.open() as file:
        chosen = make.chosen(csv.DictReader(file))
    assert [row["model"] for row in chosen] == table().model
    assert [float(row["top1"]) for row in chosen] == table().top1.tolist()


@pytest.mark.parametrize(
    "model",
    [
        "regnety_160.swag_lc_in1k",
        "convnext_tiny.in12k_ft_in1k",
        "deit_base_distilled_patch16_224.fb_in1k",
        "tf_efficientnet_b0.ns_jft_in1k",
        "nextvit_small.bd_ssld_6m_in1k",
        "volo_d1_224.sail_in1k",
        "flexivit_small.300ep_in1k",
        "dpn92.mx_in1k",
        "convnextv2_tiny.fcmae_ft_in1k",
    ],
)
def test_what_saw_more_than_labels_is_left_out(model: str) -> None:
    kept = {"model": "resnet50.c2ns_in1k", "img_size": "224", "top1": "79"}
    assert script().chosen([kept, kept | {"model": model}]) == [kept]


def _without_a_column(text: str) -> str:
    return "\n".join(line if line.startswith("#") else line.rpartition(",")[0] for line in text.splitlines())


def _with_a_cell(cell: str) -> Callable[[str], str]:
    def changed(text: str) -> str:
        head, _, last = text.rstrip().rpartition("\n")
        return f"{head}\n{last.rpartition(',')[0]},{cell}\n"

    return changed


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[: len(text) // 2 - 7], "cells|says otherwise"),
        (lambda text: text[: text.rindex("\nresnet18.")], "says otherwise"),
        (lambda text: text[:2000], "says otherwise"),
        (lambda text: "", "cannot be read"),
        (_without_a_column, "47 columns are not the 48 expected"),
        (_with_a_cell("nan"), "holds a number that is none"),
        (_with_a_cell("inf"), "holds a number that is none"),
        (_with_a_cell("wide"), "could not convert string to float: 'wide'"),
        (lambda text: text.replace("legacy", "old", 1), "expected"),
        (lambda text: text.replace(",224,", ",224,1", 1), "accuracy beyond 0 to 100"),
    ],
)
def test_a_damaged_table_says_so(damage: Callable[[str], str], words: str, tmp_path: Path) -> None:
    path = tmp_path / "published.csv"
    path.write_text(damage(PATH.read_text()))
    with pytest.raises(Unavailable, match=f"'published.csv' is damaged: .*({words})") as error:
        read(path)
    assert "install nas again" in error.value.hint


def test_a_file_that_is_no_text_is_damaged_too(tmp_path: Path) -> None:
    path = tmp_path / "published.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Unavailable, match="cannot be read"):
        read(path)
    with pytest.raises(Unavailable, match="cannot be read"):
        read(tmp_path / "none.csv")
