"""Runs exported code in a process of its own, where it cannot use anything of this program."""

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
    request = io.BytesIO()
    np.savez(request, *batches)
    process = subprocess.run([sys.executable, "-IB", "-c", setup + LOOP], input=request.getvalue(), capture_output=True)
    if process.returncode:
        lines = process.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise NegativeAnswer(f"the exported code failed: {lines[-1]:.300}", "please report it as a bug")
    return list(np.load(io.BytesIO(process.stdout)).values())
