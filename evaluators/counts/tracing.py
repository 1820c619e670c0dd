"""Exact counts of any module, traced by fvcore: for networks of other families, and to check the formulas.

Attention, which fvcore cannot count, is counted here; other operators without a count are reported in `uncounted`.
"""

import warnings
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The work of a module on one batch. `macs` excludes attention's two products, as in `formula.Work`."""

    macs: int
    attention: int
    activations: int
    params: int
    uncounted: dict[str, int]  # operators without a count, and how often they occur


def trace(module: "nn.Module", shape: tuple[int, ...]) -> Counts:
    """Counts a module on an input of zeros of a shape; norms, poolings and element-wise operators do not count."""
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis

    flops = _analysed(FlopCountAnalysis, module, shape, _attention_macs)
    written = _analysed(ActivationCountAnalysis, module, shape, _attention_activations)
    attention = int(flops.by_operator()["scaled_dot_product_attention"])
    return Counts(
        macs=int(flops.total()) - attention,
        attention=attention,
        activations=int(written.total()),
        params=sum(parameter.numel() for parameter in module.parameters()),
        uncounted=dict(sorted(flops.unsupported_ops().items())),
    )


def _analysed(kind: Any, module: "nn.Module", shape: tuple[int, ...], attention: Any) -> Any:
    """One of fvcore's analyses after its run, which keeps the results."""
    import torch

    analysis = kind(module.eval(), torch.zeros(shape))
    analysis.uncalled_modules_warnings(False)
    analysis.unsupported_ops_warnings(False)
    for norm in ("batch", "layer", "group"):  # fvcore counts norms; the paper's tables do not
        analysis.set_op_handle(f"aten::{norm}_norm", _nothing)
    analysis.set_op_handle("aten::scaled_dot_product_attention", attention)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # fvcore uses torch.jit, which torch 2.15 deprecates
        analysis.total()
    return analysis


def _nothing(inputs: list[Any], outputs: list[Any]) -> int:
    return 0


def _attention_shapes(inputs: list[Any]) -> tuple[list[int], list[int], list[int]]:
    from fvcore.nn.jit_handles import get_shape

    query, key, value = (get_shape(tensor) for tensor in inputs[:3])
    return query, key, value


def _attention_macs(inputs: list[Any], outputs: list[Any]) -> int:
    """q @ k and the product with v: (B, h, N, d) x (B, h, M, d) -> N * M * d twice for each head."""
    query, key, value = _attention_shapes(inputs)
    return prod(query) * key[-2] + prod(query[:-1]) * prod(value[-2:])


def _attention_activations(inputs: list[Any], outputs: list[Any]) -> int:
    """The attention map (B, h, N, M) and the mixed values (B, h, N, d)."""
    query, key, value = _attention_shapes(inputs)
    return prod(query[:-1]) * (key[-2] + value[-1])
