"""Glyphs of networks: one mark for each block, as text and as a drawing.

A convolution block (NCB) lies flat, a transformer block (NTB) stands tall. In the drawing, blue is convolution and
vermilion attention, which takes the share r of a transformer block's channels. Blocks of other families have a colour
each, and stand tall if they attend. So do the stages of a network that timm builds, where its options name them;
another one has its name in place of marks.
"""

from html import escape

from results.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, YELLOW
from search_spaces import PAPER, Architecture, Block, Network, TimmNetwork
from search_spaces.nextvit.architecture import PAPER_WIDTHS
from search_spaces.nextvit.stage import TRANSFORMERS
from search_spaces.peers.stages import named_stages
from search_spaces.zoo import KINDS

HEIGHT, FLAT, GAP, STAGE_GAP = 22, 9, 1.5, 7  # px
LETTER = 8  # px, of the monospaced name of a network
MARKS = {"C": "▖", "T": "▌", **{kind: "▐" if kind in TRANSFORMERS else "▗" for kind in KINDS}}
FIELDS = {  # of a whole network
    "stem": "stem {}",
    "head_dim": "head dim {}",
    "conv_mlp_ratio": "MLP ratio of C {:g}",
    "transformer_mlp_ratio": "MLP ratio of T {:g}",
    "conv_kernel": "kernel {}",
    "transformer_order": "{}",
    "attention_pooling": "pools {}",
    "normalization": "{} norm",
    "activation": "{}",
}
PEERS = {"C": "▖", "A": "▌", "T": "▌", "M": "▐"}  # of timm's families: M is convolution, then attention
ZOO = {"M": GREY, "P": YELLOW, "R": PURPLE, "V": ORANGE, "W": GREEN, "X": SKY}


def glyph(network: Network) -> str:
    """One mark for each block, stages apart: `▖▖▖ ▖▖▖▌ ...`; nothing for one of timm's models as it is."""
    if isinstance(network, Architecture):
        return " ".join("".join(MARKS[kind] for kind in stage.blocks) for stage in network.stages)
    plan = named_stages(network) if isinstance(network, TimmNetwork) else None
    return " ".join(PEERS[kind] * depth for kind, depth in zip(plan.kinds, plan.depths, strict=True)) if plan else ""


def fields(network: Network) -> str:
    """In what a network differs from Next-ViT beside its blocks, their widths and r; empty if in nothing.

    It is empty for a network of another family, too.
    """
    if not isinstance(network, Architecture):
        return ""
    differing = [
        word.format("/".join(map(str, value)) if isinstance(value, tuple) else value)
        for name, word in FIELDS.items()
        if name in network.uses and (value := getattr(network, name)) != getattr(PAPER["next-vit-s"], name)
    ]
    ratios = [stage.sr_ratio for stage in network.stages]
    published = [ratio for _, _, ratio in PAPER_WIDTHS]
    if any(ratio and ratio != usual for ratio, usual in zip(ratios, published, strict=True)):
        differing.append(f"sr ratios {'/'.join(str(ratio or '-') for ratio in ratios)}")
    return ", ".join(differing)


def labelled(network: Network) -> str:
    """The notation, and the marks where there are some."""
    return "  ".join(filter(None, (str(network), glyph(network))))


def svg(network: Network) -> str:
    """An inline SVG of the block sequence; marks are as wide as the block has channels, on a root scale."""
    if not isinstance(network, Architecture):
        return _name(str(network))
    marks, x = [], 0.0
    for row in network.blocks:
        for block in row:
            width = 3 + (block.out_channels / 96) ** 0.5 * 2
            marks.append(_mark(block, x, width))
            x += width + GAP
        x += STAGE_GAP
    label = f"{spoken(network)}; {network}"
    size = f'width="{x - STAGE_GAP:.0f}" height="{HEIGHT}" viewBox="0 0 {x - STAGE_GAP:.1f} {HEIGHT}"'
    return f'<svg class="glyph" role="img" aria-label="{label}" {size}>{"".join(marks)}</svg>'


def _name(name: str) -> str:
    """The name of a network as a drawing."""
    width = round(LETTER * len(name))
    size = f'width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}"'
    text = f'<text x="0" y="15" font-size="13" font-family="monospace" fill="{GREY}">{escape(name)}</text>'
    return f'<svg class="glyph" role="img" aria-label="{escape(name)}" {size}>{text}</svg>'


def spoken(network: Network) -> str:
    """The block sequence as words, for a screen reader; the name of a network of another family."""
    if not isinstance(network, Architecture):
        return str(network)
    stages = []
    for number, stage in enumerate(network.stages, start=1):
        counts = [f"{stage.blocks.count('C')} convolution", f"{stage.blocks.count('T')} transformer"]
        counts += [f"{stage.blocks.count(kind)} {kind}" for kind, _ in sorted(dict(stage.zoo_widths).items())]
        stages.append(f"stage {number}: {', '.join(counts)}")
    return "; ".join(stages)


def _mark(block: Block, x: float, width: float) -> str:
    """A transformer's mark is vermilion for the share of attention (r) and blue for the convolution below it."""
    if block.kind != "T":
        height = HEIGHT if block.is_transformer else FLAT
        return _box(x, HEIGHT - height, width, height, ZOO.get(block.kind, BLUE))
    attention = HEIGHT * block.attention_channels / block.out_channels
    upper = _box(x, 0, width, attention, VERMILION)
    return upper + _box(x, attention, width, HEIGHT - attention, BLUE)


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
