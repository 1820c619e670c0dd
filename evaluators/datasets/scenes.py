"""Procedural scenes with a class for every pixel: a task that reads all stages of a network.

Two classes are told by what is near: the contour of striped objects. Four are told only by what else is in the scene:
whether a chequered object is the largest of them, and whether a plain one is the nearest of them to the key, a small
ringed disc. Objects overlap, and their radii are 4 to 15 pixels of 64. Scenes are not photographs: what a network
reaches here shows how it behaves. A scene is a function of its split and number, at any resolution; its mirror image
has the same classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, cos, hypot, pi, sin
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from evaluators.datasets.images import Pixels, content_digest

if TYPE_CHECKING:
    from torch import Tensor

Light = NDArray[np.float32]  # (3, H, W), from 0 to 255
Labels = NDArray[np.uint8]  # (H, W), or (N, H, W)
Random = np.random.Generator
Texture = Literal["stripes", "checks", "plain", "ring"]

TRAIN, VALID = 2_000, 1_000  # scenes, by default
CLASSES = (
    "background",
    "striped disc",
    "striped star",
    "largest chequered",
    "smaller chequered",
    "nearest to the key",
    "farther from the key",
    "key",
)
BACKGROUND, DISC, STAR, LARGEST, SMALLER, NEAREST, FARTHER, KEY = range(len(CLASSES))

# All lengths are shares of the side of an image.
COLOURS = np.array([(230, 60, 50), (60, 190, 75), (60, 110, 240), (240, 200, 40)])
CELLS = 3  # in a row: every object stands in a cell of its own, more or less
STRIPE, CHECK = 1 / 28, 1 / 22  # widths
DARK = 0.35  # brightness of every other stripe
POINTS = 0.3  # how far the five points of a star stand out, as a share of its radius
RING = 0.4  # the outer part of the key, which is white
FURTHER = 0.75  # probability of one more object of a texture
WAVES = 3  # of which the background is a sum
NOISE = 12.0  # standard deviation


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """The scenes of a training: bytes (N, 3, H, W), and the class of every pixel (N, H, W)."""

    identity: str  # a digest of pixels and labels
    train_pixels: "Tensor"
    train_labels: "Tensor"
    valid_pixels: "Tensor"
    valid_labels: "Tensor"

    @property
    def chance(self) -> float:
        """The mean intersection over union, from 0 to 1, of calling every validation pixel background."""
        return float((self.valid_labels == BACKGROUND).double().mean()) / len(CLASSES)


@dataclass(frozen=True, kw_only=True)
class Thing:
    """An object of a scene."""

    texture: Texture
    is_star: bool
    radius: float
    x: float
    y: float
    angle: float
    colour: NDArray[np.float64]

    @property
    def reach(self) -> float:
        """The largest distance of one of its points from its centre."""
        return self.radius * (1 + POINTS * self.is_star)

    def far_from(self, other: "Thing") -> float:
        """The distance between two centres."""
        return hypot(self.x - other.x, self.y - other.y)


@lru_cache(maxsize=2)
def load(resolution: int, limit: int = 0) -> Scenes:
    """Draws training scenes (0: the default number) and validation scenes."""
    import torch

    drawn = [array for split, count in enumerate((limit or TRAIN, VALID)) for array in draw(count, resolution, split)]
    train_pixels, train_labels, valid_pixels, valid_labels = map(torch.from_numpy, drawn)
    return Scenes(
        identity=content_digest(drawn),
        train_pixels=train_pixels,
        train_labels=train_labels,
        valid_pixels=valid_pixels,
        valid_labels=valid_labels,
    )


def draw(count: int, resolution: int, split: int) -> tuple[Pixels, Labels]:
    """Draws the first scenes of a split: bytes (count, 3, resolution, resolution), and the class of every pixel."""
    pixels = np.empty((count, 3, resolution, resolution), np.uint8)
    labels = np.empty((count, resolution, resolution), np.uint8)
    for number in range(count):
        random = np.random.default_rng([split, number])
        things = composed(random)
        light = _background(resolution, random)
        labels[number] = BACKGROUND
        for thing, label in zip(things, classes(things), strict=True):
            _paint(thing, label, light, labels[number])
        light += NOISE * random.standard_normal(light.shape, dtype=np.float32)
        pixels[number] = np.clip(light, 0, 255)
    return pixels, labels


def composed(random: Random) -> list[Thing]:
    """The objects of a scene in the order in which they are painted: random, but for the key, which hides others."""
    several: list[Texture] = ["stripes", "checks", "plain"]
    textures: list[Texture] = ["stripes", "checks", "checks", "plain", "plain"]
    textures += [texture for texture in several if random.random() < FURTHER]
    scale = 0.065 * 2.2 ** random.random()  # of chequered objects: only relative to each other do their sizes tell
    sizes = {"stripes": (0.09, 0.18), "checks": (0.85 * scale, scale), "plain": (0.07, 0.16), "ring": (0.07, 0.07)}
    radii = [random.uniform(*sizes[texture]) for texture in [*textures, "ring"]]
    radii[textures.index("checks")] = scale * random.uniform(1.4, 1.6)
    cells = random.permutation(CELLS**2)
    things = [
        Thing(
            texture=texture,
            is_star=texture != "ring" and random.random() < 0.5,
            radius=radius,
            x=(0.5 + cell % CELLS) / CELLS + random.uniform(-0.08, 0.08),
            y=(0.5 + cell // CELLS) / CELLS + random.uniform(-0.08, 0.08),
            angle=random.uniform(0, 2 * pi),
            colour=COLOURS[random.integers(len(COLOURS))] * random.uniform(0.8, 1.05),
        )
        for texture, radius, cell in zip([*textures, "ring"], radii, cells.tolist(), strict=False)
    ]
    return [*(things[index] for index in random.permutation(len(textures))), things[-1]]


def classes(things: Sequence[Thing]) -> list[int]:
    """The class of every object of a scene."""
    key = next(thing for thing in things if thing.texture == "ring")
    largest = max(thing.radius for thing in things if thing.texture == "checks")
    nearest = min(thing.far_from(key) for thing in things if thing.texture == "plain")
    return [
        {
            "stripes": STAR if thing.is_star else DISC,
            "checks": LARGEST if thing.radius == largest else SMALLER,
            "plain": NEAREST if thing.far_from(key) == nearest else FARTHER,
            "ring": KEY,
        }[thing.texture]
        for thing in things
    ]


def _paint(thing: Thing, label: int, light: Light, labels: Labels) -> None:
    """Paints an object over what is there, and writes its class."""
    rows, columns = (_window(centre, thing.reach, len(labels)) for centre in (thing.y, thing.x))
    down, right = (_centres(len(labels))[part] - middle for part, middle in ((rows, thing.y), (columns, thing.x)))
    u = right * cos(thing.angle) + down[:, None] * sin(thing.angle)  # (h, w), along the axes of the object
    v = down[:, None] * cos(thing.angle) - right * sin(thing.angle)
    distance = np.sqrt(u * u + v * v) / thing.radius
    inside = distance < (_star(u, distance * thing.radius) if thing.is_star else 1)
    labels[rows, columns][inside] = label
    if thing.texture == "stripes":
        bright = np.where(np.floor(u / STRIPE).astype(int) & 1, DARK, 1.0)
    elif thing.texture == "checks":
        bright = np.where((np.floor(u / CHECK) + np.floor(v / CHECK)).astype(int) & 1, DARK, 1.0)
    else:
        bright = np.ones_like(u)
    colours = bright * thing.colour[:, None, None]  # (3, h, w)
    if thing.texture == "ring":
        colours = np.where(distance > 1 - RING, 255, colours)
    np.copyto(light[:, rows, columns], colours, where=inside, casting="same_kind")


def _star(u: NDArray[np.float64], distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a star reaches in the direction of each pixel, as a share of its radius."""
    cosine = u / np.maximum(distance, 1e-9)
    square = cosine * cosine
    return 1 + POINTS * cosine * ((16 * square - 20) * square + 5)  # cos(5 angle) is a polynomial of the cosine


def _window(centre: float, reach: float, side: int) -> slice:
    """The rows or columns that an object may touch."""
    return slice(max(0, int((centre - reach) * side)), ceil((centre + reach) * side))


def _background(resolution: int, random: Random) -> Light:
    """A sum of slow waves of any direction and colour."""
    angles, phases = random.uniform(0, 2 * pi, (2, WAVES, 1))
    cycles = 2 * pi * random.uniform(1, 6, (WAVES, 1))
    base, colours = random.uniform(40, 120, (3, 1)), random.uniform(-20, 20, (3, WAVES))
    down, right = (cycles * part(angles) * _centres(resolution) for part in (np.sin, np.cos))  # (waves, side)
    phase = right + phases
    waves = np.sin(down)[:, :, None] * np.cos(phase)[:, None] + np.cos(down)[:, :, None] * np.sin(phase)[:, None]
    light: Light = (base + colours @ waves.reshape(WAVES, -1)).reshape(3, resolution, resolution).astype(np.float32)
    return light


def _centres(side: int) -> NDArray[np.float64]:
    return (np.arange(side) + 0.5) / side
