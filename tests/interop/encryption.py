"""Encryption at rest: boto3 on every mode, what the drives hold, and what a lost or disabled key means."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from administration import Tool
from context import Context, equal, run
from sdk_clients import _distribution_python, _newest_python
from server import Server, StartRefused

_HERE = Path(__file__).resolve().parent
KEYS = ("testkey-1", "testkey-2")
SSE = "x-amz-server-side-encryption"
# No two places of a payload look alike, and none of it is by chance on a drive.
PATTERN = hashlib.shake_256(b"what no drive may hold").digest(64)


def client_key(letter: str) -> dict[str, str]:
    """The headers of SSE-C with a key of one letter."""
    key = letter.encode() * 32
    return {f"{SSE}-customer-algorithm": "AES256", f"{SSE}-customer-key": base64.b64encode(key).decode(),
            f"{SSE}-customer-key-md5": base64.b64encode(hashlib.md5(key).digest()).decode()}


MODES: dict[str, dict[str, str]] = {
    "s3": {SSE: "AES256"}, "kms": {SSE: "aws:kms", f"{SSE}-aws-kms-key-id": KEYS[0]}, "c": client_key("a")}


def _boto3(context: Context, python: str) -> None:
    tool = Tool(context, context.server("https"))
    there = {key["id"] for key in json.loads(tool.admin("kms-key", "list", "--json").stdout)["keys"]}
    for key in KEYS:
        if key not in there:
            equal(f"kms-key create {key}", tool.admin("kms-key", "create", key).returncode, 0)
    environment = context.environment("https") | {"OUTCROP_TEST_KMS_KEYS": ",".join(KEYS)}
    print(run([python, _HERE / "boto3_encryption.py"], environment, timeout_seconds=600).strip())


def encryption_boto3_distribution(context: Context) -> None:
    """Encryption by the distribution's boto3: all modes, ranges, multipart, copies, defaults, presigned"""
    _boto3(context, _distribution_python())


def encryption_boto3_newest(context: Context) -> None:
    """The same by the newest boto3, which has checksums of everything"""
    _boto3(context, _newest_python(context))


def _finds(server: Server, pattern: bytes) -> list[str]:
    """The files of the drives and of the state folder that have these bytes anywhere."""
    files = [p for root in (*server.drives, server.state) for p in root.rglob("*") if p.is_file()]
    return [str(p.relative_to(server.root)) for p in files if pattern in p.read_bytes()]


def drives_hold_no_plaintext(context: Context) -> None:
    """What was put encrypted, inline, small or striped, is nowhere on the drives: segments, journals, RocksDB"""
    over_http = "[s3]\nsse_c_over_http = true"
    with Server(context.binary, drives=3, scratch=context.scratch, extra_config=over_http) as server:
        tool = Tool(context, server)
        equal("create", tool.admin("kms-key", "create", KEYS[0]).returncode, 0)
        s3 = server.client()
        s3.create_bucket("bucket")
        sizes = {"inline": 1, "small": 900, "striped": 50_000}  # times the pattern of 64 bytes
        for mode, headers in MODES.items():
            for name, times in sizes.items():
                s3.checked("put", s3.put("bucket", f"{mode}/{name}", PATTERN * times, headers))
        s3.checked("default", s3.call("PUT", "bucket", query={"encryption": ""}, body=(
            b"<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256"
            b"</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>")))
        s3.put_multipart("bucket", "multipart", [PATTERN * 90_000, PATTERN * 3])
        s3.copy("bucket", "s3/striped", "copy")
        server.stop()
        equal("with the plaintext, after a stop", _finds(server, PATTERN), [])
        for what, secret in (("the client's key", b"a" * 32), ("its text", base64.b64encode(b"a" * 32))):
            equal(f"with {what}", _finds(server, secret), [])
        server.start()
        s3 = server.client()
        for mode, headers in MODES.items():
            asked = headers if mode == "c" else {}
            for name, times in sizes.items():
                got = s3.checked("get", s3.call("GET", "bucket", f"{mode}/{name}", headers=asked))
                assert got.body == PATTERN * times, (mode, name)
        # The search itself works: the same bytes in the clear are found.
        s3.checked("default", s3.call("DELETE", "bucket", query={"encryption": ""}))
        for name, times in sizes.items():
            s3.checked("plain", s3.put("bucket", f"plain/{name}", PATTERN * times))
        server.stop()
        assert _finds(server, PATTERN), "plain objects are not found either"


