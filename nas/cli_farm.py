"""The commands of a team with several machines: `nas worker` and `nas status`."""

import click

from nas.options import JSON, RUN, STORE, examples, plugin_names


@click.command(
    epilog=examples(
        "nas worker --store postgresql://db/nas?sslmode=verify-full",
        "nas worker --lane t4 --offer trt --offer cuda     a GPU, for nas run --latency trt@lane:t4",
        "nas worker --lane gpus --offer train --data photos/     trainings, for nas run --data photos/ --lane gpus",
    )
)
@click.option("--lane", metavar="NAME", help="What drivers call this device.  [default: the host's name]")
@click.option(
    "--offer",
    "offers",
    metavar="NAME",
    multiple=True,
    default=("ort",),
    show_default=True,
    callback=plugin_names,
    help="What to evaluate for others: a latency, a score, train or segment; repeat for several. All latencies are of "
    "one device.",
)
@click.option(
    "--data",
    "sets",
    metavar="DATA",
    multiple=True,
    help="Images to train on, the same files as the drivers'; repeat for several.",
)
@click.option("--until-empty", is_flag=True, help="End when no job waits.")
@STORE
def worker(lane: str | None, offers: tuple[str, ...], sets: tuple[str, ...], until_empty: bool, store: str) -> int:
    """Measure and train on this machine for drivers elsewhere.

    Jobs wait in the team's database. Latencies of a lane are those of one device, and measured one after another,
    whoever asks; scores and trainings are done by as many workers as serve it. A worker may be killed at any time; its
    job is done again.
    """
    from nas.commands.farm.worker import serve_lane

    return serve_lane(store, lane, offers, sets, until_empty=until_empty)


@click.command(
    epilog=examples(
        "nas status                     the lanes of the team's database",
        "nas status nhs-1               how far a run is, and when it should be done",
        "nas status nhs-1 --watch",
        "nas status --json",
    )
)
@RUN
@click.option("--watch", is_flag=True, help="Show it again and again.")
@STORE
@JSON
def status(run: str | None, watch: bool, store: str, as_json: bool) -> int:
    """Show how far a run is, who serves the lanes of the team's queue, and what waits there.

    Without RUN, the lanes alone. Exit code 1: jobs wait in a lane that nobody serves.
    """
    from nas.commands.farm.status import show

    return show(store, run, watch=watch, as_json=as_json)


@click.group(epilog=examples("nas store init-roles --store postgresql://db/nas?sslmode=verify-full"))
def store() -> None:
    """Look after the team's database."""


@store.command("init-roles", epilog=examples("nas store init-roles"))
@STORE
def init_roles(store: str) -> int:
    """Make the tables, and a role for drivers and one for workers.

    Run it as the owner of the database. Workers need nothing of runs and measurements, and see none.
    """
    from nas.commands.farm.roles import initialise

    return initialise(store)
