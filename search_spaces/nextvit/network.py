"""The assembled network: stem, four stages, final norm, classifier. Read `blocks.py` first."""

import torch
from torch import Tensor, nn

from search_spaces.nextvit import blocks
from search_spaces.nextvit.architecture import STAGE_STRIDES, Architecture, stem_layers


def stem(in_channels: int, widths: tuple[int, int, int]) -> nn.Sequential:
    """Four 3x3 convolutions, two of stride 2: images (B, 3, H, W) to features (B, C, H / 4, W / 4)."""
    return nn.Sequential(*(blocks.ConvNormAct(*layer) for layer in stem_layers(widths, in_channels)))


class BlockSequence(nn.Module):
    """The blocks of one stage, one after the other."""

    def __init__(self, modules: list[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x)


class ClassifierHead(nn.Module):
    """Average over the positions, then a linear layer; features themselves when there are no classes."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, num_classes) if num_classes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.mean((2, 3)))  # (B, C, H, W) -> (B, classes)


class NextViT(nn.Module):
    """The network of an architecture, ready to train.

    Parameter names equal timm's, so that `load_state_dict` takes timm's weights for Next-ViT-S, B and L.
    Dropped paths grow linearly from 0 at the first block to `drop_path_rate` at the last (section 4.1).
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
        self.stem = stem(in_channels, architecture.stem)
        depth = sum(len(row) for row in architecture.blocks)
        rates = iter(torch.linspace(0, drop_path_rate, depth, device="cpu").tolist())
        self.stages = nn.Sequential(
            *(BlockSequence([blocks.build(block, next(rates)) for block in row]) for row in architecture.blocks)
        )
        self.norm: nn.Module = nn.BatchNorm2d(architecture.feature_channels[-1])
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
        """The output of every stage, for detection and segmentation: strides 4, 8, 16 and 32."""
        maps = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 3, H, W) to logits (B, classes)."""
        return self.head(self.norm(self.stages(self.stem(x))))

    def reparameterize(self) -> "NextViT":
        """Folds every norm that stands before a linear layer into it, in place, for deployment.

        Norms after a convolution stay: every run-time folds those itself. Outputs do not change (evaluation mode).
        """
        for module in self.modules():
            if isinstance(module, blocks.NextConvBlock | blocks.NextTransformerBlock):
                module.reparameterize()
        return self

    def merge(self) -> "NextViT":
        """Folds every norm that stands beside a convolution or linear layer into it, in place: what is deployed.

        Only the last norm, before the average, stays. Outputs do not change (evaluation mode).
        """
        for module in self.reparameterize().modules():
            if isinstance(module, blocks.ConvNormAct | blocks.PatchEmbed):
                module.norm = blocks.fold_behind(module.conv, module.norm)
            elif isinstance(module, blocks.ConvAttention):
                module.norm = blocks.fold_behind(module.group_conv3x3, module.norm)
        return self


def init_weights(module: nn.Module) -> None:
    """Weights from a truncated normal of width 0.02, biases 0 (official code)."""
    if isinstance(module, nn.Conv2d | nn.Linear) and not module.weight.is_meta:
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
