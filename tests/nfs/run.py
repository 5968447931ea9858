#!/usr/bin/env python3
"""A real Linux NFS client against a fresh server: every step on every version, all bytes compared through S3."""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "support")]

from guest import Guest
from s3client import S3Client
from server import Server, free_ports

STANDARD_PORT = 2049


@dataclass(frozen=True)
class Mount:
    """One way to mount; its export is `/<bucket>`."""

    name: str
    bucket: str
    options: str  # without the port
    version: str

    def with_port(self, port: int) -> str:
        """The text for mount -o."""
        parts = [self.options] if self.options else []
        if port != STANDARD_PORT or self.version == "3":
            parts.append(f"port={port}")
        if self.version == "3":
            parts.append(f"mountport={port},proto=tcp,mountproto=tcp,nolock")
        return ",".join(parts)


MOUNTS = [
    Mount("no options", "plain", "", "4.2"),
    Mount("nconnect", "nconnect", "nconnect=4", "4.2"),
    Mount("v4.1", "nfs41", "vers=4.1", "4.1"),
    Mount("v4.0", "nfs40", "vers=4.0", "4.0"),
    Mount("v3", "nfs3", "vers=3", "3"),
]


@dataclass(frozen=True)
class Step:
    """One script and what its head asks for."""

    path: Path
    mounts: int
    programs: tuple[str, ...]
    versions: tuple[str, ...]

    @property
    def what(self) -> str:
        """The comment line that says what the step proves."""
        return self.path.read_text().splitlines()[1].removeprefix("# ")


def load_steps() -> list[Step]:
    """The scripts in order."""
    steps = []
    for path in sorted((_HERE / "steps").glob("*.sh")):
        text = path.read_text()
        mounts = re.search(r"^# mounts: (\d)$", text, re.MULTILINE)
        versions = re.search(r"^# versions: (.*)$", text, re.MULTILINE)
        steps.append(Step(path, int(mounts.group(1)) if mounts else 1,
                          tuple(re.findall(r"^# with: (\S+)$", text, re.MULTILINE)),
                          tuple(versions.group(1).split()) if versions else ()))
    return steps


