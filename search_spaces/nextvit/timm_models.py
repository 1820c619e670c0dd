"""Our networks as timm models: importing this module registers `nextvit_nas`.

    timm.create_model("nextvit_nas", arch="network.json", num_classes=10, features_only=True)
    python -m search_spaces.nextvit.timm_models train.py --model nextvit_nas --model-kwargs arch=network.json ...

The second form is for scripts that do not import this module, such as timm's own. timm's `save_for_hf` stores `arch` as
it was given: pass `model_args={"arch": model.architecture.to_dict()}` to make the result independent of a file.
"""

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from timm.layers.classifier import ClassifierHead as PoolingHead
from timm.models import build_model_with_cfg, checkpoint_seq, generate_default_cfgs, register_model
from timm.models._features import feature_take_indices
from timm.models._manipulate import MATCH_PREV_GROUP
from torch import Tensor, nn

from search_spaces.nextvit import reading
from search_spaces.nextvit.architecture import Architecture, output_side
from search_spaces.nextvit.network import NextViT, init_weights
from search_spaces.nextvit.preparation import CROP, INTERPOLATION, MEAN, STD


def architecture_of(arch: object) -> Architecture:
    """The network that `arch` names: an architecture, its dictionary, a file, a notation, or a name of the paper.

    Raises:
        InvalidArchitecture: no network can be built from it.
        UnknownName: a text that is none of these.
        UsageError: the file cannot be read.
    """
    if not isinstance(arch, str | Path):
        return arch if isinstance(arch, Architecture) else Architecture.from_dict(arch)
    return reading.find(str(arch))


