"""Truth from CSV: what columns mean, what is left out and said, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas.commands.measure import sample
from results.benchmark import truth
from search_spaces.common.errors import NegativeAnswer, UsageError

DATA = Path(__file__).parents[4] / "shared" / "data"
published = pytest.mark.skipif(not DATA.exists(), reason="the published truths are not part of this repository")
RANDOM = np.random.default_rng(0)


def table(count: int = 20) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "architecture": [f"({n % 3}, {n % 2}, 1)" for n in range(count)],
            "accuracy": RANDOM.normal(70, 3, count),
            "params": RANDOM.uniform(1, 9, count),
            "phone_ms": RANDOM.uniform(1, 9, count),
            "gpu_img_per_s": RANDOM.uniform(100, 900, count),
            "my_score": RANDOM.normal(size=count),
        }
    )


def written(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path / "mine.csv", index=False)
    return path / "mine.csv"


def test_columns_are_known_by_their_names(tmp_path: Path) -> None:
    frame = table()
    parsed = truth.read(written(frame, tmp_path))
    assert list(parsed.structure) == ["params"]
    assert list(parsed.scores) == ["my_score"]
    assert set(parsed.latencies) == {"phone_ms", "gpu"}
    np.testing.assert_allclose(parsed.latencies["gpu"], 1000 / frame["gpu_img_per_s"])
    assert parsed.codes.shape == (20, 3 * 3 + 3)
    assert parsed.architectures == ()
    assert parsed.remarks == ()


def test_several_seeds_are_kept_apart(tmp_path: Path) -> None:
    frame = table().rename(columns={"accuracy": "accuracy_seed0"})
    frame["accuracy_seed1"] = frame["accuracy_seed0"] + 2
    parsed = truth.read(written(frame, tmp_path))
    assert parsed.accuracies.shape == (20, 2)
    np.testing.assert_allclose(parsed.accuracy, frame["accuracy_seed0"] + 1)


def test_differences_below_the_noise_are_flagged(tmp_path: Path) -> None:
    frame = table().rename(columns={"accuracy": "accuracy_seed0"})
    frame["accuracy_seed0"] = 70 + RANDOM.normal(0, 0.2, 20)
    frame["accuracy_seed1"] = 70 + RANDOM.normal(0, 0.2, 20)
    assert any("near the noise" in remark for remark in truth.read(written(frame, tmp_path)).remarks)


def test_our_networks_bring_their_structure(tmp_path: Path) -> None:
    networks = [candidate.architecture for candidate in sample("nhs", 12, 0)]
    frame = pd.DataFrame({"architecture": [network.canonical_json() for network in networks], "accuracy": range(12)})
    parsed = truth.read(written(frame, tmp_path))
    assert parsed.architectures == tuple(networks)
    assert "log_macs" in parsed.structure
    values, names = parsed.features()
    assert values.shape[0] == 12
    assert len(names) == values.shape[1]


def test_what_is_wrong_with_a_table_is_said(tmp_path: Path) -> None:
    frame = table()
    frame["remark"] = "fine"
    frame["constant"] = 1.0
    frame.loc[3, "my_score"] = float("nan")
    frame.loc[5, "accuracy"] = frame.loc[6, "accuracy"]
    parsed = truth.read(written(frame, tmp_path))
    assert len(parsed.accuracy) == 19
    assert parsed.remarks == (
        "1 rows with missing numbers are left out",
        "columns that hold no numbers are left out: remark",
        "1 networks tie with another in accuracy: tau-b allows for it",
        "constant is the same for every network: it ranks nothing",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda frame: frame.drop(columns="accuracy"),
            "has no column of accuracies; its columns: archi",
        ),
        (lambda frame: frame.head(9), "has 9 usable rows: 10 are the least"),
        (lambda frame: frame.assign(accuracy=float("nan")), "has 0 usable rows"),
        (lambda frame: frame.assign(accuracy=["good"] + [70.0] * 19), "row 1 has 'good' as accuracy"),
        (lambda frame: frame.assign(accuracy=[70.0] * 19 + [7000.0]), "row 20 has .*7000.0.* as accuracy"),
        (lambda frame: frame.assign(accuracy=float("inf")), "row 1 has .*inf.* as accuracy"),
        (lambda frame: frame.assign(accuracy="1" * 400), "as accuracy, which is no accuracy in percent"),
        (
            lambda frame: frame.assign(architecture=["C-C-C-C"] * 19 + ["C-C-C"]),
            "the architecture of row 20 is no network: notation: expected four groups",
        ),
        (
            lambda frame: frame.assign(architecture='{"schema": "nas.architecture/9", "stages": NaN}'),
            "the architecture of row 1 is no network: architecture: not JSON: NaN",
        ),
    ],
)
def test_tables_that_are_refused(change, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        truth.read(written(change(table()), tmp_path))


def test_what_is_no_latency_is_unknown_and_said(tmp_path: Path) -> None:
    frame = table()
    frame.loc[0, "gpu_img_per_s"] = 0
    frame.loc[1, "phone_ms"] = -3
    frame["watch_ms"] = [1.0] * 9 + [0.0] * 11
    parsed = truth.read(written(frame, tmp_path))
    assert np.isnan(parsed.latencies["gpu"][0])
    assert np.isnan(parsed.latencies["phone_ms"][1])
    assert set(parsed.latencies) == {"gpu", "phone_ms"}
    assert "1 values of gpu_img_per_s are not above 0: taken as unknown" in parsed.remarks
    assert "watch_ms is known of 9 networks, fewer than 10: left out" in parsed.remarks


@pytest.mark.parametrize(
    "code", ["²³", "(1, (2))", "((((((", "(" * 5000, "9" * 5000, "-" * 5000 + "1", "(9999999999, 1)"]
)
def test_codes_that_are_none_are_left_out(tmp_path: Path, code: str) -> None:
    assert truth.read(written(table().assign(architecture=code), tmp_path)).codes.shape in ((20, 0), (20, 5001))


def test_numbers_beyond_every_quantity_are_missing(tmp_path: Path) -> None:
    frame = table(30)
    frame.loc[0, "params"] = float("inf")
    frame.loc[1, "my_score"] = 1e300
    frame["nothing"] = float("nan")
    frame.loc[2, "architecture"] = None
    parsed = truth.read(written(frame, tmp_path))
    assert len(parsed.accuracy) == 27
    assert parsed.remarks[:3] == (
        "2 rows with missing numbers are left out",
        "1 rows without an architecture are left out",
        "columns that hold no numbers are left out: nothing",
    )


def test_files_that_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UsageError, match="there is no file"):
        truth.read(tmp_path / "pipe.csv")
    with pytest.raises(UsageError, match="there is no file"):
        truth.read(tmp_path / ("x" * 300))
    (tmp_path / "ragged.csv").write_text("accuracy,mine\n" + "1,2,3,4\n" * 12)
    with pytest.raises(UsageError, match="cannot be read as CSV"):
        truth.read(tmp_path / "ragged.csv")
    with pytest.raises(UsageError, match="there is no file"):
        truth.read(tmp_path / "nothing.csv")
    (tmp_path / "bytes.csv").write_bytes(bytes(range(256)))
    with pytest.raises(UsageError, match="cannot be read as CSV"):
        truth.read(tmp_path / "bytes.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(UsageError, match="cannot be read as CSV"):
        truth.read(tmp_path / "empty.csv")


def test_scores_can_be_computed_for_networks_of_ours_only(tmp_path: Path) -> None:
    with pytest.raises(NegativeAnswer, match="entropy cannot be computed"):
        truth.check_networks(truth.read(written(table(), tmp_path)), ["entropy"])


# What is published


@published
@pytest.mark.parametrize(
    ("name", "networks", "seeds", "structure"),
    [
        ("nasbench201_hw", 9445, 1, {"params", "flops"}),
        ("nasbench_macro_cifar10", 6561, 3, {"params", "flops"}),
        ("timm_imagenet", 1452, 1, {"param_count", "gmacs", "macts"}),
    ],
)
def test_published_truths_are_read_whole(name: str, networks: int, seeds: int, structure: set[str]) -> None:
    parsed = truth.read(DATA / f"{name}.csv")
    assert parsed.accuracies.shape == (networks, seeds)
    assert set(parsed.structure) == structure
