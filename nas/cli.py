"""The command line. Each command is thin; what it does is imported when it runs, so that `nas --help` is quick."""

from pathlib import Path
from typing import Any

import click

from nas import __version__
from nas.cli_training import finalists, train
from nas.options import JSON, RUN, SEED, STORE, TIMEOUT
from nas.options import examples as _examples


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_examples(
        "nas run --space nhs --budget 200      search, measure, and write a dashboard",
        "nas show                              the front of the latest run",
        "nas export --trial 42 -o arch.json    take one network with you",
        "",
        "Exit codes: 0 done, 1 the answer is no, 2 usage, 3 a bug in nas, 130 interrupted (resumable)",
    ),
)
@click.version_option(__version__, prog_name="nas")
def cli() -> None:
    """Search the Next-ViT family for the networks on the accuracy/latency front of your own device.

    Latency is measured; where it is predicted, it is called so. Training-free scores of accuracy are called scores.
    """


@cli.command(
    epilog=_examples(
        "nas run --space nhs --budget 200",
        "nas run --space nhs --budget 200 --limit 'ort<=40ms' --limit 'params<=35M'",
        "nas run --data photos/ --train 30             predict accuracy from 30 networks trained on photos/",
        "nas run --data digits --proxy train:epochs=3 --budget 30   train every candidate, the best longer",
        "nas run --name nhs-1                          resume an interrupted run",
        "nas run --name nhs-1 --budget 400             go on with a finished one",
        "nas run --space nhs --budget 50 --latency ort:resolution=192 --sampler random --json",
    )
)
@click.option("--space", metavar="NAME", default="nhs", show_default=True, help="Search space (nas spaces lists them).")
@click.option("--budget", type=int, default=200, show_default=True, help="Candidates to evaluate, anchors included.")
@click.option("--proxy", metavar="SPEC", help="What stands for accuracy.  [default: entropy; with --data: auto]")
@click.option("--data", metavar="DATA", help="Your images: a folder of classes, hf:OWNER/NAME, digits or synthetic.")
@click.option(
    "--train", "evaluations", type=int, default=20, show_default=True, help="Real evaluations, for --proxy auto."
)
@click.option(
    "--latency",
    "latencies",
    metavar="SPEC",
    multiple=True,
    default=("ort",),
    show_default=True,
    help="What is measured; give it several times for several run-times.",
)
@click.option("--limit", "limits", metavar="LIMIT", multiple=True, help="A bound to keep, such as 'ort<=40ms'.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of every random choice.")
@click.option("--sampler", metavar="NAME", default="gp", show_default=True, help="gp, tpe, nsga2 or random.")
@click.option("--name", metavar="RUN", help="Name of the run; an existing one is resumed.  [default: SPACE-N, new]")
@click.option("--dry-run", is_flag=True, help="Say what would be done, with three example networks, and do nothing.")
@TIMEOUT
@STORE
@JSON
@click.pass_context
def run(context: click.Context, /, store: str, as_json: bool, dry_run: bool, timeout: float, **choices: object) -> int:
    """Search: ask, score, measure and record candidates until the budget is spent.

    Ctrl-C and even kill -9 are safe: the same command with --name resumes where the run stood, asks the same
    candidates as if it had never stopped, and measures nothing twice.
    """
    from nas.commands.run import start

    given = {name for name in choices if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT}
    return start(choices, given, store_url=store, as_json=as_json, dry_run=dry_run, timeout=timeout)


@cli.command(epilog=_examples("nas show", "nas show nhs-1 --limit 'ort<=30ms'", "nas show --all --csv > trials.csv"))
@RUN
@click.option("--limit", "limits", metavar="LIMIT", multiple=True, help="Choose anew under another limit.")
@click.option("--all", "everything", is_flag=True, help="Every trial, not the front alone.")
@click.option("--runs", is_flag=True, help="List the runs instead.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV to standard output.")
@STORE
@JSON
def show(
    run: str | None,
    limits: tuple[str, ...],
    everything: bool,
    runs: bool,
    as_csv: bool,
    store: str,
    as_json: bool,
) -> int:
    """Show the front of a run (the latest by default), from what is stored."""
    from nas.commands import reports

    if runs:
        return reports.list_runs(store, as_json=as_json)
    return reports.show(store, run, limits, everything=everything, as_csv=as_csv, as_json=as_json)


