"""Starts, stops, kills and restarts one outcropd on fresh drive directories and free loopback ports."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from s3client import Credentials, S3Client

REGION = "us-east-1"
REFUSED = {1, 2}  # exit codes of a server that says why: it failed, or its configuration is wrong


class ServerFailed(Exception):
    """The server ended or did not get ready in time."""


class StartRefused(ServerFailed):
    """The server said why it does not start, and ended: no crash, and not one that was too slow."""


class AdminRefused(Exception):
    """The admin API answered with an error."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on right now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _sum_metric(text: str, name: str) -> int:
    rows = re.findall(rf"^{name}(?:\{{[^}}]*\}})? ([\d.e+]+)$", text, re.MULTILINE)
    return int(sum(float(value) for value in rows))


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and 127.0.0.1: (cert, key)."""
    cert, key = directory / "tls.crt", directory / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-keyout", str(key), "-out", str(cert), "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True, timeout=60,
    )
    return cert, key


class Server:
    """One outcropd and its drives; `with Server(...) as server:` starts it and cleans up.

    Segments are small by default, so that a short test fills, seals and recycles some. `directories`: the
    drives, instead of new ones; `state`: an existing directory instead of a new one; `flags`: for every start.
    """

    def __init__(
        self, binary: Path, drives: int = 6, tls: bool = False, scratch: Path | None = None,
        environment: dict[str, str] | None = None, segment_size: str = "16MiB", extra_config: str = "",
        directories: list[Path] | None = None, state: Path | None = None, flags: tuple[str, ...] = (),
    ) -> None:
        self.binary = binary.resolve()
        if not os.access(self.binary, os.X_OK):
            raise ServerFailed(f"no server binary at {self.binary}: build it first (cmake --build --preset dev)")
        self.root = Path(tempfile.mkdtemp(prefix="outcrop-test-", dir=scratch))
        self.drives = directories or [self.root / f"drive{i}" for i in range(drives)]
        self.state = state or self.root / "state"
        self.flags = flags
        self.config = self.root / "outcrop.toml"
        self.log_path = self.root / "server.log"
        self.s3_port, self.admin_port = free_ports(2)
        self.certificate: Path | None = None
        self.keep = False
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("OUTCROP_")}
        self._environment |= environment or {}
        for directory in [*self.drives, self.state]:
            directory.mkdir(mode=0o700, exist_ok=True)
        self._write_config(tls, segment_size, extra_config)

    def _write_config(self, tls: bool, segment_size: str, extra_config: str) -> None:
        lines = [f'region = "{REGION}"', f'state_dir = "{self.state}"', "", "[server]",
                 f's3 = "127.0.0.1:{self.s3_port}"', f'admin = "127.0.0.1:{self.admin_port}"']
        if tls:
            self.certificate, key = make_certificate(self.root)
            lines += ["", "[server.tls]", f'cert = "{self.certificate}"', f'key = "{key}"']
        names = ", ".join(f'"{d}"' for d in self.drives)
        lines += ["", "[storage]", f"drives = [{names}]", f'segment_size = "{segment_size}"', "", extra_config, ""]
        self.config.write_text("\n".join(lines))

    @property
    def endpoint(self) -> str:
        """The S3 URL."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.s3_port}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise ServerFailed("the server is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """True while the process lives."""
        return self._process is not None and self._process.poll() is None

    def set_environment(self, name: str, value: str) -> None:
        """For the next start."""
        self._environment[name] = value

    def _command(self, *flags: str) -> list[str]:
        return [str(self.binary), "--config", str(self.config), *flags]

    def init(self) -> None:
        """Formats the drive directories."""
        done = subprocess.run(
            self._command("--init"), env=self._environment, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise ServerFailed(f"--init failed ({done.returncode}): {done.stdout}{done.stderr}")

    def launch(self, *flags: str) -> None:
        """Starts the process without waiting for it to serve."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(*self.flags, *flags), env=self._environment, stdout=log, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, start_new_session=True)

    def start(self, timeout_seconds: float = 60) -> float:
        """Starts and waits until ready; returns the seconds that took."""
        began = time.monotonic()
        self.launch()
        self.wait_ready(timeout_seconds)
        return time.monotonic() - began

    def health(self, which: str = "ready") -> int:
        """The status of /health/<which>; 0 when nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/health/{which}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def metrics(self) -> str:
        """The text of /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    def check_starting(self) -> None:
        """Raises when the process that was launched is at its end."""
        if self.running:
            return
        code = self._process.returncode if self._process else None
        kind = StartRefused if code in REFUSED else ServerFailed
        raise kind(f"the server ended with {code}:\n{self.log_tail()}")

    def wait_ready(self, timeout_seconds: float = 60) -> None:
        """Returns when /health/ready says 200; raises when the process ends or time is up."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            self.check_starting()
            if self.health() == 200:
                return
            time.sleep(0.02)
        raise ServerFailed(f"not ready after {timeout_seconds} s:\n{self.log_tail()}")

    def wait_redundant(self, drives: int, mirrors: int, timeout_seconds: float = 60) -> None:
        """Returns when all drives are live, the metadata has its full number of mirrors, and repair is done.

        What was written while a drive was on its way out lacks a shard until then: m more may not go.
        """
        deadline = time.monotonic() + timeout_seconds
        have = (0, 0, 0)
        while time.monotonic() < deadline:
            text = self.metrics()
            have = (_sum_metric(text, "outcrop_drive_live"), _sum_metric(text, "outcrop_drive_mirror"),
                    _sum_metric(text, "outcrop_segments_degraded"))
            if have[0] >= drives and have[1] >= mirrors and have[2] == 0:
                return
            time.sleep(0.1)
        raise ServerFailed(
            f"after {timeout_seconds} s only {have[0]} live drives and {have[1]} mirrors, and {have[2]} segments "
            f"degraded\n{self.log_tail()}")

    def _signal(self, number: signal.Signals, timeout_seconds: float) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)
            raise ServerFailed(f"no end {timeout_seconds} s after {number.name}:\n{self.log_tail()}") from None

    def stop(self, timeout_seconds: float = 60) -> None:
        """SIGTERM and a clean exit."""
        was_running = self.running
        code = self._signal(signal.SIGTERM, timeout_seconds)
        if was_running and code != 0:
            raise ServerFailed(f"exit code {code} after SIGTERM:\n{self.log_tail()}")

    def kill(self) -> None:
        """kill -9."""
        self._signal(signal.SIGKILL, 30)

    def restart(self) -> float:
        """A clean stop and a start; returns the seconds the start took."""
        self.stop()
        return self.start()

    def credentials(self) -> Credentials:
        """The generated root key."""
        rows = (self.state / "credentials").read_text().splitlines()
        values = dict(row.split("=", 1) for row in rows if "=" in row and not row.startswith("#"))
        return Credentials(values["access_key"], values["secret_key"], REGION)

    def client(self, timeout_seconds: float = 30) -> S3Client:
        """A new connection with the root key."""
        context: ssl.SSLContext | None = None
        if self.certificate:
            context = ssl.create_default_context(cafile=str(self.certificate))
        return S3Client("127.0.0.1", self.s3_port, self.credentials(), timeout_seconds, context)

    def admin(self, method: str, path: str, body: object | None = None) -> Any:
        """One request to the admin API with the token; the parsed answer. AdminRefused with its reason."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.admin_port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + (self.state / "admin-token").read_text().strip()})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AdminRefused(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from None
        return json.loads(text) if text else None

    def log_text(self) -> str:
        """Everything the server wrote so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of the log."""
        return "\n".join(self.log_text().splitlines()[-lines:])

    def close(self) -> None:
        """Ends the process; removes all files unless `keep` is set."""
        with contextlib.suppress(ServerFailed):
            self.kill()
        if self.keep:
            print(f"kept for a look: {self.root}")
        else:
            shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> Server:
        try:
            self.init()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        if kind is not None and self.log_tail():
            print(f"--- last lines of the server log ---\n{self.log_tail()}")
        self.close()


@contextlib.contextmanager
def moved_away(directories: list[Path]) -> Iterator[None]:
    """The directories renamed for the time of the block, as if the drives were pulled."""
    pairs = [(d, d.with_name(d.name + ".pulled")) for d in directories]
    for here, away in pairs:
        here.rename(away)
    try:
        yield
    finally:
        for here, away in pairs:
            if here.exists():  # nobody may make a drive out of a missing mount
                raise AssertionError(f"the server made {here} while the drive was away")
            away.rename(here)
