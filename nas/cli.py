"""The command line. A command imports its work (`nas/commands/`) only when it runs, so that `nas --help` is quick."""

from pathlib import Path

import click

from nas import __version__
from nas.cli_farm import status, store, worker
from nas.cli_networks import export, measure
from nas.cli_study import mechanism, rediscover, strategies
from nas.cli_training import finalists, train
from nas.options import JSON, LANE, RUN, SEED, STORE, TIMEOUT, Finite, examples, latencies, narrowing, plugin_names


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "nas run --space nhs --budget 200      search, measure, and write a dashboard",
        "nas show                              the front of the latest run",
        "nas export --trial 42 -o arch.json    the configuration of one network",
        "",
        "Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 a bug in nas, 130 interrupted (resumable)",
    ),
)
@click.version_option(__version__, prog_name="nas")
def cli() -> None:
    """Search the Next-ViT family for the networks on the accuracy/latency front of your own device.

    The front holds the networks that no other network beats in both. Latencies are measured; predictions are labelled
    as such. Estimates of accuracy without training are called scores.
    """


@cli.command(
    epilog=examples(
        "nas run --space nhs --budget 200",
        "nas run --space nhs --budget 200 --limit 'ort<=40ms' --limit 'params<=35M'",
        "nas run --fix 'stage*.N=3..4' --fix stage4.t=1   search a part of the space",
        "nas run --data photos/ --train 30             predict accuracy from 30 networks trained on photos/",
        "nas run --data digits --proxy train:epochs=3 --budget 30   train every candidate, the best ones longer",
        "nas run --anchor timm:fastvit_sa24 --anchor timm:caformer_s18   with networks of other families on the front",
        "nas run --name nhs-1                          resume an interrupted run",
        "nas run --name nhs-1 --budget 400             extend a finished run",
        "nas run --space nhs --budget 50 --latency ort:resolution=192 --sampler random --json",
        "nas run --data photos/ --lane gpus --store postgresql://db/nas?sslmode=verify-full   others train",
        "nas run --space ./my_space.py --latency ./my_board.py --budget 50   use your own plug-ins",
    )
)
@click.option(
    "--space",
    metavar="NAME|FILE",
    default="nhs",
    show_default=True,
    callback=plugin_names,
    help="Search space; nas spaces lists them.",
)
@narrowing
@click.option(
    "--budget",
    type=int,
    default=200,
    show_default=True,
    help="Candidates to evaluate, including the anchors: the published networks.",
)
@click.option(
    "--proxy",
    metavar="SPEC",
    callback=plugin_names,
    help="What stands for accuracy; nas evaluators lists them.  [default: published; with --data: auto]",
)
@click.option("--data", metavar="DATA", help="Your images: a folder of classes, hf:OWNER/NAME, digits or synthetic.")
@click.option(
    "--train", "evaluations", type=int, default=20, show_default=True, help="Networks that --proxy auto trains."
)
@click.option(
    "--hours",
    type=Finite(min=0, min_open=True, max=10_000),
    callback=lambda context, parameter, value: value or 0.0,
    help="Time for the whole run with --data; the fidelity of trainings is chosen to fit.  [default: 1 for trainings]",
)
@latencies("Latency to measure; repeat for several run-times.", default=("ort",), show_default=True)
@click.option(
    "--limit",
    "limits",
    metavar="LIMIT",
    multiple=True,
    callback=plugin_names,
    help="A limit that the networks must keep, such as 'ort<=40ms'; repeat for several. none lifts suggested ones.",
)
@click.option(
    "--anchor",
    "anchors",
    metavar="ARCH",
    multiple=True,
    help="A network to evaluate first and to show beside the others: timm:fastvit_sa24, a file, a notation; repeat "
    "for several.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of every random choice.")