@cli.command(epilog=_examples("nas dashboard", "nas dashboard nhs-1 -o front.html --open", "nas dashboard --serve"))
@RUN
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="[default: beside the database]")
@click.option("--open", "open_page", is_flag=True, help="Open it in the browser.")
@click.option("--serve", is_flag=True, help="Serve it live on this machine instead of writing a file.")
@click.option("--port", type=click.IntRange(0, 65535), help="For --serve.  [default: a free one]")
@STORE
def dashboard(run: str | None, output: Path | None, open_page: bool, serve: bool, port: int | None, store: str) -> None:
    """Write the dashboard of a run: one self-contained HTML file. Or serve it live, as trials arrive."""
    from nas.commands import reports

    if serve:
        from nas.commands import serve as serving

        if output:
            raise click.UsageError("--serve writes no file: what is -o for?")
        serving.serve(store, run, port or 0, ready=click.launch if open_page else str)
        return
    if port is not None:
        raise click.UsageError(f"--port {port} is for --serve: add it, or leave --port out")
    path = reports.write_dashboard(store, run, output)
    click.echo(path)
    if open_page:
        click.launch(path.resolve().as_uri())


@cli.command(epilog=_examples("nas compare nhs-1 nhs-2", "nas compare nhs-1 nhs-2 -o both.html"))
@click.argument("first", metavar="RUN_A")
@click.argument("second", metavar="RUN_B")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write both fronts as a page.")
@STORE
@JSON
def compare(first: str, second: str, output: Path | None, store: str, as_json: bool) -> int:
    """Compare the fronts of two runs: which covers more, and whether the measurements can tell."""
    from nas.commands import reports

    return reports.compare_runs(store, first, second, output, as_json=as_json)


@cli.command(
    epilog=_examples(
        "nas export --trial 42 -o arch.json                             the architecture alone",
        "nas export nhs-1 --pick knee --to onnx,python -o knee/",
        "nas export --max-latency ort=40ms --to onnx -o model.onnx      the best below a latency",
        "nas export next-vit-s --weights timm:nextvit_small.bd_in1k --to coreml,timm -o s/",
        "nas export CCC-CCCT-CCCCTCCCCT-CCT --weights best.safetensors --to onnx --precision fp16 -o s/",
    )
)
@click.argument("target", metavar="[RUN|ARCH]", required=False)
@click.option("--trial", type=int, help="Number of a trial of the run.")
@click.option("--pick", type=click.Choice(["knee"]), help="Let the run's front choose: its bend.")
@click.option("--max-latency", metavar="LIMIT", help="The best of the run below a latency, such as ort=40ms.")
@click.option(
    "--to", "formats", metavar="FORMAT,...", default="config", show_default=True, help="One or several, of those above."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder, or file of one format.")
@click.option("--weights", metavar="SOURCE", help="FILE.safetensors, or timm:NAME.  [default: fresh]")
@click.option("--allow-pickle", is_flag=True, help="Read weights from a pickle, too: only if you trust it.")
@click.option(
    "--classes", type=click.IntRange(1, 100_000), help="How many.  [default: as the weights or labels say, or 1000]"
)
@click.option("--labels", type=click.Path(path_type=Path), help="A text file with the name of a class on each line.")
@click.option("--resolution", type=int, default=224, show_default=True, help="Pixels of a side.")
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16"]),
    default="fp32",
    show_default=True,
    help="Of coreml, onnx, tensorrt.",
)
@click.option("--batch", type=int, default=1, show_default=True, help="Images at a time; 0 for any number.")
@click.option("--image-input", is_flag=True, help="Core ML takes images and normalises them itself.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
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
    **wishes: Any,
) -> None:
    """Hand a network over: its config, and files that train and deploy, each verified before it is called done.

    ARCH is a file, a notation, or next-vit-s, next-vit-b, next-vit-l. Formats: config (JSON and YAML), python (one
    module that needs torch alone), timm (a folder that timm loads), onnx, coreml, tensorrt, torch (torch.export).
    """
    from nas.commands import export as exporting

    choice = exporting.Choice(target=target, trial=trial, pick=pick, max_latency=max_latency)
    names = [name.strip() for name in formats.split(",") if name.strip()]
    exporting.export(choice, names, exporting.Wishes(**wishes), output, store_url=store, force=force, as_json=as_json)


