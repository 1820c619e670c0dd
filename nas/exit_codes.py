"""The exit codes of the program; `search_spaces/common/errors.py` says which error ends in which of them."""

DONE = 0
NEGATIVE = 1  # the command ran, and the answer is no
USAGE = 2
BUG = 3
INTERRUPTED = 130  # and resumable