class TimmNextViT(NextViT):
    """The network with the whole interface of a timm model. Its parameters keep the names of `NextViT`."""

    __constants__ = ("grad_checkpointing",)  # if it is False, TorchScript skips code that it cannot compile
    __jit_unused_properties__ = ("feature_channels", "feature_strides")
    if TYPE_CHECKING:  # TorchScript reads annotations, and rejects a module as one
        head: PoolingHead

    def __init__(
        self,
        architecture: Architecture,
        *,
        num_classes: int = 1000,
        in_chans: int = 3,
        global_pool: str = "avg",
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        with torch.device(device or torch.get_default_device()):
            super().__init__(architecture, num_classes=0, in_channels=in_chans, drop_path_rate=drop_path_rate)
        self.to(dtype=dtype)
        self.head = PoolingHead(architecture.feature_channels[-1], 0, global_pool, drop_rate)
        self.reset_classifier(num_classes)
        self.in_chans, self.grad_checkpointing = in_chans, False
        self.feature_info = [
            {"num_chs": channels, "reduction": stride, "module": f"stages.{index}"}
            for index, (channels, stride) in enumerate(zip(self.feature_channels, self.feature_strides, strict=True))
        ]

    def features(self, x: Tensor, count: int = 4) -> list[Tensor]:
        """The outputs (B, C, H, W) of the first `count` stages; block by block if gradients are checkpointed."""
        maps: list[Tensor] = []
        x = self.stem(x)
        for index, stage in enumerate(self.stages):
            if index < count:
                x = checkpoint_seq(stage.blocks, x) if self.grad_checkpointing else stage(x)
                maps.append(x)
        return maps

    def forward_features(self, x: Tensor) -> Tensor:
        """The input of the head: the normalised output of the last stage, (B, C, H / 32, W / 32)."""
        return self.norm(self.features(x)[-1])

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Features to logits; `pre_logits` stops before the classifier."""
        return self.head(x, pre_logits=pre_logits)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | list[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> list[Tensor] | tuple[Tensor, list[Tensor]]:
        """The final features and the outputs of some stages: all for None, the last n for an int.

        `norm` applies the final norm to the last output, `stop_early` skips the stages after the last requested one.
        """
        if output_fmt != "NCHW":
            raise ValueError(f"output_fmt is '{output_fmt}', but the features are maps: use 'NCHW'")
        requested, last = feature_take_indices(len(self.stages), indices)
        maps = self.features(x, last + 1 if stop_early else len(self.stages))
        final = maps[-1]
        if len(maps) == len(self.stages) and (norm or not intermediates_only):
            final = self.norm(final)
        maps[-1] = final if norm else maps[-1]
        intermediates = [maps[index] for index in sorted(requested)]
        if intermediates_only:
            return intermediates
        return final, intermediates

    def prune_intermediate_layers(
        self, indices: int | list[int] = 1, prune_norm: bool = False, prune_head: bool = True
    ) -> list[int]:
        """Removes the stages after the requested ones, and a norm or head that no longer fits. Returns indices."""
        requested, last = feature_take_indices(len(self.stages), indices)
        shorter = last + 1 < len(self.stages)
        self.stages = self.stages[: last + 1]
        if shorter or prune_norm:
            self.norm = nn.Identity()
        if shorter or prune_head:
            self.head.in_features = self.feature_channels[last]
            self.reset_classifier(0, "")
        return requested

    def get_classifier(self) -> nn.Module:
        """The last layer: linear, or the identity if there are no classes."""
        return self.head.fc

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replaces the classifier by an untrained one (none for 0 classes), and the pooling if it is given."""
        weight = next(self.parameters())
        self.num_classes = num_classes
        self.head.reset(num_classes, global_pool, device=weight.device, dtype=weight.dtype)
        self.head.apply(init_weights)
        self.num_features, self.head_hidden_size = self.head.in_features, self.head.num_features

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Saves memory in training: keeps only the input of each block and computes the rest again."""
        self.grad_checkpointing = enable

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Patterns of the parameters of each layer, for layer-wise learning rates: a block, or a stage if `coarse`."""
        blocks = [(r"^stages\.(\d+)\.blocks\.(\d+)", None), (r"^norm", MATCH_PREV_GROUP)]
        return {"stem": r"^stem", "blocks": r"^stages\.(\d+)" if coarse else blocks}

    def no_weight_decay(self) -> set[str]:
        """Parameters without weight decay: none, apart from norms and biases, which timm excludes itself."""
        return set()


def _configuration(resolution: int, mean: Sequence[float], std: Sequence[float], crop_pct: float) -> dict[str, Any]:
    preparation = {"interpolation": INTERPOLATION, "crop_pct": crop_pct, "mean": tuple(mean), "std": tuple(std)}
    sizes = {"input_size": (len(mean), resolution, resolution), "pool_size": (output_side(resolution, 32),) * 2}
    return {**preparation, **sizes, "first_conv": "stem.0.conv", "classifier": "head.fc"}


default_cfgs = generate_default_cfgs({"nextvit_nas": _configuration(224, MEAN, STD, CROP)})


def nextvit_nas(pretrained: bool = False, *, arch: object = "next-vit-s", **options: Any) -> nn.Module:
    """Any network of the Next-ViT family; `architecture_of` documents `arch`."""
    features = {"flatten_sequential": True, "out_indices": (0, 1, 2, 3)}
    return build_model_with_cfg(
        TimmNextViT, "nextvit_nas", pretrained, architecture=architecture_of(arch), feature_cfg=features, **options
    )


def hugging_face_config(
    architecture: Architecture,
    *,
    num_classes: int,
    resolution: int,
    mean: Sequence[float],
    std: Sequence[float],
    crop_pct: float,
    label_names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The `config.json` next to `model.safetensors` with which `local-dir:` and `hf-hub:` load the network."""
    names = {} if label_names is None else {"label_names": list(label_names)}
    size = {"num_classes": num_classes, "num_features": architecture.feature_channels[-1]}
    arguments, data = {"arch": architecture.to_dict()}, _configuration(resolution, mean, std, crop_pct)
    return {"architecture": "nextvit_nas", **size, **names, "model_args": arguments, "pretrained_cfg": data}


def main(arguments: list[str]) -> int:
    """Runs a script in which `nextvit_nas` is registered. Returns the exit code, 2 if there is no script."""
    if not arguments or not Path(arguments[0]).is_file():
        problem = f"there is no script '{arguments[0]}'\n" if arguments else ""
        sys.stderr.write(f"{problem}usage: python -m search_spaces.nextvit.timm_models SCRIPT.py [ARGUMENT]...\n")
        return 2
    sys.argv = arguments
    sys.path.insert(0, str(Path(arguments[0]).resolve().parent))  # as `python SCRIPT.py` sets it
    runpy.run_path(arguments[0], run_name="__main__")
    return 0


if __name__ != "__main__":
    register_model(nextvit_nas)
else:  # registered once, under the module's own name: the script becomes `__main__`
    from search_spaces.nextvit import timm_models

    sys.exit(timm_models.main(sys.argv[1:]))
