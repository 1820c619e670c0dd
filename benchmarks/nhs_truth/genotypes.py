"""The networks of the truth: small Next-ViT networks for 64 px, most of them of the same size, drawn once.

    python benchmarks/nhs_truth/genotypes.py        writes benchmarks/nhs_truth/genotypes.json

48 are within 5 % of the same MACs and vary in the family's own dimensions: how many of their blocks are transformers,
where these stand, how deep and wide each stage is, how much of a transformer block is attention. 16 are smaller or
larger.
Three of the 48 are controls: no transformer at all, transformers alone, and the paper's pattern.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluators.counts.formula import total
from search_spaces import Architecture, Stage
from search_spaces.common.errors import InvalidArchitecture

RESOLUTION = 64
TARGET = 8.5e6  # MACs
TOLERANCE = 0.05
EQUAL, OUTSIDE = 48, 16
STEM = (8, 8, 8)
SR_RATIOS = (8, 4, 2, 1)
DEPTHS = ((1, 2), (1, 2, 3), (2, 3, 4, 5, 6, 7), (1, 2, 3))
WIDTHS = ((32, 64), (32, 64, 96), (64, 96, 128), (96, 128, 160, 192))
CONTROLS = {"all convolution": "C-CC-CCCC-CC", "all transformer": "T-TT-TTTT-TT", "paper's pattern": "C-CT-CCCT-CT"}
PLACEMENTS = ("early", "late", "spread", "stage ends", "random")


@dataclass(frozen=True, kw_only=True)
class Genotype:
    """One network of the truth, and its role."""

    architecture: Architecture
    role: str  # equal or outside
    half: str  # choosing: for decisions; final: only for the numbers that are published
    control: str = ""

    @property
    def macs(self) -> int:
        return _macs(self.architecture)

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.architecture.id,
            "notation": str(self.architecture),
            "role": self.role,
            "half": self.half,
            "control": self.control,
            "macs": self.macs,
            "params": total(self.architecture, RESOLUTION).params,
            "architecture": self.architecture.to_dict(),
        }


def main() -> None:
    rng = random.Random(0)
    genotypes = [_control(name, notation, rng) for name, notation in CONTROLS.items()]
    genotypes += _equal(EQUAL - len(genotypes), {genotype.architecture.id for genotype in genotypes}, rng)
    genotypes += _outside(OUTSIDE, rng)
    path = Path(__file__).parent / "genotypes.json"
    path.write_text(json.dumps([genotype.to_dict() for genotype in genotypes], indent=1) + "\n")
    for genotype in genotypes:
        place = f"{genotype.role:8} {genotype.half:9}"
        print(f"{genotype.macs / 1e6:6.2f} M  {place} {genotype.architecture}  {genotype.control}")


def _control(name: str, notation: str, rng: random.Random) -> Genotype:
    for architecture in _sized(notation, rng):
        if _fits(architecture):
            return Genotype(architecture=architecture, role="equal", half="final", control=name)
    raise AssertionError(f"{notation} cannot be built at this size")


def _equal(count: int, known: set[str], rng: random.Random) -> list[Genotype]:
    """Shares of transformers from none to all in equal numbers, each with every placement in turn."""
    genotypes: list[Genotype] = []
    while len(genotypes) < count:
        share = (len(genotypes) % 7) / 6
        placement = PLACEMENTS[len(genotypes) // 7 % len(PLACEMENTS)]
        architecture = next(iter(_candidates(share, placement, rng)))
        if _fits(architecture) and architecture.id not in known:
            known.add(architecture.id)
            half = ("choosing", "final")[(len(genotypes) + len(genotypes) // 7) % 2]
            genotypes.append(Genotype(architecture=architecture, role="equal", half=half))
    return genotypes


def _outside(count: int, rng: random.Random) -> list[Genotype]:
    """Eight from 60 to 90 % of the MACs, eight from 110 to 200 %."""
    genotypes: list[Genotype] = []
    while len(genotypes) < count:
        low, high = ((0.6, 0.9), (1.1, 2.0))[len(genotypes) % 2]
        share, placement = rng.random(), rng.choice(PLACEMENTS)
        architecture = next(iter(_candidates(share, placement, rng)))
        if low * TARGET <= _macs(architecture) <= high * TARGET:
            half = ("choosing", "final")[len(genotypes) // 2 % 2]
            genotypes.append(Genotype(architecture=architecture, role="outside", half=half))
    return genotypes


def _macs(architecture: Architecture) -> int:
    return total(architecture, RESOLUTION).all_macs


def _fits(architecture: Architecture) -> bool:
    return abs(_macs(architecture) / TARGET - 1) <= TOLERANCE


def _candidates(share: float, placement: str, rng: random.Random) -> Iterator[Architecture]:
    while True:
        depths = [rng.choice(choices) for choices in DEPTHS]
        yield from _sized(_placed(depths, share, placement, rng), rng, tries=1)


def _placed(depths: list[int], share: float, placement: str, rng: random.Random) -> str:
    """A notation with that share of transformers: early, late, evenly spread, at the ends of stages, or anywhere."""
    total = sum(depths)
    number = round(share * total)
    ends = [sum(depths[: index + 1]) - 1 for index in range(4)]
    order = list(range(total))
    if placement == "late":
        order.reverse()
    elif placement == "spread":
        order = sorted(order, key=lambda index: (index * number) % total if number else index)
    elif placement == "stage ends":
        order = [*reversed(ends), *(index for index in reversed(order) if index not in ends)]
    elif placement == "random":
        rng.shuffle(order)
    transformers = set(order[:number])
    kinds = ["T" if index in transformers else "C" for index in range(total)]
    groups, start = [], 0
    for depth in depths:
        groups.append("".join(kinds[start : start + depth]))
        start += depth
    return "-".join(groups)


def _sized(notation: str, rng: random.Random, tries: int = 20000) -> Iterator[Architecture]:
    """The notation in random widths and shares of attention."""
    for _ in range(tries):
        try:
            yield Architecture(
                stages=tuple(
                    Stage(
                        blocks=blocks,
                        conv_width=rng.choice(widths),
                        transformer_width=rng.choice(widths),
                        mix_block_ratio=rng.choice((0.5, 0.75, 1.0)),
                        sr_ratio=sr_ratio,
                    )
                    for blocks, widths, sr_ratio in zip(notation.split("-"), WIDTHS, SR_RATIOS, strict=True)
                ),
                stem=STEM,
                head_dim=16,
                conv_mlp_ratio=2.0,
                transformer_mlp_ratio=2.0,
            )
        except InvalidArchitecture:
            continue


if __name__ == "__main__":
    main()
