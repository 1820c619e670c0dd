"""A procedural set of images with five tasks, each with a head of its own.

No published benchmark varies the positions of transformer blocks, so this set has tasks of two kinds. Local texture and
contour shape should suit convolutions; relations, paths and bindings between distant positions should suit attention
(Vaishnav et al., "Understanding the computational demands underlying visual reasoning", 2022; Linsley et al., "Learning
long-range spatial dependencies with horizontal gated recurrent units", 2018, with the task "pathfinder"). The result is
a *synthetic skill*, never an accuracy on photographs. Every image belongs to one head, and is a function of the seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]  # (side, side, 3)
Random = np.random.Generator
SIDE = 64  # pixels; every image is drawn at this size, and scaled for other resolutions

# Radial Fourier contours, as in "visual atoms" (Takashima et al., CVPR 2023): amplitudes of the 2nd to 6th harmonic of
# each class of shape.
CONTOURS = (
    (0.0, 0.0, 0.0, 0.0, 0.0),
    (0.4, 0.0, 0.0, 0.0, 0.0),
    (0.0, 0.35, 0.0, 0.0, 0.0),
    (0.0, 0.0, 0.35, 0.0, 0.0),
    (0.0, 0.0, 0.0, 0.35, 0.0),
    (0.0, 0.0, 0.0, 0.0, 0.35),
)
COLOURS = ((230, 60, 50), (60, 190, 75), (60, 110, 240), (240, 200, 40))
ORIENTATIONS, FREQUENCIES = 6, (6.0, 11.0)  # of textures; cycles per image


@dataclass(frozen=True, kw_only=True)
class Head:
    """One task: its number of classes, and a function that draws an image of a given class."""

    name: str
    classes: int
    draw: Callable[[int, Random], Pixels]


def texture(label: int, random: Random) -> Pixels:
    """Which orientation and frequency has the wave? It is slightly bent, under noise, and fills the image."""
    orientation, frequency = label % ORIENTATIONS, FREQUENCIES[label // ORIENTATIONS]
    angle = pi * (orientation + random.uniform(-0.2, 0.2)) / ORIENTATIONS
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    along = x * np.cos(angle) + y * np.sin(angle) + 0.03 * np.sin(2 * pi * (x * random.normal() + y * random.normal()))
    wave = np.sin(2 * pi * (frequency * random.uniform(0.9, 1.1) * along + random.uniform()))
    light = 128 + 45 * wave[..., None] * random.uniform(0.5, 1, 3) + random.normal(0, 60, (SIDE, SIDE, 3))
    return _bytes(light)


def shape(label: int, random: Random) -> Pixels:
    """Which contour is it? It is rotated, scaled, shifted and filled with an unrelated texture."""
    mask = Image.new("L", (SIDE, SIDE))
    centre = (random.uniform(24, 40), random.uniform(24, 40))
    ImageDraw.Draw(mask).polygon(_contour(label, centre, random.uniform(12, 20), random), fill=255)
    inside, outside = (texture(int(random.integers(2 * ORIENTATIONS)), random) / 2.0 for _ in range(2))
    light = random.uniform(40, 120, 3) * random.choice([-1, 1])
    mixed = np.where(np.asarray(mask)[..., None] > 0, inside + 64 + light / 2, outside + 64 - light / 2)
    return _bytes(mixed)


def relation(label: int, random: Random) -> Pixels:
    """How many of four distant discs, 0 to 3, have the colour of the ringed cue?"""
    image, draw = _canvas(random)
    cue = int(random.integers(len(COLOURS)))
    others = [colour for colour in range(len(COLOURS)) if colour != cue]
    colours = [cue] * label + [int(random.choice(others)) for _ in range(4 - label)]
    centres = _centres(5, random)
    for centre, colour in zip(centres[1:], colours, strict=True):
        _disc(draw, centre, 6, COLOURS[colour])
    _disc(draw, centres[0], 9, (255, 255, 255))
    _disc(draw, centres[0], 6, COLOURS[cue])
    return _noisy(image, random)


def path(label: int, random: Random) -> Pixels:
    """Are the two dots the ends of the same dashed curve? Two curves run from left to right and may cross."""
    image, draw = _canvas(random)
    starts, ends = random.uniform((8, 42), (22, 56)), random.uniform((8, 42), (22, 56))
    crossing = int(random.integers(2))
    if crossing:
        ends = ends[::-1]
    for start, end in zip(starts, ends, strict=True):
        curve = _curve(start, end, random)
        for first in range(0, len(curve) - 3, 5):
            draw.line([tuple(point) for point in curve[first : first + 4]], fill=(235, 235, 235), width=2)
    _disc(draw, (6, float(starts[0])), 4, (255, 90, 60))
    _disc(draw, (58, float(ends[0] if label else ends[1])), 4, (255, 90, 60))
    pixels = _noisy(image, random)
    return pixels[::-1].copy() if random.uniform() < 0.5 else pixels


def binding(label: int, random: Random) -> Pixels:
    """Which of 3 colours and 2 shapes has the contour nearest to the cross? There are three contours."""
    image, draw = _canvas(random)
    centres = _centres(4, random)
    cue, objects = centres[0], centres[1:]
    nearest = min(range(3), key=lambda index: np.hypot(objects[index][0] - cue[0], objects[index][1] - cue[1]))
    for index, centre in enumerate(objects):
        colour, kind = divmod(label if index == nearest else int(random.integers(6)), 2)
        draw.polygon(_contour((0, 2)[kind], centre, 8, random), fill=COLOURS[colour])
    for dx, dy in ((6, 0), (0, 6)):
        draw.line([(cue[0] - dx, cue[1] - dy), (cue[0] + dx, cue[1] + dy)], fill=(255, 255, 255), width=3)
    return _noisy(image, random)


HEADS = (
    Head(name="texture", classes=2 * ORIENTATIONS, draw=texture),
    Head(name="shape", classes=len(CONTOURS), draw=shape),
    Head(name="relation", classes=4, draw=relation),
    Head(name="path", classes=2, draw=path),
    Head(name="binding", classes=6, draw=binding),
)


def draw(count: int, seed: int) -> tuple[Pixels, NDArray[np.int64]]:
    """Draws images (count, 64, 64, 3) and labels (count,), with all heads and their classes in equal shares.

    Labels run through the classes of all heads: texture has 0 to 11, shape 12 to 17, and so on.
    """
    random = np.random.default_rng([seed, count])
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    labels = np.empty(count, np.int64)
    offsets = np.cumsum([0, *(head.classes for head in HEADS)])
    for index in range(count):
        number = index % len(HEADS)
        label = index // len(HEADS) % HEADS[number].classes
        images[index] = HEADS[number].draw(label, random)
        labels[index] = offsets[number] + label
    order = random.permutation(count)
    return images[order], labels[order]


def _contour(kind: int, centre: tuple[float, float], radius: float, random: Random) -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * pi, 48, endpoint=False)
    rays = np.ones_like(angles)
    for harmonic, amplitude in enumerate(CONTOURS[kind], start=2):
        rays += amplitude * np.cos(harmonic * angles)
    angles = angles + random.uniform(0, 2 * pi)
    x, y = centre[0] + radius * rays * np.cos(angles), centre[1] + radius * rays * np.sin(angles)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _canvas(random: Random) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (SIDE, SIDE), tuple(int(value) for value in random.integers(20, 70, 3)))
    return image, ImageDraw.Draw(image)


def _disc(draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, fill: tuple[int, int, int]) -> None:
    x, y = centre
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)


def _centres(count: int, random: Random) -> list[tuple[float, float]]:
    """Centres in different cells of a 3 x 3 grid, so that objects are far apart and do not overlap."""
    cells = random.permutation(9)[:count].tolist()
    return [(10 + 22 * (c % 3) + random.uniform(-3, 3), 10 + 22 * (c // 3) + random.uniform(-3, 3)) for c in cells]


def _curve(start: float, end: float, random: Random) -> NDArray[np.float64]:
    """A curve of 40 points (40, 2) across the image, horizontal at both ends, with a random ripple."""
    share = np.linspace(0, 1, 40)
    y = start + (end - start) * share**2 * (3 - 2 * share) + 2 * np.sin(2 * pi * share * random.uniform(0.5, 1.5))
    return np.stack([6 + 52 * share, y], axis=1)


def _noisy(image: Image.Image, random: Random) -> Pixels:
    return _bytes(np.asarray(image) + random.normal(0, 6, (SIDE, SIDE, 3)))


def _bytes(light: NDArray[np.float64]) -> Pixels:
    return np.asarray(np.clip(light, 0, 255), dtype=np.uint8)