@cli.command(
    epilog=_examples(
        "nas measure next-vit-s --latency ort",
        "nas measure arch.json --latency ort:resolution=192,threads=2 --json",
        "nas measure next-vit-s arch.json --compare            can they be told apart?",
        "nas measure nhs-1 --front --latency coreml@ssh:me@macbook",
        "nas measure --sample 60 --latency ort                 a data set for nas predictor",
    )
)
@click.argument("targets", metavar="[ARCH]...", nargs=-1)
@click.option("--latency", "latencies", metavar="SPEC", multiple=True, help="Latency to measure.  [default: ort]")
@click.option("--proxy", "proxies", metavar="SPEC", multiple=True, help="Score to compute.")
@click.option("--compare", is_flag=True, help="Measure two networks in pairs, and say whether they differ.")
@click.option("--front", is_flag=True, help="The networks of a run's front: name the run, or take the latest.")
@click.option("--all", "everything", is_flag=True, help="Every network of a run.")
@click.option("--trial", "trials", type=int, multiple=True, help="One network of a run, by number; several times.")
@click.option("--sample", type=click.IntRange(1, 100_000), metavar="N", help="N random networks of a space.")
@click.option("--space", metavar="NAME", default="nhs", show_default=True, help="The space to sample.")
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
    everything: bool,
    trials: tuple[int, ...],
    sample: int | None,
    space: str,
    seed: int,
    timeout: float,
    store: str,
    as_json: bool,
) -> int:
    """Measure networks: single ones now, those of a finished run on another device, or a sample of a space.

    ARCH is a file, a notation, or next-vit-s, next-vit-b, next-vit-l. What --front, --all, --trial and --sample
    measure goes into the database; what is known there is measured again only where it is doubtful.
    """
    from nas.commands import measure as measuring

    of_run = front or everything or bool(trials)
    if sum((of_run, sample is not None, compare)) > 1:
        raise click.UsageError("--compare, --sample, and --front, --all or --trial exclude each other")
    if as_json and (of_run or sample):
        raise click.UsageError("--json is for single networks; nas show --json and nas predictor --json read the rest")
    if sample:
        if targets:
            raise click.UsageError(f"--sample draws its networks: what is '{targets[0]}' for?")
        chosen = measuring.wanted(latencies, proxies)
        return measuring.measure_sample(store, space, sample, seed, chosen, timeout=timeout)
    if of_run:
        if len(targets) > 1:
            raise click.UsageError(f"one run at a time, got {', '.join(targets)}")
        chosen, name = measuring.wanted(latencies, proxies), targets[0] if targets else None
        return measuring.measure_run(store, name, chosen, trials=trials, everything=everything, timeout=timeout)
    if not targets:
        raise click.UsageError("say what to measure: a network, or --front, or --sample N")
    if compare:
        measuring.compared(targets, latencies, timeout=timeout, as_json=as_json)
    else:
        measuring.networks(targets, latencies, proxies, store_url=store, timeout=timeout, as_json=as_json)
    return 0


@cli.command(epilog=_examples("nas merge runs/nas.db from-the-mac.db"))
@click.argument("into", metavar="INTO")
@click.argument("sources", metavar="FROM...", nargs=-1, required=True)
@JSON
def merge(into: str, sources: tuple[str, ...], as_json: bool) -> int:
    """Bring measurements and runs of other databases into one; nothing is lost, nothing doubled.

    INTO and FROM are files or database URLs. FROM is only read, and checked before anything is written: damaged rows
    are left out, each with its reason, and the exit code is 1.
    """
    from nas.commands import reports

    return reports.merge(into, sources, as_json=as_json)


