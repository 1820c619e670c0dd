"""A real sshd on the loopback interface, with keys and a configuration of its own, for tests of the way over SSH."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:" + os.environ.get("PATH", ""))
HOST = "nas-test-host"


class Server:
    """An sshd that anybody of this test may log in to, without a password."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        folder.chmod(0o700)
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        (folder / "authorized_keys").write_text((folder / "user_key.pub").read_text())
        self.config = folder / "sshd_config"
        self.config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nStrictModes no\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nPidFile none\nMaxStartups 100\n"
        )
        client = folder / "ssh_config"
        client.write_text(
            f"Host {HOST}\n HostName 127.0.0.1\n Port {self.port}\n IdentityFile {folder}/user_key\n"
            f" UserKnownHostsFile /dev/null\n StrictHostKeyChecking no\n LogLevel ERROR\n"
        )
        self.client = f"ssh -F {client}"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        Path("/run/sshd").mkdir(exist_ok=True) if os.geteuid() == 0 else None
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(SSHD), "-D", "-e", "-f", str(self.config)], stderr=log, start_new_session=True
            )
        for _ in range(100):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def workers(self) -> list[int]:
        """The workers that run over there."""
        assert self.process
        return [pid for pid in descendants(self.process.pid) if "evaluators.workers.worker" in name(pid)]

    def stop(self) -> None:
        """Kills the listener and every connection with it, as a cut cable would."""
        assert self.process
        connections = [pid for pid in descendants(self.process.pid) if name(pid).startswith("sshd")]
        for pid in (self.process.pid, *connections):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    found, waiting = [], [pid]
    while waiting:
        out = subprocess.run(["pgrep", "-P", str(waiting.pop())], capture_output=True, text=True).stdout.split()
        found += [int(each) for each in out]
        waiting += [int(each) for each in out]
    return found


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def short_folder() -> Path:
    """A folder with a short name: a socket's path has 108 letters at most."""
    return Path(tempfile.mkdtemp(prefix="sshd-"))
