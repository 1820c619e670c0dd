"""Writes the table of published results: `python scripts/make_published_table.py RESULTS.csv`.

RESULTS.csv has the columns of timm's published results: model, img_size and top1
(https://github.com/huggingface/pytorch-image-models/tree/main/results, Apache-2.0). Kept is what was trained with the
labels of ImageNet-1k alone, at 288 pixels or less, to more than 60 %. A model that timm cannot build here, or that
cannot be traced, is left out and named.
"""

import csv
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import timm
import torch
from timm.models import _registry as registry

from evaluators.counts.layer_tracing import trace
from evaluators.prediction import published_features
from evaluators.prediction.published_table import LABELS, NUMBERS, PATH
from search_spaces import PAPER

LARGEST, LOWEST = 288, 60.0  # pixels and percent

# Words of a model's tag that say that it saw more than images and labels of ImageNet-1k.
MORE = {
    "dist", "distilled", "ssld", "usi",  # a teacher
    "ft",  # trained before on other data, or without labels; where on ImageNet-1k itself, at other sizes
    "in12k", "in21k", "in22k", "jft", "yfcc100m", "ig1b", "laion2b", "openai", "clip",  # other images
    "swag",  # a linear classifier on features learnt from 3.6 billion images of Instagram
    "mae", "fcmae", "mim", "ssl", "swsl", "wsl", "ns",  # self-supervision and noisy students
    "miil", "green",  # distilled or pre-trained, and not told apart by the tag
}  # fmt: skip
# Models whose tag does not say it.
MORE_BY_NAME = {
    r"volo_": "labels of every token by a trained NFNet (arXiv 2106.13112)",
    r"flexivit_": "distilled from DeiT-III (big_vision, configs/proj/flexivit/i1k_deit3_distill.py)",
    r"ghostnetv3_": "distilled (arXiv 2404.11202)",
    r"dpn(68b|92|107)\.mx_": "weights 'extra', trained on ImageNet-5k as well",
    r".*(_distilled|_ssld)": "a teacher",
}
# What else was looked over and stays: `tv2` (torchvision's longer recipe), `a1` to `a3`, `c2ns` (a recipe without
# stochastic depth, no noisy student), `ap` (adversarial copies of the same images), `regnety_160.deit` (the teacher of
# DeiT, trained without one itself), `sam`, `augreg` without in21k, and `msft`, which is Microsoft's tag and no `ft`.

# Recipes from before strong augmentation and long schedules, or short ones (a3: 100 epochs at 160 pixels).
LEGACY = {
    "a3", "aa", "am", "bt", "c1", "c2", "dm", "gluon", "goog", "mx", "paddle", "pycls", "racm", "ram", "rvgg", "tf",
    "tv", "original:dla", "original:efficientnet", "original:ghostnet", "original:mobilenetv3", "original:res2net",
    "original:resnest", "original:selecsls", "original:senet",
}  # fmt: skip
# Families by timm's modules; a module that is not named here is a family of its own.
MODULES = {
    "convnext": "inception_next mambaout",
    "mobile nets": "efficientnet fasternet ghostnet mobilenetv3 repghost rexnet starnet",
    "pvt/twins": "pvt_v2 twins",
    "resnets": "byoanet byobnet cspnet densenet dla dpn hrnet nfnet res2net resnest resnet resnetv2 selecsls senet "
    "sknet vgg vovnet",
    "swin": "swin_transformer swin_transformer_v2 swin_transformer_v2_cr",
    "vit": "convit deit eva pit tnt vision_transformer vision_transformer_relpos",
}
FAMILY = {module: family for family, modules in MODULES.items() for module in modules.split()}
OWN = {f"nextvit_{size}": PAPER[f"next-vit-{size[0]}"] for size in ("small", "base", "large")}


def chosen(results: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """The results that count, in a fixed order."""
    kept = [row for row in results if int(row["img_size"]) <= LARGEST and float(row["top1"]) > LOWEST]
    return sorted(filter(labels_alone, kept), key=lambda row: (row["model"], int(row["img_size"])))


def labels_alone(row: dict[str, str]) -> bool:
    """Whether a model was trained with the images and labels of ImageNet-1k alone."""
    tag = row["model"].partition(".")[2]
    words = set(tag.split("_"))
    return tag.endswith("in1k") and not words & MORE and not any(re.match(name, row["model"]) for name in MORE_BY_NAME)


def labels(model: str) -> dict[str, str]:
    """The labels of a result. Without a tag of its own, a model's recipe is that of its module's authors."""
    architecture, _, tag = model.partition(".")
    module = registry._model_to_module[architecture]
    recipe = tag.removesuffix("in1k").removesuffix("_") or f"original:{module}"
    family = FAMILY.get(module, module)
    if architecture.startswith(("repvgg", "mobileone")):
        family = "repvgg/mobileone"
    return {"model": model, "family": family, "recipe": recipe, "legacy": str(int(recipe in LEGACY))}


@cache
def features(architecture: str, size: int) -> dict[str, float]:
    """The features of one of timm's models; ours by formula, which knows the share of channels that attend."""
    if architecture in OWN:
        return published_features.own(OWN[architecture], size)
    done = trace(_built(architecture, size), size)
    return published_features.features(done.layers, done.params, size, layer_norms=done.layer_norms, smooth=done.smooth)


def _built(architecture: str, size: int) -> torch.nn.Module:
    """The model without weights; where it takes the size of images, with that."""
    with torch.device("meta"):
        try:
            return timm.create_model(architecture, img_size=size)
        except TypeError:  # a convolutional network takes any size
            return timm.create_model(architecture)


def written(name: str, value: float) -> str:
    """A feature with three digits, or four where it is a size; small shares with three after the point."""
    digits = 4 if name.startswith("log_") else 3
    return f"{round(value, 3):.{digits}g}".replace("-0.", "-.").removeprefix("0") or "0"


def main(source: Path) -> None:
    rows, left_out = [], {}
    for row in chosen(csv.DictReader(source.read_text().splitlines())):
        try:
            values = features(row["model"].partition(".")[0], int(row["img_size"]))
            known = labels(row["model"])
        except Exception as error:
            left_out[row["model"]] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            continue
        numbers = {"size": row["img_size"], "top1": f"{float(row['top1']):g}"}
        rows.append({**known, **numbers, **{name: written(name, value) for name, value in values.items()}})
    with PATH.open("w", newline="") as file:
        print(f"# {len(rows)} ImageNet-1k results of timm's models, and features of these by a trace.", file=file)
        print("# Source: huggingface/pytorch-image-models, results (Apache-2.0); made by", file=file)
        print(f"# scripts/make_published_table.py with timm {timm.__version__}, November 2026.", file=file)
        writer = csv.DictWriter(file, [*LABELS, *NUMBERS, *list(rows[0])[len(LABELS + NUMBERS) :]], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for model, reason in left_out.items():
        sys.stderr.write(f"left out: {model}: {reason}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
