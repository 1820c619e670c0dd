"""A worker of a lane on a simulated device: python -m tests.nas.farm.sleeper URL LANE LOG SECONDS.

It writes the beginning and the end of every job into the log. A job with the seed -1 kills it.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from evaluators.workers.bench import Bench
from nas.farm import server, tables

server.BEAT_SECONDS, server.RETRY_SECONDS, tables.ALIVE_SECONDS = 0.3, 0.3, 1.5


class Sleeper(server.LaneServer):
    """Sleeps where others measure."""

    log: Path
    seconds: float

    def _done(self, job: dict[str, Any]) -> dict[str, Any]:
        begun = time.monotonic()
        if job.get("seed") == -1:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.seconds)
        with self.log.open("a") as file:
            file.write(f"{self.lane} {begun} {time.monotonic()} {job.get('seed')}\n")
        return {"ratio": float(job.get("seed", 0))}


def main() -> None:
    url, lane, log, seconds = sys.argv[1:]
    with Bench() as bench:
        sleeper = Sleeper(url, lane, [], bench, lambda text: sys.stderr.write(f"{text}\n"))
        sleeper.log, sleeper.seconds = Path(log), float(seconds)
        sleeper.serve()


if __name__ == "__main__":
    main()
