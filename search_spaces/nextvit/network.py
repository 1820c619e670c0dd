"""The whole network: stem, four stages of blocks, final norm, classifier. Read `parts.py` and `blocks.py` first.

Shapes for an image of 224 pixels, C1 to C4 being the widths of the four stages (Next-ViT-S: 96, 256, 512, 1024):

    image     (B,  3, 224, 224)
    stem      (B, 64,  56,  56)    four 3x3 convolutions, the first and the last of stride 2
    stage 1   (B, C1,  56,  56)
    stage 2   (B, C2,  28,  28)    its first block halves the resolution, as in stages 3 and 4
    stage 3   (B, C3,  14,  14)
    stage 4   (B, C4,   7,   7)
    norm      (B, C4,   7,   7)
    head      (B, classes)         average over the positions, then a linear layer
"""

import torch
from torch import Tensor, nn

from search_spaces.nextvit import blocks, folding, parts
from search_spaces.nextvit.architecture import STAGE_STRIDES, Architecture, stem_layers


def stem(
    in_channels: int, widths: tuple[int, int, int], normalization: str = "batch", activation: str = "relu"
) -> nn.Sequential:
    """Four 3x3 convolutions, the first and the last of stride 2: images (B, 3, H, W) to (B, C, H / 4, W / 4)."""
    layers = stem_layers(widths, in_channels)
    return nn.Sequential(
        *(parts.ConvNormAct(*layer, normalization=normalization, activation=activation) for layer in layers)
    )


class BlockSequence(nn.Module):
    """The blocks of one stage in sequence. A module of its own because timm's parameter names have its level."""

    def __init__(self, modules: list[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x)


class ClassifierHead(nn.Module):
    """Average over the positions, then a linear layer; without classes, the averaged features."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, num_classes) if num_classes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.mean((2, 3)))  # (B, C, H, W) -> (B, C) -> (B, classes)


class NextViT(nn.Module):
    """The network of an architecture, ready to train.

    Parameter names equal timm's, so that `load_state_dict` takes timm's weights for Next-ViT-S, B and L. The rate of
    stochastic depth grows linearly from 0 at the first block to `drop_path_rate` at the last (section 4.1).
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        num_classes: int = 1000,
        in_channels: int = 3,
        drop_path_rate: float = 0.1,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.stem = stem(in_channels, architecture.stem, architecture.normalization, architecture.activation)
        depth = sum(len(row) for row in architecture.blocks)
        rates = iter(torch.linspace(0, drop_path_rate, depth, device="cpu").tolist())  # numbers, even under "meta"
        self.stages = nn.Sequential(
            *(BlockSequence([blocks.build(block, next(rates)) for block in row]) for row in architecture.blocks)
        )
        self.norm = parts.norm_layer(architecture.normalization, architecture.feature_channels[-1])
        self.head: nn.Module = ClassifierHead(architecture.feature_channels[-1], num_classes)
        self.apply(init_weights)

    @property
    def feature_channels(self) -> tuple[int, ...]:
        """Channels of the maps that `features` returns."""
        return self.architecture.feature_channels

    @property
    def feature_strides(self) -> tuple[int, ...]:
        """Input pixels per position of the maps that `features` returns: 4, 8, 16, 32."""
        strides, stride = [], 4
        for stage_stride in STAGE_STRIDES:
            stride *= stage_stride
            strides.append(stride)
        return tuple(strides)

    def features(self, x: Tensor) -> list[Tensor]:
        """The output (B, C, H, W) of every stage, for detection and segmentation: strides 4, 8, 16 and 32."""
        maps = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 3, H, W) to logits (B, classes)."""
        x = self.stem(x)  # (B, C, H / 4, W / 4)
        x = self.stages(x)  # (B, C4, H / 32, W / 32)
        return self.head(self.norm(x))  # (B, classes)

    def reparameterize(self) -> "NextViT":
        """Folds every batch norm that precedes a linear layer into it, in place, for deployment.

        Norms after a convolution stay: every run-time folds those itself. In evaluation mode outputs do not change.
        """
        for module in self.modules():
            if isinstance(module, blocks.NextConvBlock | blocks.NextTransformerBlock):
                module.reparameterize()
        return self

    def merge(self) -> "NextViT":
        """Folds every batch norm next to a convolution or linear layer into it, in place, as it is deployed.

        Only the last norm, before the average, stays. In evaluation mode outputs do not change.
        """
        for module in self.reparameterize().modules():
            if isinstance(module, parts.ConvNormAct | parts.PatchEmbed):
                module.norm = folding.fold_behind(module.conv, module.norm)
            elif isinstance(module, parts.ConvAttention):
                module.norm = folding.fold_behind(module.group_conv3x3, module.norm)
        return self


def init_weights(module: nn.Module) -> None:
    """Draws weights from a truncated normal of standard deviation 0.02 and sets biases to 0 (official code)."""
    if isinstance(module, nn.Conv2d | nn.Linear) and not module.weight.is_meta:
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
