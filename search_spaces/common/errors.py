"""The errors that a user can meet.

NasError                   every error that is raised on purpose; its hint says what to do next
├── UsageError             exit 2: the request cannot be understood or contradicts itself
│   ├── UnknownName        no plug-in, run or network has that name
│   └── InvalidArchitecture  no network can be built from this description
├── NegativeAnswer         exit 1: the request was understood, and the answer is no
│   ├── Unavailable        this machine cannot do it, and why
│   ├── StoreError         the database cannot be read or written
│   ├── MeasurementFailed  one candidate could not be evaluated; the run goes on
│   └── InfrastructureFailed  something around a candidate failed; the run stops, and resumes with that candidate
"""

import difflib
import errno
import traceback
from collections.abc import Iterable


class NasError(Exception):
    """The message says what happened and with which value; the hint says what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(NasError):
    """The request cannot be understood, or contradicts itself."""

    exit_code = 2


class UnknownName(UsageError):
    """No such plug-in, run or network. The hint offers the nearest name and lists all."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        by_lower = {each.lower(): each for each in known}
        near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
        guess = f"did you mean '{by_lower[near[0]]}'? " if near else ""
        listing = ", ".join(known) if known else "none"
        super().__init__(f"no {kind} is called '{name}'", f"{guess}known: {listing}")


class InvalidArchitecture(UsageError):
    """No network can be built from this description. Names the field, the value and the nearest valid value."""

    def __init__(self, field: str, problem: str, nearest: object = None) -> None:
        super().__init__(f"{field}: {problem}", "" if nearest is None else f"nearest valid value: {nearest}")
        self.field, self.problem, self.nearest = field, problem, nearest

    def within(self, place: str) -> "InvalidArchitecture":
        """The same error with a prefix for the field: `sr_ratio` becomes `stages[2].sr_ratio`."""
        return InvalidArchitecture(f"{place}.{self.field}", self.problem, self.nearest)


class NegativeAnswer(NasError):
    """The request was understood, and the answer is no."""


class Unavailable(NegativeAnswer):
    """This machine cannot do it. Says why, and how to make it possible."""


class StoreError(NegativeAnswer):
    """The database cannot be read or written."""


class MeasurementFailed(NegativeAnswer):
    """One candidate could not be evaluated. `cause` is short, so that equal failures can be counted."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(cause, detail)
        self.cause, self.detail = cause, detail

    @classmethod
    def of(cls, error: Exception) -> "MeasurementFailed":
        """The failure of a candidate whose evaluation raised an error of any kind."""
        if isinstance(error, NasError):
            return cls(error.message, error.hint)
        first = (str(error).splitlines() or [""])[0]
        return cls(f"{type(error).__name__}: {first:.120}", "".join(traceback.format_exception(error)))


class InfrastructureFailed(NegativeAnswer):
    """A connection, a process, a disk or a device failed, not the candidate, which is tried again."""


OWN_FAULT = (errno.ENOMEM,)  # the operating system's errors that a network itself causes: it asks for too much
ROOM = "make room on the disk, or set TMPDIR to another folder for temporary files"
REMEDIES = {errno.ENOSPC: ROOM, errno.EDQUOT: ROOM, errno.EMFILE: "raise the limit on open files: ulimit -n"}


def failure(error: Exception) -> MeasurementFailed | InfrastructureFailed:
    """Classifies an error that ended an evaluation: the candidate's failure, unless the machine refused something."""
    if isinstance(error, MeasurementFailed | InfrastructureFailed):
        return error
    if isinstance(error, Unavailable):
        return InfrastructureFailed(error.message, error.hint)
    if isinstance(error, OSError) and error.errno and error.errno not in OWN_FAULT:
        where = f" ('{error.filename}')" if error.filename else ""
        return InfrastructureFailed(f"{error.strerror}{where}", REMEDIES.get(error.errno, ""))
    return MeasurementFailed.of(error)