@cli.command(epilog=_examples("nas predictor --latency ort", "nas predictor --latency coreml --json"))
@click.option("--latency", metavar="SPEC", default="ort", show_default=True, help="The latency that is predicted.")
@STORE
@JSON
def predictor(latency: str, store: str, as_json: bool) -> int:
    """Say how well a latency can be predicted from what was measured: error, interval, ranking.

    Every device with at least 20 measurements in the database is judged on networks that its predictor has not seen.
    """
    from nas.commands.predictor import examine

    return examine(store, latency, as_json=as_json)


@cli.command(
    epilog=_examples(
        "nas validate --truth store                        the networks that were trained here",
        "nas validate entropy zen --truth trained.csv -o page.html",
        "nas validate --truth nasbench201_hw.csv --evaluations 20 --evaluations 100",
    )
)
@click.argument("scores", metavar="[SCORE]...", nargs=-1)
@click.option("--truth", metavar="FILE|store", required=True, help="A CSV file of networks, or what was trained here.")
@click.option(
    "--evaluations",
    type=click.IntRange(min=5),
    multiple=True,
    default=(20,),
    show_default=True,
    help="Real evaluations that the fused prediction may learn from; several times.",
)
@click.option("--draws", type=click.IntRange(1, 1000), default=5, show_default=True, help="Random draws of those.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML page, too.")
@TIMEOUT
@STORE
@JSON
def validate(
    scores: tuple[str, ...],
    truth: str,
    evaluations: tuple[int, ...],
    draws: int,
    output: Path | None,
    timeout: float,
    store: str,
    as_json: bool,
) -> int:
    """Hold scores and predictions against true accuracies: what they rank, and what choosing by them costs.

    A truth in CSV has a column accuracy (or accuracy_seed0, accuracy_seed1, ...); columns ending in _ms are latencies,
    params, macs and activations are structure, architecture is the network, every other number is a score. SCORE is
    computed for the networks of the table, which must be ours. Exit code 1 says that no score ranks better than the
    best count of the network.
    """
    from nas.commands.validate import validate as held

    return held(
        truth,
        scores,
        evaluations=evaluations,
        draws=draws,
        store_url=store,
        output=output,
        as_json=as_json,
        timeout=timeout,
    )


@cli.command(epilog=_examples("nas doctor", "nas doctor --latency coreml@ssh:me@macbook", "nas doctor --quick --json"))
@click.option("--latency", "latencies", metavar="SPEC", multiple=True, help="Look at this latency too, in its place.")
@click.option("--quick", is_flag=True, help="Leave the 5 s self-test of this machine's noise out.")
@STORE
@JSON
def doctor(latencies: tuple[str, ...], quick: bool, store: str, as_json: bool) -> int:
    """Say what this machine can measure, what is missing, how to get it, and how noisy it is."""
    from nas.commands.doctor import examine

    return examine(store, latencies, quick=quick, as_json=as_json)


@cli.command(epilog=_examples("nas check ./my_space.py", "nas check ./my_score.py"))
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
def check(path: Path) -> int:
    """Check a search space or an evaluator of your own: does it keep what all of its kind promise?

    docs/extending.md shows how to write one. Where it is used, its file stands for its name: --space ./my_space.py
    """
    from nas.commands import check as plugins

    return plugins.check(path)


@cli.command(epilog=_examples("nas spaces"))
@JSON
def spaces(as_json: bool) -> None:
    """List the search spaces."""
    from nas.commands import reports

    reports.list_spaces(as_json=as_json)


@cli.command(epilog=_examples("nas evaluators", "nas evaluators --json"))
@JSON
def evaluators(as_json: bool) -> None:
    """List the evaluators: costs, scores of accuracy, latencies."""
    from nas.commands import reports

    reports.list_evaluators(as_json=as_json)


cli.add_command(train)
cli.add_command(finalists)
