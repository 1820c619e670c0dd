"""What a network has in common with published ones: 42 features of its size, its stages, its widths and its layers.

They come from the layers one by one, by formula for our own family and by a trace for any other network, and say how
the work is shared out among the stages. Shares enter as square roots, so that a small one is told from none.
"""

from collections.abc import Callable, Sequence
from math import log, sqrt
from operator import attrgetter, mul

from evaluators.counts import networks
from evaluators.counts.formula import total
from evaluators.counts.layers import HEAD, Layer, by_stage
from search_spaces import Architecture, Network

Features = dict[str, float]
SHORT = ("stem", "s4", "s8", "s16", "s32")  # the stages in the names of features
NARROWEST = log(16)  # the logarithm of a width where a stage is absent
SIZE, LARGE_KERNEL = 224, 5  # the usual size of images; from this size on a depthwise kernel is a large one


def of(network: Network, resolution: int = SIZE) -> Features:
    """The features of a network of any family.

    Raises:
        MeasurementFailed: a network of timm's that cannot be built for that resolution.
    """
    if isinstance(network, Architecture):
        return own(network, resolution)
    done = networks.trace(network, resolution)
    return features(done.layers, done.params, resolution, layer_norms=done.layer_norms, smooth=done.smooth)


def layout(network: Network, resolution: int = SIZE) -> Features:
    """Those features alone that say how its layers and widths are shared out among its stages.

    Raises:
        MeasurementFailed: a network of timm's that cannot be built for that resolution.
    """
    layers = networks.total(network, resolution).layers
    rows, macs = by_stage(layers, resolution), sum(layer.macs for layer in layers)
    return _stages(rows, macs) | _widths(rows, macs)


def own(architecture: Architecture, resolution: int = SIZE) -> Features:
    """The features of a network of our own family and its zoo."""
    work = total(architecture, resolution)
    norms, activations = ([work.functions[name] for name in names] for names in (("layer", "batch"), ("gelu", "relu")))
    layer_norms, smooth = (first / sum((first, *others)) for first, *others in (norms, activations))
    return features(work.layers, work.params, resolution, layer_norms=layer_norms, smooth=smooth)


def features(
    layers: Sequence[Layer], params: int, resolution: int, *, layer_norms: float = 0.0, smooth: float = 0.0
) -> Features:
    """The features by name, in a fixed order. `layer_norms` and `smooth` are shares of norms and activations."""
    rows, macs = by_stage(layers, resolution), sum(layer.macs for layer in layers)
    body = [layer for row in rows[:HEAD] for layer in row]
    return {
        "log_macs": log(macs),
        "log_params": log(params),
        "log_activations": log(sum(layer.activations for layer in layers)),
        "log_size": log(resolution / SIZE),
        **_stages(rows, macs),
        **_weights(rows),
        **_widths(rows, macs),
        **_kinds(layers, body, macs),
        "squeeze_excite": float(any(layer.positions == 1 for layer in body)),
        "layer_norms": layer_norms,
        "smooth": smooth,
        "expansion": _mean(_pointwise(body), attrgetter("expansion")),
    }


def _stages(rows: Sequence[Sequence[Layer]], macs: int) -> Features:
    """By stage: its share of the MACs, its mixers (layers that look at several positions), layers, and attention."""
    values = {}
    for name, row in zip(SHORT, rows, strict=False):
        convolutions = sum(layer.kernel > 1 for layer in row)
        products = [layer.share for layer in row if layer.share]  # two for each attention
        mixers = convolutions + len(products) / 2
        values[f"macs_{name}"] = sqrt(sum(layer.macs for layer in row) / macs)
        values[f"mixers_{name}"] = log(1 + mixers)
        values[f"layers_{name}"] = log(1 + sum(layer.positions > 1 for layer in row))
        values[f"attention_{name}"] = sum(products) / 2 / max(1, mixers)
    return values


def _weights(rows: Sequence[Sequence[Layer]]) -> Features:
    """The shares of the weights of layers at strides 8, 16 and 32, and in the head."""
    weights = [sum(layer.weights for layer in row) for row in rows]
    named = zip((*SHORT, "head"), weights, strict=True)
    return {f"params_{name}": sqrt(count / sum(weights)) for name, count in list(named)[2:]}


def _widths(rows: Sequence[Sequence[Layer]], macs: int) -> Features:
    """Logarithms of widths, weighted by MACs: over all stages, at strides 4 and 8; and the largest of late layers."""
    shares = [sum(layer.macs for layer in row) / macs for row in rows[:HEAD]]
    widths = [_mean([layer for layer in row if layer.weights], attrgetter("width")) for row in rows[:HEAD]]
    late = [layer.width for row in rows[3:HEAD] for layer in row if layer.weights]
    return {
        "width": sum(share * width for share, width in zip(shares, widths, strict=True)),
        "width_late": max([*late, NARROWEST]),
        "width_s4": max(widths[1], NARROWEST),
        "width_s8": max(widths[2], NARROWEST),
    }


def _kinds(layers: Sequence[Layer], body: Sequence[Layer], macs: int) -> Features:
    """The shares of the MACs of kinds of layers; and whether there are depthwise convolutions, and large ones."""

    def share(chosen: Sequence[Layer]) -> float:
        return sqrt(sum(layer.macs for layer in chosen) / macs)

    depthwise = [layer for layer in body if layer.depthwise]
    return {
        "kind_depthwise": share(depthwise),
        "kind_grouped": share([layer for layer in body if layer.groups > 1 and not layer.depthwise]),
        "kind_dense": share([layer for layer in body if layer.kernel > 1 and layer.groups == 1]),
        "kind_attention": share([layer for layer in layers if layer.share]),
        "depthwise": float(bool(depthwise)),
        "large_depthwise": float(any(layer.kernel >= LARGE_KERNEL for layer in depthwise)),
    }


def _pointwise(layers: Sequence[Layer]) -> list[Layer]:
    return [layer for layer in layers if layer.kernel == 1 and layer.weights]


def _mean(layers: Sequence[Layer], value: Callable[[Layer], float]) -> float:
    """The mean of a value, weighted by MACs; 0 without layers."""
    macs = [layer.macs for layer in layers]
    values = [value(layer) for layer in layers]
    return sum(map(mul, macs, values)) / sum(macs) if sum(macs) else 0.0