def a_lost_seal_key(context: Context) -> None:
    """Without the key file, or with another, nothing starts; with the right one everything is there again"""
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        equal("create", Tool(context, server).admin("kms-key", "create", KEYS[0]).returncode, 0)
        s3 = server.client()
        s3.create_bucket("bucket")
        for mode in ("s3", "kms"):
            s3.checked("put", s3.put("bucket", mode, b"payload", MODES[mode]))
        server.stop()
        file = server.state / "seal-key"
        right = file.read_text()
        for what, text in (("is missing", None), ("is not the key", "0" * 64 + "\n")):
            file.unlink()
            if text is not None:
                file.write_text(text)
                file.chmod(0o600)
            try:
                server.start()
                raise AssertionError(f"it starts where the file {what}")
            except StartRefused:
                assert what in server.log_text(), server.log_tail()
            if text is None:
                assert not file.exists(), "no new one is made"
                file.touch()
        file.write_text(right)
        file.chmod(0o600)
        server.start()
        s3 = server.client()
        for mode in ("s3", "kms"):
            equal(mode, s3.get("bucket", mode).body, b"payload")


def kms_keys(context: Context) -> None:
    """outcrop kms-key: states, what a disabled and a removed key mean, and a restart"""
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        tool = Tool(context, server)
        equal("create", tool.admin("kms-key", "create", "team/one").stdout.strip(), "team/one")
        made = json.loads(tool.admin("kms-key", "create", "--json").stdout)
        equal("arn", made["arn"], f"arn:aws:kms:us-east-1:000000000000:key/{made['id']}")
        equal("twice", tool.admin("kms-key", "create", "team/one").returncode, 1)
        equal("a bad name", tool.admin("kms-key", "create", "a b").returncode, 1)
        s3 = server.client()
        s3.create_bucket("bucket")
        headers = {SSE: "aws:kms", f"{SSE}-aws-kms-key-id": "team/one"}
        s3.checked("put", s3.put("bucket", "k", b"payload", headers))
        s3.checked("default key", s3.put("bucket", "default", b"payload", {SSE: "aws:kms"}))
        equal("enabled", tool.admin("kms-key", "remove", "team/one").returncode, 1)
        equal("disable", tool.admin("kms-key", "disable", "team/one").returncode, 0)
        equal("disabled", s3.get("bucket", "k").code, "KMS.DisabledException")
        server.restart()
        s3 = server.client()
        equal("after a restart", s3.get("bucket", "k").code, "KMS.DisabledException")
        equal("the default one", s3.get("bucket", "default").body, b"payload")
        states = {key["id"]: (key["state"], key["default"])
                  for key in json.loads(tool.admin("kms-key", "list", "--json").stdout)["keys"]}
        equal("state", states.pop("team/one"), ("disabled", False))
        equal("the others", sorted(states.values()), [("enabled", False), ("enabled", True)])
        equal("enable", tool.admin("kms-key", "enable", "team/one").returncode, 0)
        equal("enabled again", s3.get("bucket", "k").body, b"payload")
        equal("disable", tool.admin("kms-key", "disable", "team/one").returncode, 0)
        equal("remove", tool.admin("kms-key", "remove", "team/one").returncode, 0)
        equal("removed", s3.get("bucket", "k").code, "KMS.NotFoundException")
        equal("deleting", s3.delete("bucket", "k").status, 204)
        secret = "secret"
        assert secret not in tool.admin("kms-key", "list", "--json").stdout


SCENARIOS = [encryption_boto3_distribution, encryption_boto3_newest, drives_hold_no_plaintext, a_lost_seal_key, kms_keys]
