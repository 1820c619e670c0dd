"""The commands of the study, on the command line: `nas strategies`, `nas rediscover` and `nas mechanism`."""

from pathlib import Path

import click

from nas.options import JSON, LANE, STORE, TIMEOUT, examples, plugin_names

SCALINGS = click.option(
    "--scaling",
    "scalings",
    multiple=True,
    metavar="NAME",
    help="Sizes of strategies: shallow, as-s, as-b, or tiny for images of some 64 px.  [default: all but tiny]",
)


@click.command(
    epilog=examples(
        "nas strategies --at 60ms                                  by published networks",
        "nas strategies stages place --at 60ms -o strategies.html",
        "nas strategies stages --at 4ms --latency ort:resolution=64 --data photos/ --seeds 2",
        "nas strategies --at 60ms --scaling as-s --json",
    )
)
@click.argument("questions", metavar="[QUESTION]...", nargs=-1)
@click.option("--at", metavar="LATENCY", required=True, help="The latency that all strategies are to have: 60ms.")
@click.option(
    "--latency", metavar="SPEC", default="ort", show_default=True, callback=plugin_names, help="Latency to measure."
)
@click.option(
    "--proxy", metavar="SPEC", callback=plugin_names, help="What judges them.  [default: published; train with --data]"
)
@click.option("--data", metavar="DIR|NAME", help="Images to train on, as for nas run.")
@click.option("--seeds", type=click.IntRange(1, 100), help="Trainings of each network.  [default: 1]")
@SCALINGS
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Also write an HTML page.")
@LANE
@TIMEOUT
@STORE
@JSON
def strategies(
    questions: tuple[str, ...],
    at: str,
    latency: str,
    proxy: str | None,
    data: str | None,
    seeds: int | None,
    scalings: tuple[str, ...],
    output: Path | None,
    lane: str,
    timeout: float,
    store: str,
    as_json: bool,
) -> int:
    """Compare hybrid strategies at one measured latency.

    Where should the transformer blocks go? Every strategy is built at several depths, and its widths are changed
    until its measured latency is within 2 % of LATENCY; then all are judged by the same metric, and compared with
    Next-ViT's strategy in pairs. Questions: stages, place, groups, ratio, norm, order, pooling, blocks; all of them
    by default. What was measured is stored, so that the same command resumes.
    """
    from nas.commands.study.strategies import compare_strategies

    return compare_strategies(
        questions,
        latency=latency,
        at=at,
        proxy=proxy,
        data=data,
        seeds=seeds,
        scalings=scalings,
        output=output,
        store_url=store,
        timeout=timeout,
        lane=lane,
        as_json=as_json,
    )


@click.command(
    epilog=examples(
        "nas rediscover --quick                       what published tables settle, at once",
        "nas rediscover --latency ort -o claims.html  and what the stopwatch settles, in some minutes",
        "nas rediscover --at 60ms -o claims.md        and what published networks predict at one latency",
        "nas rediscover 3 5 --at 4ms --latency ort:resolution=64 --data photos/ --seeds 3",
        "nas rediscover 1 17 --at 4ms --latency ort:resolution=64 --dense --seeds 3",
    )
)
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1, type=click.IntRange(1, 18))
@click.option("--latency", metavar="SPEC", callback=plugin_names, help="Latency to measure.  [default: ort]")
@click.option("--at", metavar="LATENCY", help="The latency at which strategies are judged: 60ms.")
@click.option("--proxy", metavar="SPEC", callback=plugin_names, help="How to train.  [default: train:epochs=9]")
@click.option("--data", metavar="DIR|NAME", help="Images to train on, as for nas run.")
@click.option("--seeds", type=click.IntRange(1, 100), help="Trainings of each network.  [default: 1]")
@SCALINGS
@click.option("--dense", is_flag=True, help="Also train on the dense task, which reads all four stages.")
@click.option("--quick", is_flag=True, help="Published claims only: nothing is measured.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the report: FILE.html or FILE.md; repeat for both.",
)
@LANE
@TIMEOUT
@STORE
@JSON
def rediscover(
    numbers: tuple[int, ...],
    latency: str | None,
    at: str | None,
    proxy: str | None,
    data: str | None,
    seeds: int | None,
    scalings: tuple[str, ...],
    dense: bool,
    quick: bool,
    outputs: tuple[Path, ...],
    lane: str,
    timeout: float,
    store: str,
    as_json: bool,
) -> int:
    """Test 18 claims about Next-ViT on this device.

    Each claim is an experiment with a prediction: from published tables, by the stopwatch (latencies in pairs, at equal
    widths), or by training strategies at one latency. The verdict is that it holds, that it fails, or that it cannot be
    told, with what that would take. Nothing is confirmed by a prediction. What was measured is stored, so that the same
    command resumes.
    """
    from nas.commands.study.rediscover import rediscover as settle

    return settle(
        numbers,
        latency=latency,
        at=at,
        proxy=proxy,
        data=data,
        seeds=seeds,
        scalings=scalings,
        dense=dense,
        quick=quick,
        outputs=outputs,
        store_url=store,
        timeout=timeout,
        lane=lane,
        as_json=as_json,
    )


@click.command(
    epilog=examples(
        "nas mechanism runs/trained/336aea37b404-photos --data photos/ -o mechanism.html",
        "nas mechanism next-vit-s --weights timm:nextvit_small.bd_in1k --data photos/",
        "nas mechanism arch.json --weights final.safetensors --images 256 --json",
    )
)
@click.argument("target", metavar="FOLDER|ARCH")
@click.option("--weights", "source", metavar="SOURCE", help="FILE.safetensors or timm:NAME.  [default: FOLDER's last]")
@click.option(
    "--allow-pickle", is_flag=True, help="Also read weights from a pickle, which may run code: only if you trust it."
)
@click.option("--random-weights", "random", is_flag=True, help="Look at an untrained network, and say so.")
@click.option(
    "--data", metavar="DATA", help="Images, as for nas run.  [default: FOLDER's digits or synthetic; or drawn scenes]"
)
@click.option(
    "--images", type=click.IntRange(2, 10_000), default=64, show_default=True, help="Validation images to look at."
)
@click.option(
    "--resolution",
    type=click.IntRange(32, 512),
    help="Side of the images in pixels.  [default: that of FOLDER, or 224]",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Also write an HTML page.")
@JSON
def mechanism(
    target: str,
    source: str | None,
    allow_pickle: bool,
    random: bool,
    data: str | None,
    images: int,
    resolution: int | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Show what the blocks of a trained network do.

    The reason for mixing, seen in one network: the frequencies of every block's features, those of what attention and
    convolution add within a transformer block, and how far attention reaches. FOLDER was written by nas train; ARCH is
    a file, a notation, or next-vit-s, next-vit-b, next-vit-l, and needs --weights.
    """
    from nas.commands.study.mechanism import mechanism as look

    return look(
        target,
        source=source,
        allow_pickle=allow_pickle,
        random=random,
        data=data,
        images=images,
        resolution=resolution,
        output=output,
        as_json=as_json,
    )
