"""The commands that train, on the command line: `nas train` and `nas finalists`."""

from pathlib import Path
from typing import Any

import click

from nas.options import JSON, RUN, STORE, examples, given, recipe


@click.command(
    epilog=examples(
        "nas train arch.json --data photos/ --weights timm:nextvit_small.bd_in1k --epochs 30",
        "nas train arch.json --data digits --plain --resolution 32 --batch-size 64 --epochs 15",
        "nas train arch.json --data photos/ --resume           resume an interrupted training",
        "torchrun --nproc-per-node 8 -m nas train next-vit-s --data imagenet/",
    )
)
@click.argument("target", metavar="ARCH")
@click.option("--data", metavar="DATA", required=True, help="A folder of classes, hf:OWNER/NAME, digits or synthetic.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder of the training.  [default: next to the database]"
)
@click.option("--resume", is_flag=True, help="Resume the training in that folder, with its stored settings.")
@click.option("--weights", metavar="SOURCE", help="Initial weights: FILE.safetensors or timm:NAME.")
@recipe
@STORE
@JSON
def train(
    target: str,
    data: str,
    output: Path | None,
    resume: bool,
    weights: str | None,
    plain: bool,
    store: str,
    as_json: bool,
    **settings: Any,
) -> int:
    """Train one network fully; its accuracy goes into the database.

    ARCH is a file, a notation, or next-vit-s, next-vit-b, next-vit-l. The defaults are the official recipe. Ctrl-C and
    even kill -9 are safe: --resume continues after the last finished epoch.
    """
    from nas.commands.train import start

    return start(
        target,
        data,
        output,
        given=given(settings),
        plain=plain,
        weights=weights,
        resume=resume,
        store_url=store,
        as_json=as_json,
    )


@click.command(
    epilog=examples(
        "nas finalists nhs-1                                   which five to train",
        "nas finalists nhs-1 --train --data photos/ --count 3  train three of them; repeat to resume",
    )
)
@RUN
@click.option("--count", type=click.IntRange(min=1), default=5, show_default=True, help="Number of finalists.")
@click.option("--train", is_flag=True, help="Train them fully, one after the other.")
@click.option("--data", metavar="DATA", help="Data to train on, as for nas train.")
@recipe
@STORE
@JSON
def finalists(
    run: str | None,
    count: int,
    train: bool,
    data: str | None,
    plain: bool,
    store: str,
    as_json: bool,
    **settings: Any,
) -> int:
    """Select networks of a run's front for full training.

    The first is the knee, the best compromise; then come those farthest from the ones already selected. With --train,
    every finalist is trained as by nas train, and its accuracy appears next to score and latency.
    """
    from nas.commands.finalists import start

    recipe_settings = given(settings)
    if train and not data:
        raise click.UsageError("--train needs --data: the images to train on")
    if (data or recipe_settings or plain) and not train:
        raise click.UsageError("--data and the training settings are for --train: add it, or leave them out")
    return start(store, run, count=count, data=data, given=recipe_settings, plain=plain, as_json=as_json)
