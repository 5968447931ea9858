"""What the scenarios share: the two servers (http, https), scratch files, and a way to run clients."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from server import REGION, Server

MIB = 1024 * 1024


class MissingClient(Exception):
    """The client program of a scenario is not installed."""


def require(program: str) -> str:
    """The full path of a client program."""
    found = shutil.which(program)
    if found is None:
        raise MissingClient(f"{program} is not installed: tools/setup --tests")
    return found


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_digests(root: Path) -> dict[str, str]:
    """Relative path -> SHA-256 of every file below a directory."""
    return {str(p.relative_to(root)): digest(p) for p in sorted(root.rglob("*")) if p.is_file()}


@dataclass
class Context:
    """One run: servers, options, scratch space."""

    binary: Path
    multipart_mib: int
    scratch: Path
    _servers: dict[str, Server] = field(default_factory=dict)

    def server(self, scheme: str = "http") -> Server:
        """The running server of a scheme, started on first use."""
        if scheme not in self._servers:
            server = Server(self.binary, tls=scheme == "https", scratch=self.scratch)
            server.__enter__()
            self._servers[scheme] = server
        return self._servers[scheme]

    def close(self) -> None:
        """Ends all servers."""
        for server in self._servers.values():
            server.close()

    def server_logs(self) -> str:
        """The last log lines of every server."""
        return "\n".join(f"[{name}]\n{server.log_tail(15)}" for name, server in self._servers.items())

    def directory(self, name: str) -> Path:
        """A new empty directory."""
        path = self.scratch / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def environment(self, scheme: str = "http") -> dict[str, str]:
        """The environment of an AWS client: our keys, no other configuration, no proxy."""
        server = self.server(scheme)
        credentials = server.credentials()
        home = self.scratch / "home"
        home.mkdir(exist_ok=True)
        # Presigned URLs of boto3 and awscli 1 are SigV2 in us-east-1 unless told otherwise.
        (home / "config").write_text("[default]\ns3 =\n    signature_version = s3v4\n")
        blocked = ("AWS_", "OUTCROP_", "RCLONE_", "RESTIC_")
        base = {k: v for k, v in os.environ.items() if not k.startswith(blocked) and not k.lower().endswith("_proxy")}
        ours = {
            "HOME": str(home), "NO_PROXY": "127.0.0.1,localhost", "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": credentials.access_key, "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", "AWS_CONFIG_FILE": str(home / "config"), "AWS_MAX_ATTEMPTS": "1",
            "OUTCROP_TEST_ENDPOINT": server.endpoint,
        }
        if server.certificate:
            ours |= {"AWS_CA_BUNDLE": str(server.certificate), "NODE_EXTRA_CA_CERTS": str(server.certificate)}
        return base | ours


def run(
    command: Sequence[str | Path], environment: Mapping[str, str], timeout_seconds: float = 300,
    expect_failure: bool = False,
) -> str:
    """Runs a client; the test fails with its output when the exit code is not the expected one."""
    done = subprocess.run(
        [str(part) for part in command], env=dict(environment), capture_output=True, text=True,
        timeout=timeout_seconds, check=False, stdin=subprocess.DEVNULL)
    shown = " ".join(str(part) for part in command)
    failed = done.returncode != 0
    assert failed == expect_failure, f"`{shown}` ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
    return done.stdout


def equal(what: str, got: object, want: object) -> None:
    """An assertion that shows both sides, shortened."""
    assert got == want, f"{what}: got {str(got)[:500]}, want {str(want)[:500]}"


def random_bytes(size: int, seed: int) -> bytes:
    """Bytes that are the same in every run."""
    return random.Random(seed).randbytes(size)


def write_random(path: Path, size: int, seed: int) -> str:
    """Writes a file of random bytes in pieces of 1 MiB; returns its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = random.Random(seed)
    hasher = hashlib.sha256()
    with path.open("wb") as file:
        for start in range(0, size, MIB):
            piece = source.randbytes(min(MIB, size - start))
            hasher.update(piece)
            file.write(piece)
    return hasher.hexdigest()


def sample_tree(root: Path) -> dict[str, str]:
    """A small directory tree with empty, tiny, odd-named and 9 MiB files; returns its digests."""
    sizes = {"empty": 0, "a.txt": 5, "dir/b.bin": 4096, "dir/sub/c.bin": 200_000, "dir/with space+plus.bin": 70_000,
             "ünïcode/ß.bin": 1234, "big.bin": 9 * MIB + 7}
    for number, (name, size) in enumerate(sizes.items()):
        write_random(root / name, size, number)
    return tree_digests(root)
