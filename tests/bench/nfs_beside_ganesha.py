#!/usr/bin/env python3
"""The NFS table of docs/performance.md: this server and nfs-ganesha under one load, in turn, on one machine.

Both are pinned to core 1 under real-time scheduling, the load to core 0, and each row alternates between
them, so that what else the machine does meets both. nfs-ganesha (Debian package nfs-ganesha-vfs) stores in
memory (/dev/shm) without redundancy; ours stores on six drives, 4+2. Needs root: for the pinning, and for a
network namespace with a port mapper, without which nfs-ganesha does not start.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parent / "support")]

from server import Server, ServerFailed, free_ports

VERSIONS = ("3", "4.1")
SERVER_CORE = ["chrt", "-r", "5", "taskset", "-c", "1"]
LOAD_CORE = ["chrt", "-r", "5", "taskset", "-c", "0"]


@dataclass(frozen=True)
class Row:
    """One load; `size` also is the size of the files."""

    name: str
    mix: str
    depth: int
    size: str = "4KiB"
    files: int = 100
    per_byte: bool = False


ROWS = [
    Row("GETATTR, 1 x 32", "getattr=100", 32),
    Row("LOOKUP, 1 x 32", "lookup=100", 32),
    Row("READ 4 KiB, 1 x 32", "read=100", 32),
    Row("write 4 KiB, 1 x 32", "write=100", 32),
    Row("create + remove, 1 x 16", "create=100", 16),
    Row("READDIR of 1000, 1 x 4", "readdir=100", 4, files=1000),
    Row("READ 1 MiB, 1 x 8", "read=100", 8, "1MiB", 20, per_byte=True),
    Row("write 1 MiB, 1 x 8", "write=100", 8, "1MiB", 20, per_byte=True),
]


@dataclass(frozen=True)
class Target:
    """Where to send the load and whose CPU counts."""

    name: str
    port: int
    mount_port: int
    export: str
    pid: int


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Returns when somebody listens."""
    for _ in range(300):
        if process.poll() is not None:
            raise ServerFailed(f"nfs-ganesha ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise ServerFailed("nfs-ganesha does not listen")


def enter_namespace() -> None:
    """Starts this program again in namespaces of its own, with loopback up and rpcbind on it."""
    if os.environ.get("OUTCROP_BENCH_NAMESPACE"):
        return
    script = ('mount -t tmpfs none /run && ip link set lo up && rpcbind -w && sleep 1 && "$@"; status=$?;'
              ' kill "$(pidof rpcbind)"; exit $status')
    flags = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    os.execvpe("unshare", ["unshare", *flags, "bash", "-c", script, "bash", sys.executable, *sys.argv],
               os.environ | {"OUTCROP_BENCH_NAMESPACE": "1"})


@contextlib.contextmanager
def ganesha() -> Iterator[Target]:
    """nfs-ganesha with FSAL VFS on a directory in memory."""
    port, mount_port = free_ports(2)
    root = Path(tempfile.mkdtemp(prefix="ganesha-", dir="/dev/shm"))
    (root / "export").mkdir()
    config = root / "ganesha.conf"
    config.write_text(
        f"NFS_CORE_PARAM {{ NFS_Port = {port}; MNT_Port = {mount_port}; Protocols = 3,4; Enable_NLM = false;"
        " Enable_RQUOTA = false; }\n"
        "NFSv4 { Graceless = true; Only_Numeric_Owners = true; }\n"
        f"EXPORT {{ Export_Id = 1; Path = {root}/export; Pseudo = /bench; Access_Type = RW; Squash = None;"
        " SecType = sys; PrivilegedPort = false; FSAL { Name = VFS; } }\n")
    process = subprocess.Popen(
        [*SERVER_CORE, "ganesha.nfsd", "-F", "-L", str(root / "log"), "-f", str(config), "-p", str(root / "pid")],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield Target("nfs-ganesha", port, mount_port, f"{root}/export", process.pid)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def ours(binary: Path, scratch: Path | None) -> Iterator[Target]:
    """outcropd with one worker on six drive directories."""
    (port,) = free_ports(1)
    extra = (f'[nfs]\nlisten = "127.0.0.1:{port}"\n\n[[export]]\npath = "/bench"\nbucket = "bench"\n'
             'clients = ["127.0.0.0/8"]\nsquash = "none"\n')
    with Server(binary, scratch=scratch, environment={"OUTCROP_SERVER_WORKERS": "1"}, segment_size="64MiB",
                extra_config=extra) as server:
        subprocess.run(["taskset", "-a", "-c", "-p", "1", str(server.pid)], check=True, capture_output=True)
        subprocess.run(["chrt", "-a", "-r", "-p", "5", str(server.pid)], check=True, capture_output=True)
        client = server.client()
        client.create_bucket("bench")
        client.close()
        yield Target("Outcrop", port, port, "/bench", server.pid)


def measure(cli: Path, target: Target, row: Row, version: str, seconds: float) -> float:
    """Server CPU: microseconds per operation, or seconds per GB."""
    export = target.export if version == "3" else "/bench"
    done = subprocess.run(
        [*LOAD_CORE, str(cli), "bench", "nfs", "--port", str(target.port), "--mount-port", str(target.mount_port),
         "--export", export, "--version", version, "--mix", row.mix, "--depth", str(row.depth), "--size", row.size,
         "--files", str(row.files), "--duration", str(seconds), "--server-pid", str(target.pid), "--json"],
        capture_output=True, text=True, check=False, timeout=120 + 10 * seconds)
    if done.returncode != 0:
        raise ServerFailed(f"{target.name}, {row.name}, v{version}: {done.stderr[-500:]}")
    result = json.loads(done.stdout)
    if result["errors"] or not result["ops"]:
        raise ServerFailed(f"{target.name}, {row.name}, v{version}: {result['error_codes']}")
    if row.per_byte:
        return float(result["server_cpu"]["seconds"]) / result["bytes"] * 1e9
    return float(result["server_cpu"]["us_per_op"])


def cell(values: list[float], row: Row) -> str:
    """Median and range."""
    digits, unit = (2, "s/GB") if row.per_byte else (1, "us")
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f}-{high:.{digits}f})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="a release build")
    parser.add_argument("--outcrop", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--scratch", type=Path, help="where the drive directories go")
    options = parser.parse_args()
    enter_namespace()
    print("| operation (connections x depth) | Outcrop v3 | Outcrop v4.1 | ganesha v3 | ganesha v4.1 |")
    print("|---|---|---|---|---|")
    for row in ROWS:
        values: dict[tuple[str, str], list[float]] = {}
        with ours(options.outcropd, options.scratch) as first, ganesha() as second:
            for _ in range(options.rounds):
                for version in VERSIONS:
                    for target in (first, second):
                        value = measure(options.outcrop.resolve(), target, row, version, options.seconds)
                        values.setdefault((target.name, version), []).append(value)
        cells = [cell(values[name, version], row) for name in ("Outcrop", "nfs-ganesha") for version in VERSIONS]
        print(f"| {row.name} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
