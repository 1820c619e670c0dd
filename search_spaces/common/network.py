"""What every part of nas uses of a network, whatever its family. Standard library only."""

import hashlib
import json
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any


class Network(ABC):
    """One network, described as data: frozen, hashable, and the same bytes in JSON every time.

    `str(network)` names it for people, and `network.id` for the store: the first 12 hexadecimal digits of the SHA-256
    of its canonical JSON.
    """

    @abstractmethod
    def __str__(self) -> str: ...

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the version of its schema."""

    @cached_property
    def id(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of the canonical JSON: equal for equal networks."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()[:12]

    def canonical_json(self) -> str:
        """JSON that is always the same for the same network: sorted keys, no spaces."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    def to_json(self) -> str:
        """JSON for people: indented, fields in the order of its class, with a final newline."""
        return json.dumps(self.to_dict(), indent=2) + "\n"
