"""nas: search the Next-ViT family for the networks on the accuracy/latency front of your own device."""

from importlib.util import find_spec
from pathlib import Path

__version__ = "0.1.0"

# The four packages have plain names; a file of the same name in the working directory would take their place.
for _name in ("search_spaces", "evaluators", "results"):
    _spec = find_spec(_name)
    if _spec is None or Path(str(_spec.origin)).parent.parent != Path(__file__).parent.parent:
        raise ImportError(
            f"'{_name}' was found at {_spec.origin if _spec else 'no place'}, which is not part of nas: "
            "rename that file or folder, or run `python -P -m nas`"
        )
