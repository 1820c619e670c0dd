"""The commands that train, of the command line: `nas train` and `nas finalists`. Thin, as those of `cli.py`."""

from pathlib import Path
from typing import Any

import click

from nas.options import JSON, RUN, STORE, examples, given, recipe


@click.command(
    epilog=examples(
        "nas train arch.json --data photos/ --weights timm:nextvit_small.bd_in1k --epochs 30",
        "nas train arch.json --data digits --plain --resolution 32 --batch-size 64 --epochs 15",
        "nas train arch.json --data photos/ --resume           go on after an interruption",
        "torchrun --nproc-per-node 8 -m nas train next-vit-s --data imagenet/",
    )
)
@click.argument("target", metavar="ARCH")
@click.option("--data", metavar="DATA", required=True, help="A folder of classes, hf:OWNER/NAME, digits or synthetic.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to train in.  [default: of the database]")
@click.option("--resume", is_flag=True, help="Go on with the training in that folder, by its own settings.")
@click.option("--weights", metavar="SOURCE", help="Weights to begin with: FILE.safetensors or timm:NAME.")
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
    """Train one network fully: the honest way to its real accuracy, which goes into the database.

    ARCH is a file, a notation, or next-vit-s, next-vit-b, next-vit-l. The defaults are the official recipe. Ctrl-C and
    even kill -9 are safe: --resume goes on after the last epoch that was finished.
    """
    from nas.commands import train as training

    return training.start(
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
        "nas finalists nhs-1 --train --data photos/ --count 3  train them; the same command goes on",
    )
)
@RUN
@click.option("--count", type=click.IntRange(min=1), default=5, show_default=True, help="How many.")
@click.option("--train", is_flag=True, help="Train them, one after the other.")
@click.option("--data", metavar="DATA", help="What to train them on, as for nas train.")
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
    """Choose the few of a run's front that are worth training: the knee, then those farthest from each other.

    With --train each is trained as nas train does it, and its true accuracy stands beside score and latency.
    """
    from nas.commands.finalists import start

    wished = given(settings)
    if train and not data:
        raise click.UsageError("--train needs --data: what to train on")
    if (data or wished or plain) and not train:
        raise click.UsageError("--data and the settings of a training are for --train")
    return start(store, run, count=count, data=data, given=wished, plain=plain, as_json=as_json)
