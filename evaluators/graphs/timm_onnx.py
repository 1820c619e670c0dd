"""The ONNX graph of a network that timm builds, by torch's exporter: seconds, where our own graphs take milliseconds.

Branches that only training needs are merged first, as the network is deployed. Nodes bear the part of the network in
their names, as ours do, where its modules tell: most of timm's families call their stages `stages.0` to `stages.3`.
"""

import re
from importlib.metadata import version

import onnx
import torch
from torch import nn

from search_spaces import TimmNetwork
from search_spaces.common.errors import MeasurementFailed
from search_spaces.nextvit.architecture import PARTS
from search_spaces.peers import timm_models

OPSET = 18  # the oldest that the exporter writes by itself
STAGE = re.compile(r"\bstages?\.(\d)\b")
OPERATOR = re.compile(r"aten[.:]+\w+|torchvision[.:]+\w+")
COLOUR = re.compile(r"\x1b\[\d+m")
MOST = 4096  # images in a batch, where any number is allowed


class Half(nn.Module):
    """A network in another precision, which takes and gives fp32, as our own graphs do."""

    def __init__(self, network: nn.Module, kind: torch.dtype) -> None:
        super().__init__()
        self.network, self.kind = network.to(kind), kind

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """From images (B, 3, H, W) to logits (B, classes)."""
        logits: torch.Tensor = self.network(images.to(self.kind))
        return logits.float()


KINDS = {"fp16": torch.float16, "bf16": torch.bfloat16}


def build(network: TimmNetwork, *, batch: int = 1, resolution: int = 224, precision: str = "fp32") -> onnx.ModelProto:
    """The graph with fresh weights, the same ones every time.

    Raises:
        MeasurementFailed: timm cannot build the network for that resolution, or an operator has no counterpart in ONNX.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = timm_models.build(network, resolution=resolution)
    return export(network, module, batch=batch, resolution=resolution, precision=precision)


def export(
    network: TimmNetwork, module: nn.Module, *, batch: int, resolution: int, precision: str = "fp32"
) -> onnx.ModelProto:
    """The graph of the built network, from `images` to `logits`, both fp32; with batch 0 it takes any number of images.

    Raises:
        MeasurementFailed: the network does not run on images of that size, or an operator has no counterpart in ONNX.
    """
    module = timm_models.deployed(module)
    images = torch.zeros(batch or 2, 3, resolution, resolution)
    with torch.no_grad():
        try:
            module(images)
        except Exception as error:  # assertions of timm's models and errors of torch
            raise timm_models.unfit(network, resolution, error) from error
    shapes = None if batch else ({0: torch.export.Dim("batch", min=1, max=MOST)},)
    half = KINDS.get(precision)
    try:
        program = torch.onnx.export(
            Half(module, half).eval() if half else module,
            (images,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=shapes,
            verbose=False,
        )
    except Exception as error:  # of the exporter's own many types
        raise _unconverted(network, error) from error
    assert program is not None
    return _named(program.model_proto)


def has_parts(graph: onnx.ModelProto) -> bool:
    """Whether the nodes of a graph say of all four stages which belong to them."""
    return set(PARTS) <= {node.name.partition("/")[0] for node in graph.graph.node} | {PARTS[-1]}


def versions() -> dict[str, str]:
    """What decides on the graph of a network, beside its description."""
    return {package: version(package) for package in ("timm", "torch", "onnxscript")}


def _named(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with the part of every node in its name, and without the exporter's notes, which name our files."""
    reached, last = 0, -1
    stages = [_stage(node) for node in graph.graph.node]
    if known := [place for place, stage in enumerate(stages) if stage]:
        last = known[-1]
    for place, (node, stage) in enumerate(zip(graph.graph.node, stages, strict=True)):
        reached = len(PARTS) - 1 if place > last >= 0 else max(reached, stage)
        node.name = f"{PARTS[reached]}/{node.op_type}_{place}"
        del node.metadata_props[:]
    for value in (*graph.graph.input, *graph.graph.output, *graph.graph.value_info, *graph.graph.initializer):
        del value.metadata_props[:]
    del graph.graph.metadata_props[:], graph.metadata_props[:]
    return graph


def _stage(node: onnx.NodeProto) -> int:
    """The number of a node's stage, from 1; 0 where its module is in none."""
    scopes = next((each.value for each in node.metadata_props if each.key == "namespace"), "")
    found = STAGE.search(scopes)
    return min(int(found[1]) + 1, len(PARTS) - 2) if found else 0


def _unconverted(network: TimmNetwork, error: Exception) -> MeasurementFailed:
    """What of the network torch cannot write as ONNX: the operator, where the error names it."""
    cause = error.__cause__ or error
    story = COLOUR.sub("", f"{error}\n{cause}")
    operator, reason = OPERATOR.search(story), f"{type(cause).__name__}: {(str(cause).splitlines() or [''])[0]:.200}"
    return MeasurementFailed(
        f"{network} does not convert to ONNX: {f'the operator {operator[0]}' if operator else reason}",
        f"torch.onnx.export of torch {torch.__version__} says: {reason}",
    )