def choose_port() -> int:
    """2049 where it is free, so that mount needs no options."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", STANDARD_PORT))
            return STANDARD_PORT
        except OSError:
            return free_ports(1)[0]


def server_config(port: int) -> str:
    """NFS on `port`, one export for each way to mount."""
    text = f'[s3]\nsse_c_over_http = true\n\n[nfs]\nlisten = "127.0.0.1:{port}"\nlease = "10s"\n'
    for mount in MOUNTS:
        text += (f'\n[[export]]\npath = "/{mount.bucket}"\nbucket = "{mount.bucket}"\n'
                 'clients = ["127.0.0.0/8"]\nsquash = "none"\n')
    return text


class FromS3:
    """The objects that S3 writes before a step, and what they are afterwards."""

    nameable = {"plain": b"plain bytes\n", "dir/one": b"1" * 5000, "dir/sub/two": b"2" * 300_000,
                "both/child": b"child", "doomed": b"gone soon", "appended": b"start ", "empty": b""}
    odd = {"both": b"beside a directory", "a//b": b"empty component", "..": b"dots", "x" * 300: b"long name",
           "marker/": b""}

    def put(self, client: S3Client, bucket: str) -> str:
        """Writes them all; returns checksums for sha256sum -c."""
        for key, body in (self.nameable | self.odd).items():
            headers = {"x-amz-meta-colour": "blue"} if key == "appended" else None
            client.checked(key, client.put(bucket, f"from-s3/{key}", body, headers))
        return "".join(f"{hashlib.sha256(body).hexdigest()}  ./{key}\n" for key, body in self.nameable.items())

    def problems(self, client: S3Client, bucket: str) -> list[str]:
        """What is not as the step left it."""
        want = {"renamed": self.nameable["plain"], "made/dir/one": self.nameable["dir/one"],
                "made/dir/sub/two": self.nameable["dir/sub/two"], "appended": b"start more"} | self.odd
        out = []
        for key, body in want.items():
            response = client.get(bucket, f"from-s3/{key}")
            if response.status != 200 or response.body != body:
                out.append(f"{key}: {response.status} {response.body[:40]!r}")
            if key == "appended" and (response.headers.get("x-amz-meta-colour") != "blue" or "-" not in response.etag):
                out.append(f"appended: metadata or ETag: {response.headers}")
        gone = ("plain", "dir/one", "doomed")
        return out + [f"{key} is still there" for key in gone if client.head(bucket, f"from-s3/{key}").status != 404]


class Encrypted:
    """Objects of all kinds of encryption that need no KMS key, and what the step makes of them."""

    bodies = {"plain": b"few bytes\n", "empty": b"", "unit": b"u" * 65_536,
              "large": hashlib.shake_256(b"large").digest(300_000), "parts": hashlib.shake_256(b"parts").digest(5_300_000)}
    _managed = {"x-amz-server-side-encryption": "AES256"}
    _key = hashlib.sha256(b"a key of the client").digest()
    _own = {"x-amz-server-side-encryption-customer-algorithm": "AES256",
            "x-amz-server-side-encryption-customer-key": base64.b64encode(_key).decode(),
            "x-amz-server-side-encryption-customer-key-md5": base64.b64encode(hashlib.md5(_key).digest()).decode()}

    def put(self, client: S3Client, bucket: str) -> str:
        """Writes them all; returns checksums for sha256sum -c."""
        for key, body in self.bodies.items():
            if key != "parts":
                client.checked(key, client.put(bucket, f"encrypted/{key}", body, self._managed))
        client.checked("clients-own", client.put(bucket, "encrypted/clients-own", b"secret", self._own))
        self._put_parts(client, bucket, "encrypted/parts", self.bodies["parts"])
        return "".join(f"{hashlib.sha256(body).hexdigest()}  ./{key}\n" for key, body in self.bodies.items())

    def _put_parts(self, client: S3Client, bucket: str, key: str, body: bytes) -> None:
        began = client.checked("upload", client.call("POST", bucket, key, query={"uploads": ""}, headers=self._managed))
        upload = re.search(rb"<UploadId>(.*?)</UploadId>", began.body).group(1).decode()
        cut = 5 << 20
        parts = ""
        for number, part in enumerate((body[:cut], body[cut:]), start=1):
            sent = client.checked("part", client.call("PUT", bucket, key, body=part, query={
                "partNumber": str(number), "uploadId": upload}))
            parts += f"<Part><PartNumber>{number}</PartNumber><ETag>{sent.headers['etag']}</ETag></Part>"
        client.checked("complete", client.call("POST", bucket, key, query={"uploadId": upload}, body=(
            f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>").encode()))

    def problems(self, client: S3Client, bucket: str) -> list[str]:
        """What is not as the step left it."""
        large, parts = self.bodies["large"], self.bodies["parts"]
        want = {"plain": large + b"more\n", "unit": self.bodies["unit"], "parts": parts, "cloned": parts,
                "linked": large, "moved": large}
        out = []
        for key, body in want.items():
            response = client.get(bucket, f"encrypted/{key}")
            sealed = response.headers.get("x-amz-server-side-encryption") == "AES256"
            if response.status != 200 or response.body != body or sealed != (key not in ("plain", "cloned")):
                out.append(f"{key}: {response.status} {len(response.body)} bytes, {response.headers}")
        return out


_PREPARED = {"from-s3": FromS3, "encrypted": Encrypted}


def compare(client: S3Client, bucket: str, manifest: dict[str, str]) -> list[str]:
    """Every file is an object with the same bytes, every nameable object a file."""
    problems = []
    keys = dict(client.list_keys(bucket))
    for name, digest in manifest.items():
        response = client.get(bucket, name)
        if response.status != 200 or hashlib.sha256(response.body).hexdigest() != digest:
            problems.append(f"{name}: S3 answers {response.status} with other bytes ({len(response.body)})")
        if keys.get(name) != len(response.body):
            problems.append(f"{name}: listed with size {keys.get(name)}, has {len(response.body)}")
    skipped = {f"from-s3/{key}" for key in FromS3.odd}
    problems += [f"{key}: only in S3" for key in keys if key not in manifest and key not in skipped]
    return problems


class Scenario:
    """One server and the outcome of all steps."""

    def __init__(self, server: Server, port: int, exerciser: Path, many: int, operations: int) -> None:
        self.server, self.port, self.exerciser = server, port, exerciser
        self.environment = {"MANY_FILES": str(many), "EXERCISE_OPERATIONS": str(operations),
                            "EXERCISER": f"/usr/bin/{exerciser.name}"}
        self.passed = self.failed = 0

    def run(self, mount: Mount, step: Step) -> None:
        """One step; prints its line."""
        began = time.monotonic()
        client = self.server.client()
        guest = Guest(self.port, f"/{mount.bucket}", mount.with_port(self.port), mount.version, dict(self.environment))
        programs = [str(self.exerciser) if p == "EXERCISER" else p for p in step.programs]
        prepared = next((make() for name, make in _PREPARED.items() if name in step.path.name), None)
        with tempfile.NamedTemporaryFile("w") as sums:
            if prepared:
                sums.write(prepared.put(client, mount.bucket))
                sums.flush()
            result = guest.run(step.path, step.mounts, programs, [(Path(sums.name), "/prepared.sums")])
        problems = [] if result.code == 0 else [f"exit {result.code}", *result.output.splitlines()[-15:]]
        if not problems:
            problems += compare(client, mount.bucket, result.manifest)
            problems += prepared.problems(client, mount.bucket) if prepared else []
        client.close()
        self.passed, self.failed = self.passed + (not problems), self.failed + bool(problems)
        verdict = "FAIL" if problems else "PASS"
        print(f"{verdict}  {mount.name:10s} {step.path.stem:22s} {time.monotonic() - began:6.1f} s  {step.what}", flush=True)
        for problem in problems[:20]:
            print(f"      {problem}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--exerciser", type=Path, required=True, help="the nfs_exerciser binary")
    parser.add_argument("--mount", action="append", help="only ways to mount with this in their name")
    parser.add_argument("--step", action="append", help="only steps with this in their name")
    parser.add_argument("--many", type=int, default=20_000, help="files of the mass deletion (default 20000)")
    parser.add_argument("--operations", type=int, default=3000, help="of the exerciser (default 3000)")
    parser.add_argument("--quick", action="store_true",
                        help="what CI runs: the default mount and NFSv3, few files, no stress")
    parser.add_argument("--keep", action="store_true", help="leave drives and log for a look")
    options = parser.parse_args()
    mounts = [m for m in MOUNTS if not options.mount or any(part in m.name for part in options.mount)]
    steps = [s for s in load_steps() if not options.step or any(part in s.path.stem for part in options.step)]
    if options.quick:
        mounts = [m for m in mounts if m.name in ("no options", "v3")]
        steps = [s for s in steps if "stress" not in s.path.stem]
        options.many, options.operations = 1000, 800
    port = choose_port()
    with Server(options.outcropd, extra_config=server_config(port)) as server:
        server.keep = options.keep
        client = server.client()
        for mount in mounts:
            client.create_bucket(mount.bucket)
        client.close()
        scenario = Scenario(server, port, options.exerciser.resolve(), options.many, options.operations)
        for mount in mounts:
            for step in steps:
                if not step.versions or mount.version in step.versions:
                    scenario.run(mount, step)
        if scenario.failed:
            print(f"--- last server log lines ---\n{server.log_tail()}")
    print(f"nfs: {scenario.passed} passed, {scenario.failed} failed")
    return 1 if scenario.failed or not scenario.passed else 0


if __name__ == "__main__":
    sys.exit(main())
