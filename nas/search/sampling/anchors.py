"""Networks that a user adds to a run (`--anchor`): evaluated after the space's own published ones, of any family."""

from collections.abc import Iterable, Sequence

from evaluators import Evaluator
from evaluators.counts.networks import total
from search_spaces import Architecture, Network
from search_spaces.common.errors import MeasurementFailed, UsageError
from search_spaces.common.networks import find
from search_spaces.common.texts import is_file
from search_spaces.peers.timm_network import PREFIX

USUAL = 224  # pixels, where an evaluator names no other size


def resolved(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts that a run keeps: a file may change or go, so what it describes stands in its place.

    Raises:
        UsageError: a text names no network.
    """
    return tuple(find(text).canonical_json() if is_file(text) else _known(text) for text in texts)


def _known(text: str) -> str:
    find(text)
    return text


def networks(texts: Sequence[str], known: Iterable[Network]) -> dict[str, Network]:
    """The networks of these texts by the name that tables and figures show, without those that are `known`."""
    found: dict[str, Network] = {}
    for text in texts:
        network = find(text)
        if network not in {*known, *found.values()}:
            name = str(network) if text.startswith("{") else text.removeprefix(PREFIX)
            found[name if name not in found else f"{name} ({network.id})"] = network
    return found


def check(anchors: Iterable[Network], objectives: Sequence[Evaluator]) -> None:
    """Makes sure that networks of other families run on the images of a run's objectives, before it begins.

    Raises:
        UsageError: one of them does not; says which size it takes.
    """
    sizes = {getattr(evaluator.local, "resolution", USUAL) for evaluator in objectives}
    for network in anchors:
        for size in sizes if not isinstance(network, Architecture) else ():
            try:
                total(network, size)
            except MeasurementFailed as error:
                raise UsageError(error.message, error.hint) from None