@click.option(
    "--sampler", metavar="NAME", default="screen", show_default=True, help="screen, gp, tpe, nsga2 or random."
)
@click.option(
    "--measure",
    metavar="all|promising",
    help="Which candidates are measured: all, or those that a prediction leaves a prospect of the front."
    "  [default: all for up to 200, promising beyond]",
)
@click.option(
    "--candidates",
    type=click.IntRange(min=0),
    default=0,
    help="Candidates to look at, at the most, where only promising ones are measured.  [default: 25 times the budget]",
)
@click.option(
    "--seed-from",
    "teacher",
    metavar="RUN",
    callback=lambda context, parameter, value: value or "",
    help="Run whose networks teach the sampler from the first question; none: no run.  [default: all of the store]",
)
@click.option("--name", metavar="RUN", help="Name of the run; an existing run is resumed.  [default: SPACE-N, new]")
@click.option(
    "--jobs",
    type=int,
    metavar="N",
    help="Candidates in the works at once; the number changes no result.  [default: 2 where a core is to spare]",
)
@click.option(
    "--ahead",
    type=int,
    default=4,
    show_default=True,
    help="Results that a proposal does not wait for: one less than may be in the works at once.",
)
@LANE
@click.option("--dry-run", is_flag=True, help="Print the configuration and three example networks, and stop.")
@TIMEOUT
@STORE
@JSON
@click.pass_context
def run(
    context: click.Context,
    /,
    store: str,
    as_json: bool,
    dry_run: bool,
    timeout: float,
    jobs: int | None,
    lane: str,
    **choices: object,
) -> int:
    """Search: propose, score, measure and store candidates until the budget is spent.

    Ctrl-C and even kill -9 are safe: the same command with --name resumes the run, proposes the candidates that an
    uninterrupted run would have proposed, and measures nothing twice. SPEC is an evaluator with its options, such as
    ort:resolution=192, or the file of your own one.
    """
    from nas.commands.run import start

    given = {name for name in choices if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT}
    return start(
        choices, given, store_url=store, as_json=as_json, dry_run=dry_run, timeout=timeout, jobs=jobs, lane=lane
    )


@cli.command(
    epilog=examples(
        "nas show", "nas show nhs-1 --limit 'ort<=30ms'", "nas show --all --csv > trials.csv", "nas show --rules"
    )
)
@RUN
@click.option(
    "--limit",
    "limits",
    metavar="LIMIT",
    multiple=True,
    callback=plugin_names,
    help="Show the front under this limit instead of the run's own.",
)
@click.option("--all", "all_trials", is_flag=True, help="Show every trial, not only the front.")
@click.option("--rules", "as_rules", is_flag=True, help="Tell rules of the front that pass two checks.")
@click.option("--runs", is_flag=True, help="List the runs instead.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV to standard output.")
@STORE
@JSON
def show(
    run: str | None,
    limits: tuple[str, ...],
    all_trials: bool,
    as_rules: bool,
    runs: bool,
    as_csv: bool,
    store: str,
    as_json: bool,
) -> int:
    """Show the front of a stored run: the latest one by default."""
    from nas.commands.show import list_runs, show_rules, show_run

    if runs:
        if run or limits or all_trials or as_csv or as_rules:
            raise click.UsageError("--runs lists all runs: leave RUN, --limit, --all, --rules and --csv out")
        return list_runs(store, as_json=as_json)
    if as_rules:
        if limits or all_trials or as_csv:
            raise click.UsageError("--rules are those of the run's own front: leave --limit, --all and --csv out")
        return show_rules(store, run, as_json=as_json)
    return show_run(store, run, limits, all_trials=all_trials, as_csv=as_csv, as_json=as_json)


@cli.command(epilog=examples("nas dashboard", "nas dashboard nhs-1 -o front.html --open", "nas dashboard --serve"))
@RUN
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write.  [default: RUN.html]"
)
@click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")
@click.option("--serve", is_flag=True, help="Serve the page live on this machine instead of writing a file.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port for --serve.  [default: a free one]")
@STORE
def dashboard(run: str | None, output: Path | None, open_page: bool, serve: bool, port: int | None, store: str) -> None:
    """Write the dashboard of a run as an HTML file, or serve it live.

    The file is self-contained, and is written next to the database by default.
    """
    from nas.commands import dashboard

    if serve:
        if output:
            raise click.UsageError("--serve writes no file: leave -o out")
        dashboard.serve(store, run, port or 0, ready=click.launch if open_page else str)
        return
    if port is not None:
        raise click.UsageError(f"--port {port} is for --serve: add it, or leave --port out")
    path = dashboard.write_dashboard(store, run, output)
    click.echo(path)
    if open_page:
        click.launch(path.resolve().as_uri())


@cli.command(epilog=examples("nas compare nhs-1 nhs-2", "nas compare nhs-1 nhs-2 -o both.html"))
@click.argument("first", metavar="RUN_A")
@click.argument("second", metavar="RUN_B")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write both fronts to an HTML page."
)
@STORE
@JSON
def compare(first: str, second: str, output: Path | None, store: str, as_json: bool) -> int:
    """Compare the fronts of two runs.

    The answer is which front covers more, and whether the difference exceeds the uncertainty of the measurements.
    """
    from nas.commands.compare import compare_runs

    return compare_runs(store, first, second, output, as_json=as_json)


