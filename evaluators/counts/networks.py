"""Exact counts of a network of any family: by formula for our own, and by a trace for those that timm builds."""

from functools import lru_cache
from typing import TYPE_CHECKING

from evaluators.counts import formula
from evaluators.counts.formula import Work
from search_spaces import Architecture, Network, TimmNetwork
from search_spaces.common.errors import MeasurementFailed
from search_spaces.peers.stages import named_stages

if TYPE_CHECKING:
    from evaluators.counts.layer_tracing import Trace

TRACES = 2000  # to keep: a network is counted for its limits, its features and its prediction


def total(network: Network, resolution: int = 224) -> Work:
    """The work of a whole network with 1000 classes on one image, `resolution` pixels high and wide.

    Raises:
        MeasurementFailed: a network of timm's that cannot be built for that resolution.
    """
    if isinstance(network, Architecture):
        return formula.total(network, resolution)
    traced = trace(network, resolution)
    products = [layer for layer in traced.layers if layer.share]
    macs, attention = (sum(layer.macs for layer in layers) for layers in (traced.layers, products))
    return Work(
        macs=macs - attention,
        attention=attention,
        activations=sum(layer.activations for layer in traced.layers),
        weights=sum(layer.weights for layer in traced.layers),
        params=traced.params,
        layers=list(traced.layers),
    )


def trace(network: Network, resolution: int) -> "Trace":
    """The layers of a network that timm builds, as it is trained.

    Raises:
        MeasurementFailed: it cannot be built for that resolution.
    """
    assert isinstance(network, TimmNetwork), f"{network} is counted by formula"
    return _traced(network, resolution)


@lru_cache(maxsize=TRACES)
def _traced(network: TimmNetwork, resolution: int) -> "Trace":
    from evaluators.counts import layer_tracing, staged
    from search_spaces.peers import timm_models

    try:
        if named := named_stages(network):
            return staged.trace(network, named, resolution)
        return layer_tracing.trace(timm_models.on_paper(network, resolution=resolution), resolution)
    except MeasurementFailed:
        raise
    except Exception as error:  # assertions of timm's models and errors of torch
        raise timm_models.unfit(network, resolution, error) from error
