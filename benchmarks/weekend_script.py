"""What an engineer writes in a weekend: Optuna searches timm's Next-ViT for networks that are fast under ONNX Runtime.

    python benchmarks/weekend_script.py --budget 50 > weekend.jsonl

The depths of the four stages are free. Multiply-adds, counted by fvcore, stand in for accuracy; latency is the mean of
25 runs on one thread, after 5 runs of warm-up. Every candidate is a line of JSON, with the seconds that each step took;
the last line names the front. `throughput.py` compares this script with `nas run`.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import optuna
import torch
from fvcore.nn import FlopCountAnalysis
from timm.layers.config import set_fused_attn
from timm.models.nextvit import NextViT
from timm.utils.model import reparameterize_model

# Depths of the stages, around those of Next-ViT-S, B and L. timm builds stage 3 from groups of five blocks.
PUBLISHED = ((3, 4, 10, 3), (3, 4, 20, 3), (3, 4, 30, 3))
RANGES = {"stage1": (1, 4, 1), "stage2": (1, 6, 1), "stage3": (5, 30, 5), "stage4": (1, 4, 1)}
IMAGE = (1, 3, 224, 224)
WARM_UP, RUNS = 5, 25

set_fused_attn(False)  # fvcore does not count torch's fused attention


def build(depths: tuple[int, ...]) -> torch.nn.Module:
    """timm's Next-ViT with these depths, for inference."""
    torch.manual_seed(0)
    return NextViT(in_chans=3, depths=depths).eval()


def giga_macs(model: torch.nn.Module) -> float:
    """Multiply-adds of one image, in units of 1e9; those of additions and activations are not counted, as is usual."""
    with torch.inference_mode():
        counted = FlopCountAnalysis(model, torch.zeros(IMAGE)).unsupported_ops_warnings(False)
        return float(counted.uncalled_modules_warnings(False).total()) / 1e9  # stochastic depth is not called


def export(model: torch.nn.Module, file: Path) -> Path:
    """Writes the ONNX file, with norms merged as for deployment, by torch's default exporter and its default opset."""
    model = reparameterize_model(model, inplace=True)
    torch.onnx.export(model, (torch.zeros(IMAGE),), file, dynamo=True, verbose=False)  # its messages go to stdout
    return file


def session(file: Path) -> onnxruntime.InferenceSession:
    """ONNX Runtime on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def milliseconds(network: onnxruntime.InferenceSession) -> float:
    """The mean time of a run, after the warm-up."""
    image = np.random.default_rng(0).standard_normal(IMAGE, dtype=np.float32)
    feed, seconds = {network.get_inputs()[0].name: image}, []
    for _ in range(WARM_UP + RUNS):
        began = time.perf_counter()
        network.run(None, feed)
        seconds.append(time.perf_counter() - began)
    return 1000 * statistics.fmean(seconds[WARM_UP:])


def evaluate(depths: tuple[int, ...]) -> dict[str, Any]:
    """Multiply-adds and latency of one network, and how long each step took."""
    seconds: dict[str, float] = {}

    def timed(step: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        found = step(*arguments)
        seconds[step.__name__] = round(time.perf_counter() - began, 3)
        return found

    with tempfile.TemporaryDirectory() as folder:
        model = timed(build, depths)
        macs = timed(giga_macs, model)
        file = timed(export, model, Path(folder) / "network.onnx")
        latency = timed(milliseconds, timed(session, file))
    return {"depths": depths, "giga_macs": macs, "milliseconds": latency, "seconds": seconds}


def objective(trial: optuna.Trial) -> tuple[float, float]:
    """Evaluates a candidate, unless it was evaluated before: TPE repeats itself."""
    depths = tuple(trial.suggest_int(name, low, high, step=step) for name, (low, high, step) in RANGES.items())
    for other in trial.study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE]):
        if other.params == trial.params:
            return other.values[0], other.values[1]
    found = evaluate(depths)
    print(json.dumps({"trial": trial.number, **found}), flush=True)
    return found["giga_macs"], found["milliseconds"]


def main() -> None:
    """Searches until the budget or the time is spent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=int, default=50, help="candidates")
    parser.add_argument("--seconds", type=float, help="no candidate is begun after this time")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    sampler = optuna.samplers.TPESampler(seed=arguments.seed)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    for depths in PUBLISHED:
        study.enqueue_trial(dict(zip(RANGES, depths, strict=True)))
    study.optimize(objective, n_trials=arguments.budget, timeout=arguments.seconds)
    print(json.dumps({"front": [trial.number for trial in study.best_trials]}))


if __name__ == "__main__":
    main()
