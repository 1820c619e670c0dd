"""Builds the networks of other families with timm. Importing it takes seconds: callers import this when they build."""

import difflib
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import timm
import torch
from timm.models import fastvit, is_model_in_modules, metaformer
from torch import nn

from search_spaces.common.errors import MeasurementFailed, UsageError
from search_spaces.common.texts import shown_word
from search_spaces.peers.timm_network import PREFIX, TimmNetwork

MIXERS = {  # of a stage of a MetaFormer, by letter: what mixes positions, and the norm that goes with it
    "C": (metaformer.SepConv, metaformer.LayerNorm2dNoBias),
    "A": (metaformer.Attention, metaformer.LayerNormNoBias),
}
REPARAMETERISED = {"C": "repmixer", "A": "attention"}  # of a stage of FastViT: timm's names


def named(text: str) -> TimmNetwork:
    """The network of a model's name, as `timm.list_models()` has it.

    Raises:
        UsageError: timm has no such model, or the name asks for weights.
    """
    model, _, tag = text.partition(".")
    known = timm.list_models()
    if model not in known:
        near = difflib.get_close_matches(model.lower(), known, n=1, cutoff=0.5)
        guess = f"did you mean '{PREFIX}{near[0]}'? " if near else ""
        raise UsageError(
            f"timm {timm.__version__} has no model called '{shown_word(model)}'",
            f"{guess}timm.list_models() names all {len(known):,}",
        )
    if tag:
        raise UsageError(
            f"'{PREFIX}{shown_word(text)}' asks for the weights '{shown_word(tag)}', and a network is counted and "
            "measured without any",
            f"write {PREFIX}{model}",
        )
    return TimmNetwork(model=model)


def build(network: TimmNetwork, *, classes: int = 1000, resolution: int = 224) -> nn.Module:
    """The network with fresh weights, in evaluation mode; on the device that torch has as its default.

    Raises:
        MeasurementFailed: timm cannot build it, for that resolution or at all; the message says why.
    """
    create, options = _builder(network), dict(network.options)
    try:
        try:
            built = create(options | {"num_classes": classes, "img_size": resolution})
        except TypeError as error:
            if "img_size" not in str(error):
                raise
            built = create(options | {"num_classes": classes})  # a convolutional network takes images of any size
    except Exception as error:  # timm's models raise whatever Python has
        raise unfit(network, resolution, error) from error
    return built.eval()


def on_paper(network: TimmNetwork, *, resolution: int = 224) -> nn.Module:
    """The same without memory for its weights (on torch's meta device): quick, and enough to count it."""
    with torch.device("meta"):
        return build(network, resolution=resolution)


def deployed(network: nn.Module) -> nn.Module:
    """A copy as it is deployed: branches that only training needs are merged, where its family has such.

    Attention is made of its single operators: torch cannot export its fused one from every model.
    """
    from timm.utils.model import reparameterize_model

    merged: nn.Module = reparameterize_model(network)
    for module in merged.modules():
        if hasattr(module, "fused_attn"):
            cast(Any, module).fused_attn = False
    return merged.eval()


def load(network: TimmNetwork, module: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Copies weights into a built network: all of them, and nothing else.

    Raises:
        UsageError: they are those of another network, or of another number of classes.
    """
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()
        raise UsageError(
            f"these are not the weights of {network}: {reason[min(1, len(reason) - 1)].strip():.160}",
            "give the weights of this very network, with as many classes",
        ) from None


def preparation(network: TimmNetwork) -> dict[str, Any]:
    """How timm prepares an image for a model: its `crop`, `interpolation`, `mean` and `std`."""
    config: Any = timm.models.get_pretrained_cfg(network.model)
    return {
        "crop": config.crop_pct,
        "interpolation": config.interpolation,
        "mean": list(config.mean),
        "std": list(config.std),
    }


def unfit(network: TimmNetwork, resolution: int, error: Exception) -> MeasurementFailed:
    """The failure of a network that cannot be built for a resolution, or does not run on it."""
    reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]:.160}"
    return MeasurementFailed(f"timm cannot run {network} on images of {resolution} px: {reason}", _usual(network))


def _usual(network: TimmNetwork) -> str:
    """The size of images that a model was made for."""
    if not timm.is_model(network.model):
        return f"timm {timm.__version__} has no such model: update timm, or leave the network out"
    config = timm.models.get_pretrained_cfg(network.model)
    side = config.input_size[-1] if config else 224
    return f"its model takes images of {side} px: give the evaluators that size, as in ort:resolution={side}"


def _builder(network: TimmNetwork) -> Callable[[dict[str, Any]], nn.Module]:
    """What makes the network of its options: timm's own function takes them, except where letters name its mixers."""
    if is_created_by_timm(network):
        return lambda options: timm.create_model(network.model, pretrained=False, **options)
    return _fastvit if is_model_in_modules(network.model, ["fastvit"]) else _metaformer


def is_created_by_timm(network: TimmNetwork) -> bool:
    """Whether `timm.create_model` takes its options."""
    letters = any(name == "token_mixers" for name, _ in network.options)
    return not (letters and is_model_in_modules(network.model, ["metaformer", "fastvit"]))


def _metaformer(options: dict[str, Any]) -> nn.Module:
    """CAFormer and ConvFormer (arXiv 2210.13452) from `depths`, `dims` and `token_mixers`, a letter for each stage."""
    chosen = [MIXERS[str(mixer)] for mixer in options["token_mixers"]]
    further: Any = {"token_mixers": [mixer for mixer, _ in chosen], "norm_layers": [norm for _, norm in chosen]}
    return metaformer.MetaFormer(**options | further)


def _fastvit(options: dict[str, Any]) -> nn.Module:
    """FastViT (arXiv 2303.14189) from `depths`, `dims` and `token_mixers`; a stage with attention knows positions."""
    depths, dims, mixers = (options.pop(name) for name in ("depths", "dims", "token_mixers"))
    encoding: Any = partial(fastvit.RepConditionalPosEnc, spatial_shape=(7, 7))  # of its kernel, as published
    return fastvit.FastVit(
        layers=depths,
        embed_dims=dims,
        token_mixers=tuple(REPARAMETERISED[str(mixer)] for mixer in mixers),
        pos_embs=tuple(encoding if mixer == "A" else None for mixer in mixers),
        **options,
    )
