"""The requests that a worker accepts, checked before use: a job is data, never code and never a file.

{"do": "describe", "evaluator": "ort"}                                what it would measure here, or why it cannot
{"do": "prepare", "evaluator": "ort"}                                 makes ready what the first job needs
{"do": "open", "evaluator": "ort", "architecture": {...}}             makes ready what the next job measures
{"do": "measure", "evaluator": "ort", "architecture": {...}}          one measurement
{"do": "join", "evaluator": "train", "architecture": {...}}           the same, while the driver holds the device
{"do": "compare", "evaluator": "ort", "architecture": {...}, "other": {...}}   the other's latency over the first's
"""

from typing import Any

from search_spaces.common import networks, texts
from search_spaces.common.errors import UsageError

LARGEST_JOB = 65_536  # bytes; the largest architecture takes a fifth of it
FIELDS: dict[str, tuple[type, ...]] = {
    "do": (str,),
    "evaluator": (str,),
    "architecture": (dict,),
    "other": (dict,),
    "seed": (int,),
}
REQUIRED = {
    "describe": {"evaluator"},
    "prepare": {"evaluator"},
    "open": {"evaluator", "architecture"},
    "measure": {"evaluator", "architecture"},
    "join": {"evaluator", "architecture"},
    "compare": {"evaluator", "architecture", "other"},
}
OPTIONAL = {"compare": {"seed"}}


def parse(line: bytes) -> dict[str, Any]:
    """The job in a line of JSON, with its architectures built.

    Raises:
        UsageError: too long, not JSON, or not a job; names the field.
        InvalidArchitecture: no network can be built from it.
    """
    if len(line) > LARGEST_JOB:
        raise UsageError(f"the job has more than {LARGEST_JOB} bytes")
    job = read(line, "the job")
    if not isinstance(job.get("do"), str) or job["do"] not in REQUIRED:
        raise UsageError(f"a job is an object whose 'do' is one of {', '.join(REQUIRED)}")
    needed, allowed = REQUIRED[job["do"]], OPTIONAL.get(job["do"], set())
    if missing := needed - job.keys():
        raise UsageError(f"the job '{job['do']}' has no '{min(missing)}'")
    if unknown := job.keys() - needed - allowed - {"do"}:
        raise UsageError(f"the job '{job['do']}' takes no {texts.shown(min(unknown))}")
    for name, value in job.items():
        if not isinstance(value, FIELDS[name]) or isinstance(value, bool):
            raise UsageError(f"the job's '{name}' is a {type(value).__name__}")
    return {name: networks.from_dict(value) if isinstance(value, dict) else value for name, value in job.items()}


def read(line: bytes, name: str) -> dict[str, Any]:
    """The object in a line of JSON in UTF-8, in which every number is finite; errors call it `name`.

    Raises:
        UsageError: it is something else.
    """
    try:
        value = texts.from_json(line)
    except ValueError as error:
        raise UsageError(f"{name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError(f"{name} must be an object, not a {type(value).__name__}")
    return value
