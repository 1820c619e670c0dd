"""Asking exported code in a process of its own: nothing of this program can help it there."""

import io
import subprocess
import sys
from collections.abc import Sequence

import numpy as np

from results.exports.common.deliverable import Array
from search_spaces.common.errors import NegativeAnswer

LOOP = """
import io, sys
import numpy as np
asked = np.load(io.BytesIO(sys.stdin.buffer.read())).values()
np.savez(sys.stdout.buffer, *[network(torch.from_numpy(images)).detach().numpy() for images in asked])
"""


def answers(setup: str, batches: Sequence[Array]) -> list[Array]:
    """The logits of the `network` that the code of `setup` makes, which imports torch.

    Raises:
        NegativeAnswer: the code failed.
    """
    asked = io.BytesIO()
    np.savez(asked, *batches)
    done = subprocess.run([sys.executable, "-IB", "-c", setup + LOOP], input=asked.getvalue(), capture_output=True)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["no word"]
        raise NegativeAnswer(f"the exported code failed: {words[-1]:.300}", "please report it as a bug")
    return list(np.load(io.BytesIO(done.stdout)).values())
