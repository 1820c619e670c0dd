"""The features that follow from a network's description."""

from dataclasses import replace

import numpy as np
import pytest

from evaluators.prediction import latency_features
from evaluators.prediction.features import BASELINES, matrix, structure
from nas.commands.measure import sample
from search_spaces import PAPER, Architecture
from tests.networks import random_networks

SMALL = PAPER["next-vit-s"]
PLUS = {
    "log_head_dim": replace(SMALL, head_dim=16),
    "log_stem": replace(SMALL, stem=(32, 16, 32)),
    "log_conv_mlp_ratio": replace(SMALL, conv_mlp_ratio=4.0),
    "log_transformer_mlp_ratio": replace(SMALL, transformer_mlp_ratio=4.0),
    "log_conv_kernel": replace(SMALL, conv_kernel=5),
    "transformer_order": replace(SMALL, transformer_order="convolution-first"),
    "attention_pooling": replace(SMALL, attention_pooling="squares"),
    "normalization": replace(SMALL, normalization="layer"),
    "activation": replace(SMALL, activation="gelu"),
    "log_sr_ratio_2": replace(SMALL, stages=(SMALL.stages[0], replace(SMALL.stages[1], sr_ratio=2), *SMALL.stages[2:])),
}


def test_structure_tells_size_and_placement_apart() -> None:
    found = structure(PAPER["next-vit-s"])
    assert found["transformer_share"] == pytest.approx(4 / 20)
    assert found["transformers_3"] == 2
    assert found["ends_in_transformer_1"] == 0
    assert found["mean_transformer_position"] == pytest.approx(np.mean([6, 11, 16, 19]) / 19)
    assert set(BASELINES) <= set(found)


def test_every_network_of_the_space_has_the_same_features() -> None:
    rows = [structure(each.architecture) for each in sample("nhs", 20, 0)]
    values, names = matrix(rows)
    assert values.shape == (20, len(rows[0]))
    assert np.isfinite(values).all()
    assert [name for name in names if name] == list(BASELINES)


@pytest.mark.parametrize(("name", "network"), PLUS.items(), ids=PLUS)
def test_every_field_is_a_feature(name: str, network: Architecture) -> None:
    ours, theirs = structure(network), structure(SMALL)
    names = list(ours)
    fields = names[names.index("ends_in_transformer_4") + 1 :]  # the others are counts
    assert [each for each in fields if ours[each] != theirs[each]] == [name]


def test_a_field_that_is_not_used_is_as_published() -> None:
    convolutions = Architecture.from_notation("C-C-C-C")
    assert structure(replace(convolutions, transformer_mlp_ratio=4.0)) == structure(convolutions)
    assert structure(convolutions)["log_sr_ratio_1"] == structure(SMALL)["log_sr_ratio_1"] == np.log(8)


def test_the_networks_of_nhs_do_not_differ_in_their_fields() -> None:
    rows, _ = matrix([structure(network) for network in random_networks(30)])
    names = list(structure(SMALL))
    constant = {name for name, spread in zip(names, rows.std(0), strict=True) if spread < 1e-9}
    assert constant == {*PLUS, "log_sr_ratio_1", "log_sr_ratio_3", "log_sr_ratio_4"}


def test_a_latency_is_predicted_from_kernels_heads_and_stem() -> None:
    """At S's widths: heads of 16 channels gather as many elements, in half the multiply-accumulates."""
    totals = {
        name: dict(zip(latency_features.NAMES, latency_features.features(each, 224), strict=True))
        for name, each in {"": SMALL, **PLUS}.items()
    }
    small, heads, kernel, stem = (totals[name] for name in ("", "log_head_dim", "log_conv_kernel", "log_stem"))
    assert heads["gathered"] == small["gathered"] and heads["macs"] < small["macs"]
    assert heads["attention elements"] > 1.3 * small["attention elements"]
    assert kernel["gathered"] == pytest.approx(small["gathered"] * 25 / 9)
    assert stem["stem macs"] < small["stem macs"] / 2
