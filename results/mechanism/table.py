"""The table of `nas mechanism`: a row for each block, for the terminal and for the page."""

from evaluators.mechanism import spectrum
from evaluators.mechanism.probe import Observed
from evaluators.statistics.ranking import Interval
from results.mechanism.report import Report, distance, highest, percent

NONE = "-"
HEADINGS = (
    "block",
    "kind",
    "map",
    "high frequencies [%]",
    "of attention [%]",
    "of convolution [%]",
    "log amplitude",
    "of attention",
    "of convolution",
    "distance [px]",
    "of heads [px]",
    "uniform [px]",
)


def facts(report: Report) -> dict[str, str]:
    """What all numbers have in common."""
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return {
        "network": f"{report.architecture} ({report.architecture.id})",
        "weights": report.weights,
        "images": f"{report.count} of {report.images}, at {report.resolution} px",
        "computed": f"on the CPU in fp32, {versions}",
    }


def row(block: Observed) -> list[str]:
    """A block: shares and distances with their 95 % intervals over images, and the nearest and the farthest head."""
    spectra = (block.output, block.attention, block.convolution)
    cells = [block.name, block.kind, f"{block.side} x {block.side}"]
    cells += [_text(percent(seen)) if seen else NONE for seen in spectra]
    cells += [f"{highest(seen).value:.2f}" if seen else NONE for seen in spectra]
    if not block.reach:
        return [*cells, NONE, NONE, NONE]
    heads = block.reach.heads.mean(0)
    return [
        *cells,
        _text(distance(block.reach)),
        f"{heads.min():.1f} to {heads.max():.1f}",
        f"{block.reach.uniform:.1f}",
    ]


def white_noise(report: Report) -> str:
    """The share of high frequencies that white noise has, by stage."""
    sides = {block.stage: block.side for block in report.blocks if block.side >= spectrum.SMALLEST}
    return ", ".join(f"{100 * spectrum.white_share(side):.0f} % in stage {stage}" for stage, side in sides.items())


def _text(interval: Interval) -> str:
    return f"{interval.value:.1f} [{interval.low:.1f}, {interval.high:.1f}]"
