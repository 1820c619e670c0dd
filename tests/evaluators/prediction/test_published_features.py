"""Features of published networks against those that others computed, and of the paper's networks by hand."""

import csv
from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
import timm
import torch

from evaluators.counts.layer_tracing import trace
from evaluators.prediction.published_features import features, own
from search_spaces import PAPER, Architecture

REFERENCE = Path(__file__).parents[4] / "shared" / "data" / "published_features.csv"

# From each kind of network: convolutions of all kinds, tokens with and without a class token, windows, features with
# channels last, squeeze-excite, pooled keys, relative positions, attention over channels.
SAMPLE = [
    "resnet18", "seresnet50", "resnet50_gn", "vgg11", "densenet121", "repvgg_a0", "regnety_032", "efficientnet_b0",
    "mobilenetv2_100", "mixnet_xl", "efficientvit_b0", "ghostnet_100", "convnext_tiny", "poolformer_s12",
    "mambaout_femto", "deit_tiny_patch16_224", "vit_relpos_small_patch16_224", "pit_ti_224", "tnt_s_patch16_224",
    "crossvit_9_240", "xcit_nano_12_p16_224", "swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256",
    "nest_tiny_jx",
    "twins_pcpvt_small", "coat_lite_tiny", "maxvit_nano_rw_256", "mobilevitv2_050", "edgenext_xx_small", "gmlp_s16_224",
    "nextvit_base",
]  # fmt: skip


def reference(name: str) -> dict[int, list[float]]:
    """The features of one of timm's models, by image size."""
    with REFERENCE.open() as file:
        rows = [row for row in csv.DictReader(file) if row.pop("architecture") == name]
    return {int(row.pop("img_size")): [float(cell) for cell in row.values()] for row in rows}


def traced(name: str, size: int) -> dict[str, float]:
    with torch.device("meta"):
        seen = trace(timm.create_model(name), size)
    return features(seen.layers, seen.params, size, layer_norms=seen.layer_norms, smooth=seen.smooth)


@pytest.mark.skipif(not REFERENCE.exists(), reason="the published tables are not part of this repository")
@pytest.mark.parametrize("name", SAMPLE)
def test_they_agree_with_the_reference(name: str) -> None:
    for size, wanted in reference(name).items():
        values = traced(name, size)
        if name.startswith("nextvit"):  # whose attention counts as its r, which a trace does not see
            values |= {key: value for key, value in own(PAPER["next-vit-b"]).items() if key.startswith("attention")}
        assert np.abs(np.array(list(values.values())) - wanted).max() < 0.01, size


def test_next_vit_s_by_hand() -> None:
    values = own(PAPER["next-vit-s"])
    macs = 5_794_420_224  # the published 5.79 G
    assert values["log_macs"] == pytest.approx(log(macs))
    assert values["log_params"] == pytest.approx(log(31_763_368))
    stem = (3 * 64 + 64 * 32 + 32 * 64) * 9 * 112**2  # three convolutions at stride 2; the fourth is at stride 4
    assert values["macs_stem"] == pytest.approx(sqrt(stem / macs))
    assert values["mixers_s16"] == pytest.approx(
        log(1 + 8 + 2 * 2)
    )  # eight NCBs, and two NTBs that attend and convolve
    assert values["attention_s16"] == pytest.approx(2 * 0.75 / 12)
    assert values["width_late"] == pytest.approx(log(1024))
    assert values["params_head"] == pytest.approx(sqrt(1_024_000 / 31_700_000), abs=1e-3)
    shares = [values[f"macs_{stage}"] ** 2 for stage in ("stem", "s4", "s8", "s16", "s32")]
    assert sum(shares) == pytest.approx(1 - 1_024_000 / macs)
    assert len(values) == 42


def test_an_attention_counts_as_its_share() -> None:
    """Or a network with r = 0.25 would pass as one that attends with all its channels, as published ones do."""
    data = PAPER["next-vit-s"].to_dict()
    data["stages"][3]["mix_block_ratio"] = 0.25
    values = own(Architecture.from_dict(data))
    assert values["attention_s32"] == pytest.approx(0.25 / 4)
    assert values["attention_s16"] == own(PAPER["next-vit-s"])["attention_s16"]


def test_without_attention_or_grouped_convolutions_nothing_divides_by_zero() -> None:
    values = own(Architecture.from_notation("C-C-C-C"), 32)
    assert all(np.isfinite(list(values.values())))
    assert values["kind_attention"] == values["attention_s32"] == 0
