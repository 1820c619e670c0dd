"""The claims of Next-ViT (arXiv 2207.05501) and of what was reported about it: 18, each with what it predicts.

The tables of the paper's ablations have no public transcription: of claims of strength B only the direction is known,
and no number is given for them.
"""

from results.claims.claim import Claim, Kind, Part

UNSOURCED = "no number"


def _part(kind: Kind, states: str, *, premise: bool = False) -> Part:
    return Part(kind=kind, states=states, premise=premise)


CLAIMS = (
    Claim(
        number=1,
        sentence="Transformers in every stage but the first (CHHH) beat transformers in the last alone (CCCT)",
        predicts="at one latency CHHH is better on a dense task, and hardly different in classification",
        strength="B",
        published=UNSOURCED,
        parts=(
            _part("dense", "CCCT is worse than CHHH on a task read from all stages"),
            _part("trained", "CCCT and CHHH differ by less than a point in classification"),
        ),
    ),
    Claim(
        number=2,
        sentence="A transformer in stage 1 worsens the trade-off",
        predicts="at one latency HHHH is worse than CHHH",
        strength="B",
        published=UNSOURCED,
        parts=(_part("trained", "HHHH is worse than CHHH at one latency"),),
    ),
    Claim(
        number=3,
        sentence="A transformer belongs at the end of its group",
        predicts="at one latency transformers at the start or in the middle of their groups are worse",
        strength="B",
        published="the official code has it at the end",
        parts=(_part("trained", "start and middle of the group are worse than its end"),),
    ),
    Claim(
        number=4,
        sentence="Repeating groups of four convolution blocks and a transformer beats one long group",
        predicts="at one latency N = 9 in stage 3 is worse than N = 4",
        strength="B",
        published="the official code has N = 4, and L = 2, 4 and 6",
        parts=(_part("trained", "groups of nine convolution blocks are worse than groups of four"),),
    ),
    Claim(
        number=5,
        sentence="r = 0.75 is the best share of attention in a transformer block, and a smaller r is faster",
        predicts="latency grows with r; at one latency r = 0 and r = 1 are worse than r = 0.75",
        strength="B",
        published="the official code has r = 0.75",
        parts=(
            _part("measured", "at equal depths and widths, a smaller r is faster"),
            _part("trained", "r = 0 and r = 1 are worse than r = 0.75 at one latency"),
        ),
    ),
    Claim(
        number=6,
        sentence="Batch norm and ReLU are faster than layer norm and GELU, at no loss of accuracy",
        predicts="the same network with layer norm and GELU is slower, and no more accurate at one latency",
        strength="B",
        published="the official code has batch norm and ReLU",
        parts=(
            _part("measured", "the same network with layer norm and GELU is slower"),
            _part("trained", "layer norm and GELU are no better at one latency"),
        ),
    ),
    Claim(
        number=7,
        sentence="Next-ViT's convolution block beats bottleneck, ConvNeXt, PoolFormer and window-attention blocks",
        predicts="at one latency each of them in its place is worse",
        strength="B",
        published=UNSOURCED,
        parts=(_part("trained", "blocks of other families in place of NCB are worse at one latency"),),
    ),
    Claim(
        number=8,
        sentence="Within a transformer block, attention should come before convolution",
        predicts="at one latency convolution first is worse",
        strength="A",
        published="TRT-ViT's abstract (arXiv 2205.09579): block level, early Transformer and late CNN",
        parts=(
            _part("measured", "both orders take the same time, within 2 %", premise=True),
            _part("trained", "convolution first is worse at one latency"),
        ),
    ),
    Claim(
        number=9,
        sentence="More depth in stage 3 saturates",
        predicts="L gains less over B than B over S, for as much more time",
        strength="A",
        published="top-1 82.5, 83.2 and 83.6 %, at 7.7, 10.5 and 13.0 ms on a T4 (bytedance/Next-ViT)",
        parts=(
            _part("published", "L gains less over B than B over S in most published measures"),
            _part("measured", "the step from B to L takes as much more time as that from S to B, within 25 %"),
        ),
    ),
    Claim(
        number=10,
        sentence="Next-ViT-S takes as long as ResNet-101 on a T4, and is 1.7 points better",
        predicts="equal times on a T4 with TensorRT 8; elsewhere not",
        strength="A",
        published="7.7 and 7.8 ms, 82.5 and 80.8 % (bytedance/Next-ViT; ResNet-101 from its figure)",
        parts=(_part("published", "equal times on a T4, and a better top-1"),),
    ),
    Claim(
        number=11,
        sentence="MACs rank hybrid strategies the wrong way round",
        predicts="from CCCC to TTTT at equal depths and widths, MACs fall while the measured latency rises",
        strength="C",
        published="18 % fewer MACs from CCCC to TTTT, by count; no latencies",
        parts=(_part("measured", "MACs and measured latency of strategies rank in opposite orders"),),
    ),
    Claim(
        number=12,
        sentence="Latency ranks do not transfer from the paper's devices to GPUs of today",
        predicts="T4 and iPhone correlate less with such GPUs than those with each other",
        strength="C",
        published="in the evidence, from the figure of bytedance/Next-ViT and from timm's tables",
        parts=(_part("published", "T4 and iPhone correlate less with GPUs of today than those with each other"),),
    ),
    Claim(
        number=13,
        sentence="Activations predict GPU latency better than MACs, and MACs CPU latency better",
        predicts="of networks measured here, the one or the other ranks latencies better",
        strength="C",
        published="in the evidence, from timm's tables",
        parts=(
            _part("published", "activations rank GPU latencies better, MACs CPU latencies"),
            _part("measured", "the same among the networks of this database, on this device"),
        ),
    ),
    Claim(
        number=14,
        sentence="Short training ranks networks of different sizes wrongly",
        predicts="S, B and L stand in another order early in their schedule than at its end",
        strength="C",
        published="in the evidence, from the training logs of bytedance/Next-ViT",
        parts=(_part("published", "S, B and L are never in their final order in the first sixth of the schedule"),),
    ),
    Claim(
        number=15,
        sentence="Eager, compiled and memory layout change the winner",
        predicts="another front under each",
        strength="C",
        published="in the evidence, from timm's tables",
        parts=(_part("published", "compiler or layout changes which networks are on the front"),),
    ),
    Claim(
        number=16,
        sentence="Pooling keys and values over squares is as accurate as over rows, and faster at high resolution",
        predicts="squares are faster at high resolution, and within a point in accuracy",
        strength="C",
        published="a user's report without numbers (huggingface/pytorch-image-models, issue 1445)",
        parts=(
            _part("measured", "squares are faster than rows at a larger resolution"),
            _part("trained", "squares and rows differ by less than a point"),
        ),
    ),
    Claim(
        number=17,
        sentence="Attention in late stages alone is best for classification; a dense task asks for it in every stage",
        predicts="at one latency one of them beats CHHH in classification, and all are worse on a dense task",
        strength="C",
        published="UniNet, EfficientFormer, NASViT and ElasticViT have attention late (their released networks)",
        parts=(
            _part("trained", "a late-only strategy is better than CHHH in classification"),
            _part("dense", "late-only strategies are worse than CHHH on a task read from all stages"),
        ),
    ),
    Claim(
        number=18,
        sentence="Next-ViT is dominated on all fronts of timm's models",
        predicts="other networks are as fast and as accurate, and better in one of both",
        strength="C",
        published="in the evidence, from timm's tables",
        parts=(_part("published", "S, B and L are dominated in every setting and size"),),
    ),
)


def chosen(numbers: tuple[int, ...]) -> tuple[Claim, ...]:
    """The claims of these numbers, in their order; all of them if none is named."""
    return tuple(claim for claim in CLAIMS if not numbers or claim.number in numbers)