@cli.command(epilog=examples("nas merge runs/nas.db from-the-mac.db"))
@click.argument("into", metavar="INTO")
@click.argument("sources", metavar="FROM...", nargs=-1, required=True)
@JSON
def merge(into: str, sources: tuple[str, ...], as_json: bool) -> int:
    """Merge other databases into one, without loss and without duplicates.

    INTO and FROM are files or database URLs. FROM is only read, and checked before anything is written: damaged rows
    are left out, each with its reason, and the exit code is 1.
    """
    from nas.commands.merge import merge_databases

    return merge_databases(into, sources, as_json=as_json)


@cli.command(epilog=examples("nas predictor --latency ort", "nas predictor --latency coreml --json"))
@click.option(
    "--latency", metavar="SPEC", default="ort", show_default=True, callback=plugin_names, help="Latency to predict."
)
@STORE
@JSON
def predictor(latency: str, store: str, as_json: bool) -> int:
    """Report how well a latency can be predicted from stored measurements.

    Every device with at least 20 measurements in the database is judged on networks that its predictor has not seen.
    """
    from nas.commands.predictor import examine

    return examine(store, latency, as_json=as_json)


@cli.command(
    epilog=examples(
        "nas validate --truth store                        the networks that were trained here",
        "nas validate entropy zen --truth trained.csv -o page.html",
        "nas validate --truth nasbench201_hw.csv --evaluations 20 --evaluations 100",
        "nas validate --truth published                    networks of other families predicted from published ones",
    )
)
@click.argument("scores", metavar="[SCORE]...", nargs=-1, callback=plugin_names)
@click.option(
    "--truth",
    metavar="FILE|store|published",
    required=True,
    help="A CSV file of trained networks; store: those trained here; published: the table behind --proxy published.",
)
@click.option(
    "--evaluations",
    type=click.IntRange(min=5),
    multiple=True,
    default=(20,),
    show_default=True,
    help="Trained networks that the fused prediction may learn from; repeat for several.",
)
@click.option("--draws", type=click.IntRange(1, 1000), default=5, show_default=True, help="Random draws of them.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Also write an HTML page.")
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
    """Check scores and predictions against true accuracies.

    The report says how well they rank networks, and what choosing by them costs. The CSV file has a column accuracy
    (or accuracy_seed0, accuracy_seed1, ...); columns ending in _ms are latencies, params, macs and activations are
    structure, architecture is the network, every other number is a score. SCORE is computed for the networks of the
    file, which must be of the Next-ViT family. Exit code 1: no score ranks better than the best of params, macs and
    activations.
    """
    from nas.commands.validate import validate_scores

    return validate_scores(
        truth,
        scores,
        evaluations=evaluations,
        draws=draws,
        store_url=store,
        output=output,
        as_json=as_json,
        timeout=timeout,
    )


@cli.command(epilog=examples("nas doctor", "nas doctor --latency coreml@ssh:me@macbook", "nas doctor --quick --json"))
@latencies("Also examine this latency, where it is measured.")
@click.option("--quick", is_flag=True, help="Skip the 20 s test of this machine's noise.")
@STORE
@JSON
def doctor(latencies: tuple[str, ...], quick: bool, store: str, as_json: bool) -> int:
    """Report what this machine can measure, what is missing, and how noisy it is."""
    from nas.commands.doctor import examine

    return examine(store, latencies, quick=quick, as_json=as_json)


@cli.command(epilog=examples("nas check ./my_space.py", "nas check ./my_score.py"))
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
def check(path: Path) -> int:
    """Check your own search space or evaluator by the tests that ours pass.

    docs/extending.md shows how to write one. Commands take the file wherever they take a name: --space ./my_space.py
    """
    from nas.commands.check import check_plugin

    return check_plugin(path)


@cli.command(epilog=examples("nas spaces", "nas spaces nhs            its parameters, for nas run --fix"))
@click.argument("space", metavar="[NAME|FILE]", required=False, callback=plugin_names)
@JSON
def spaces(space: str | None, as_json: bool) -> None:
    """List the search spaces, or the parameters of one with their values."""
    from nas.commands import lists

    if space:
        lists.list_parameters(space, as_json=as_json)
    else:
        lists.list_spaces(as_json=as_json)


@cli.command(epilog=examples("nas evaluators", "nas evaluators --json"))
@JSON
def evaluators(as_json: bool) -> None:
    """List the evaluators: costs, accuracies and their scores, latencies."""
    from nas.commands.lists import list_evaluators

    list_evaluators(as_json=as_json)


for command in (export, measure, train, finalists, strategies, rediscover, mechanism, worker, status, store):
    cli.add_command(command)
