"""How far attention reaches: the distance between a query and what it attends to, in pixels of the input.

Shapes: B images, h heads, N queries and M keys of a window, n windows. Attention over a whole map has one window.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from search_spaces.nextvit.parts import EfficientAttention, WindowAttention


def weights(attention: EfficientAttention, queries: Tensor, keys: Tensor) -> Tensor:
    """The attention (B n, h, N, M) of queries (B n, N, C) to keys (B n, M, C): of each query, it adds up to 1."""
    q, k = attention.heads(queries), attention.heads(keys)  # (B n, h, N, d), (B n, h, M, d)
    return torch.softmax(q @ k.transpose(-2, -1) * attention.head_dim**-0.5, dim=-1)


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Where queries and keys stand: their distances (N, M) in pixels, and which queries (n, N) are no padding."""

    distances: Tensor
    counted: Tensor

    def mean(self, attention: Tensor) -> Tensor:
        """The mean attention distance (B, h) of attention (B n, h, N, M), in pixels.

        The distance between the positions of query and key, weighted by attention, averaged over the queries
        (Dosovitskiy et al., arXiv 2010.11929, appendix D.7; Raghu et al., arXiv 2108.08810).
        """
        reach = (attention * self.distances).sum(-1)  # (B n, h, N)
        windows = reach.view(-1, len(self.counted), *reach.shape[1:])  # (B, n, h, N)
        total: Tensor = (windows * self.counted[:, None]).sum((1, 3))
        return total / self.counted.sum()

    @property
    def uniform(self) -> float:
        """The mean distance of an attention that is equal for all keys, in pixels: it knows no place."""
        return float((self.distances.mean(1) * self.counted).sum() / self.counted.sum())


def geometry(attention: EfficientAttention, side: int, stride: int) -> Geometry:
    """The geometry of attention on a map of `side` positions a side, each of them `stride` pixels of the input.

    A query stands in the middle of its position. A key that averages several tokens, in a row or in a square, stands at
    the mean of their positions; a row that goes on in the next line of the map has its mean between the two. The
    padding of windows does not ask, but is asked, where it stands: beyond the edge of the image.
    """
    if isinstance(attention, WindowAttention):
        size = attention.window
        missing, windows = -side % size, -(-side // size)
        image = F.pad(torch.ones(side, side), (0, missing, 0, missing))
        counted = image.view(windows, size, windows, size).transpose(1, 2).reshape(-1, size * size)
        queries = keys = _positions(size, stride).flatten(2)
    else:
        places = _positions(side, stride)
        counted, queries = torch.ones(1, side * side), places.flatten(2)  # (1, 2, N)
        keys = queries
        if attention.sr is not None:
            keys = attention.sr(places if attention.squares else queries).flatten(2)  # (1, 2, M)
    exact = "donot_use_mm_for_euclid_dist"  # otherwise a query would be away from itself
    distances = torch.cdist(queries[0].T, keys[0].T, compute_mode=exact)
    return Geometry(distances=distances, counted=counted)


def _positions(side: int, stride: int) -> Tensor:
    """The middles (1, 2, S, S) of the positions of a map, in pixels."""
    axis = (torch.arange(side) + 0.5) * stride
    return torch.stack(torch.meshgrid(axis, axis, indexing="ij"))[None]
