"""The commands of the study, on the command line: `nas strategies`."""

from pathlib import Path

import click

from nas.options import JSON, STORE, TIMEOUT, examples, plugin_names


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
@click.option(
    "--scaling",
    "scalings",
    multiple=True,
    metavar="NAME",
    help="Depths: shallow, as-s or as-b.  [default: all]",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Also write an HTML page.")
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
    from nas.commands.strategies import compare_strategies

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
        as_json=as_json,
    )
