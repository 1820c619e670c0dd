"""The commands about single networks, on the command line: `nas export` and `nas measure`."""

from pathlib import Path
from typing import Any

import click

from nas.options import JSON, SEED, STORE, TIMEOUT, examples, latencies, narrowing, plugin_names


@click.command(
    epilog=examples(
        "nas export --trial 42 -o arch.json                             the architecture only",
        "nas export nhs-1 --pick knee --to onnx,python -o knee/",
        "nas export --max-latency ort=40ms --to onnx -o model.onnx      the best network up to a latency",
        "nas export next-vit-s --weights timm:nextvit_small.bd_in1k --to coreml,timm -o s/",
        "nas export CCC-CCCT-CCCCTCCCCT-CCT --weights best.safetensors --to onnx --precision fp16 -o s/",
    )
)
@click.argument("target", metavar="[RUN|ARCH]", required=False)
@click.option("--trial", type=int, help="Number of a trial of the run.")
@click.option("--pick", type=click.Choice(["knee"]), help="The knee of the run's front: its best compromise.")
@click.option(
    "--max-latency",
    metavar="LIMIT",
    callback=plugin_names,
    help="The best network of the run up to a latency, such as ort=40ms.",
)
@click.option(
    "--to", "formats", metavar="FORMAT,...", default="config", show_default=True, help="One or several of the formats."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder; or a file, for one format."
)
@click.option("--weights", metavar="SOURCE", help="FILE.safetensors or timm:NAME.  [default: random]")
@click.option(
    "--allow-pickle", is_flag=True, help="Also read weights from a pickle, which may run code: only if you trust it."
)
@click.option(
    "--classes",
    type=click.IntRange(1, 100_000),
    help="Number of classes.  [default: that of the weights or labels, or 1000]",
)
@click.option("--labels", type=click.Path(path_type=Path), help="A text file with one class name per line.")
@click.option("--resolution", type=int, default=224, show_default=True, help="Side of the input image in pixels.")
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16"]),
    default="fp32",
    show_default=True,
    help="For coreml, onnx and tensorrt.",
)
@click.option("--batch", type=int, default=1, show_default=True, help="Images per batch; 0 allows any number.")
@click.option("--image-input", is_flag=True, help="The Core ML model takes images and normalises them.")
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@STORE
@JSON
def export(
    target: str | None,
    trial: int | None,
    pick: str | None,
    max_latency: str | None,
    formats: str,
    output: Path,
    force: bool,
    store: str,
    as_json: bool,
    **settings: Any,
) -> None:
    """Export a network to files for training and deployment.

    Every file is verified against the network. ARCH is a file, a notation, next-vit-s, next-vit-b, next-vit-l, or
    timm:NAME, a model of timm.
    Formats: config (JSON and YAML), python (one module that needs only torch), timm (a folder that timm loads), onnx,
    coreml, tensorrt, torch (torch.export).
    """
    from nas.commands.export import Selection, Settings, export_network

    selection = Selection(target=target, trial=trial, pick=pick, max_latency=max_latency)
    names = [name.strip() for name in formats.split(",") if name.strip()]
    export_network(selection, names, Settings(**settings), output, store_url=store, force=force, as_json=as_json)


@click.command(
    epilog=examples(
        "nas measure next-vit-s --latency ort",
        "nas measure arch.json --latency ort:resolution=192,threads=2 --json",
        "nas measure timm:fastvit_sa24 --latency ort           a network of another family, which timm builds",
        "nas measure next-vit-s arch.json --compare            is one of them faster?",
        "nas measure nhs-1 --front --latency coreml@ssh:me@macbook",
        "nas measure nhs-1 --front --again 2                   repeat, and combine",
        "nas measure --sample 60 --latency ort                 a data set for nas predictor",
    )
)
@click.argument("targets", metavar="[ARCH|RUN]...", nargs=-1)
@latencies("Latency to measure; repeat for several.  [default: ort]")
@click.option(
    "--proxy",
    "proxies",
    metavar="SPEC",
    multiple=True,
    callback=plugin_names,
    help="Score to compute; repeat for several.",
)
@click.option("--compare", is_flag=True, help="Measure two networks in pairs, and say whether they differ.")
@click.option("--front", is_flag=True, help="Measure the front of a run: RUN, or the latest one.")
@click.option("--all", "all_trials", is_flag=True, help="Measure every network of a run.")
@click.option("--trial", "trials", type=int, multiple=True, help="Measure one trial of a run; repeat for several.")
@click.option(
    "--again",
    type=click.IntRange(1, 100),
    metavar="N",
    help="Measure what is known N times more, in other processes; with --front also close rivals of the front.",
)
@click.option("--sample", type=click.IntRange(1, 100_000), metavar="N", help="Measure N random networks of a space.")
@click.option(
    "--space",
    metavar="NAME|FILE",
    default="nhs",
    show_default=True,
    callback=plugin_names,
    help="The space to sample.",
)
@narrowing
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the sample.")
@TIMEOUT
@STORE
@JSON
def measure(
    targets: tuple[str, ...],
    latencies: tuple[str, ...],
    proxies: tuple[str, ...],
    compare: bool,
    front: bool,
    all_trials: bool,
    trials: tuple[int, ...],
    again: int | None,
    sample: int | None,
    space: str,
    fix: tuple[str, ...],
    free: tuple[str, ...],
    seed: int,
    timeout: float,
    store: str,
    as_json: bool,
) -> int:
    """Measure single networks, those of a run, or a sample of a space.

    ARCH is a file, a notation, next-vit-s, next-vit-b, next-vit-l, or timm:NAME, a model of timm. The measurements of
    --front, --all, --trial and --sample go into the database; a network with a doubtful measurement there is measured
    again, another one is not.
    """
    from nas.commands import measure

    of_run = front or all_trials or bool(trials)
    if sum((of_run, sample is not None, compare)) > 1:
        raise click.UsageError("--compare, --sample, and --front, --all or --trial exclude each other")
    if again and not of_run:
        raise click.UsageError("--again repeats measurements of a run: give --front, --all or --trial")
    if as_json and (of_run or sample):
        raise click.UsageError("--json is for single networks; nas show --json and nas predictor --json read the rest")
    if (fix or free) and not sample:
        raise click.UsageError("--fix and --free narrow the space of --sample: give --sample N, or leave them out")
    if sample:
        if targets:
            raise click.UsageError(f"--sample draws its own networks: leave '{targets[0]}' out")
        evaluators = measure.requested(latencies, proxies)
        candidates = measure.sample(space, sample, seed, fix, free)
        return measure.measure_sample(store, candidates, evaluators, timeout=timeout)
    if of_run:
        if len(targets) > 1:
            raise click.UsageError(f"one run at a time, got {', '.join(targets)}")
        evaluators, name = measure.requested(latencies, proxies), targets[0] if targets else None
        return measure.measure_run(
            store, name, evaluators, trials=trials, all_trials=all_trials, again=again or 0, timeout=timeout
        )
    if not targets:
        raise click.UsageError("name a network to measure, or give --front or --sample N")
    if compare:
        measure.compare_networks(targets, latencies, timeout=timeout, as_json=as_json)
    else:
        measure.measure_networks(targets, latencies, proxies, store_url=store, timeout=timeout, as_json=as_json)
    return 0
