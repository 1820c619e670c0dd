"""Writes the long tables of results/reference/data: `python scripts/make_reference_tables.py FOLDER`.

FOLDER holds, as CSV: `timm_imagenet` (timm's published results and benchmarks, joined), `nextvit_training_curves` (the
logs of bytedance/Next-ViT), `nextvit_figure_points` (read off its images/result.png) and
`nextvit_latency_across_devices` (its models' published latencies beside timm's). `published.csv` is written by hand.
"""

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from make_published_table import labels_alone

from results.reference.facts import COLUMNS, DATA

Row = dict[str, str]
TIMM = "Source: huggingface/pytorch-image-models, results, commit aa4b5850 (Apache-2.0)"
NEXT_VIT = "Source: bytedance/Next-ViT, commit 922e771 (Apache-2.0)"
MODELS = {"small": "next-vit-s", "base": "next-vit-b", "large": "next-vit-l"}
# The figure's families where a mark's label lacks a part of the model's name.
FAMILIES = {"ResNeXt": "ResNeXt101", "Twins": "Twins-SVT", "CMT-S": "CMT", "MobileViTV2": "MobileViTv2"}
DEVICES = {"T4_trt8_fp16_b8": "t4-trt8", "iPhone12ProMax_coreml_b1": "iphone12-coreml5"}
TASKS = {
    "imagenet_top1": ("ImageNet-1k", "top-1", "%"),
    "coco_maskrcnn1x_box": ("COCO Mask R-CNN 1x", "box AP", ""),
    "ade20k_fpn80k_miou": ("ADE20K Semantic FPN 80k", "mIoU", "%"),
}
ACROSS = {
    "T4trt_b8": "t4-trt8", "iphone": "iphone12-coreml5", "3090nchw": "3090-nchw", "3090nhwc": "3090-nhwc",
    "4090": "4090-nchw", "4090dyn": "4090-compiled", "5090dyn": "5090-compiled", "i9": "i9-10940x", "i7": "i7-12700h",
}  # fmt: skip


def figure(points: Iterable[Row]) -> Iterator[Sequence[str]]:
    """Facts of the figure's marks. Left out: Next-ViT (its README is exact), CoaT (sizes unknown), hidden marks."""
    for point in points:
        size = point["model_guess"].partition("?")[0].split("-")[-1]
        if point["family"] == "Next-ViT" or not size:
            continue
        model = f"{FAMILIES.get(point['family'], point['family'])}-{size}"
        what, metric, unit = TASKS[point["task"]]
        pixels = "224" if what == "ImageNet-1k" and point["family"] != "EfficientNet" else ""
        origin = ("next-vit-figure", "figure")
        yield (what, model, metric, point["metric"], unit, pixels, "", *origin)
        if not point["latency_ms"].startswith("~"):
            where = what if what == "ImageNet-1k" else "dense backbone"
            yield (where, model, "latency", point["latency_ms"], "ms", pixels, DEVICES[point["device"]], *origin)


def timm(results: Iterable[Row]) -> Iterator[Sequence[str]]:
    """The results with both times. Numbers have five digits at the most; a throughput becomes ms an image."""
    for row in results:
        if row["rtx4090_compiled_img_per_s"] and row["i7_12700h_ms_batch1"]:
            times = 1000 / float(row["rtx4090_compiled_img_per_s"]), float(row["i7_12700h_ms_batch1"])
            counts = (float(row[name].replace(",", "")) for name in ("param_count", "gmacs", "macts"))
            numbers = (f"{value:.5g}" for value in (float(row["top1"]), *counts, *times))
            alone = labels_alone({**row, "model": re.sub(r"_\d+$", "", row["model"])})  # trained at another size
            yield row["model"], row["img_size"], str(int(alone)), *numbers


def across(rows: Iterable[Row]) -> Iterator[Sequence[str]]:
    """The models of the figure that timm measured, too; the last lines of the file are remarks."""
    for row in rows:
        if row["i9"]:
            yield row["m"], row["sz"], row["fig_top1"], row["gmac"], row["macts"], *(row[name] for name in ACROSS)


def curves(rows: Iterable[Row]) -> Iterator[Sequence[str]]:
    """A line for each epoch: top-1 of S, B and L."""
    known = {(row["epoch"], row["size"]): row["acc1"] for row in rows}
    for epoch in dict.fromkeys(epoch for epoch, _ in known):
        yield epoch, *(known[epoch, size] for size in MODELS)


def write(name: str, origin: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Writes a table under a line that says where it comes from; equal rows once."""
    with (DATA / name).open("w", newline="") as file:
        print(f"# {origin}; made by scripts/make_reference_tables.py.", file=file)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(dict.fromkeys(map(tuple, rows)))


def read(path: Path) -> list[Row]:
    """The rows of a file that have all its columns."""
    return [row for row in csv.DictReader(path.read_text().splitlines()) if None not in row.values()]


def main(folder: Path) -> None:
    def rows(name: str) -> list[Row]:
        return read(folder / f"{name}.csv")

    write("figure.csv", f"{NEXT_VIT}, images/result.png", COLUMNS, figure(rows("nextvit_figure_points")))
    counts = ("params", "macs", "activations")
    head = ("model", "size", "labels_alone", "top-1", *counts, "4090-compiled", "i7-12700h")
    write("timm.csv", f"{TIMM}; ms an image", head, timm(rows("timm_imagenet")))
    head = ("model", "size", "top-1", *counts[1:], *ACROSS.values())
    about = f"{NEXT_VIT}, and huggingface/pytorch-image-models; top-1 of the figure, ms a batch or an image"
    write("across_devices.csv", about, head, across(rows("nextvit_latency_across_devices")))
    write(
        "training_curves.csv",
        f"{NEXT_VIT}, training logs; top-1 [%]",
        ("epoch", *MODELS.values()),
        curves(rows("nextvit_training_curves")),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
