"""Quotas: set with the outcrop tool, met by boto3 and by a client that waits for 100 Continue."""

from __future__ import annotations

import json
import re
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path

from administration import Tool
from context import Context, equal, run
from nfsclient import Nfs3, NfsFailed, nfs_config, opaque
from s3client import Credentials, S3Client, sign_headers
from sdk_clients import _distribution_python, _newest_python
from server import Server, free_ports

_HERE = Path(__file__).resolve().parent
KIB = 1024
_DQUOT, _FSSTAT, _REMOVE = 69, 18, 12


def quotas_boto3(context: Context) -> None:
    """QuotaExceeded by boto3, old and new; the outcrop tool sets, shows and clears"""
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        tool = Tool(context, server)
        client = server.client()
        for number, python in enumerate((_distribution_python(), _newest_python(context))):
            bucket = f"limited{number}"
            client.create_bucket(bucket)
            shown = tool.admin("quota", "set", bucket, "--bytes", "8KiB", "--objects", "4")
            equal("set", (shown.returncode, re.findall(r"8\.0 KiB.* 4\b", shown.stdout) != []), (0, True))
            keys = server.credentials()
            environment = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key,
                           "AWS_DEFAULT_REGION": "us-east-1", "ENDPOINT": server.endpoint, "BUCKET": bucket}
            print(run([python, _HERE / "boto3_quotas.py"], environment, timeout_seconds=120).strip())
            held = json.loads(tool.admin("quota", "get", bucket, "--json").stdout)
            equal("usage", held["usage"], {"bytes": 8 * KIB, "objects": 2, "reserved_bytes": 0})
            equal("quota", held["quota"], {"bytes": 8 * KIB, "objects": 4})
        server.kill()
        server.start()
        held = json.loads(tool.admin("quota", "get", "limited0", "--json").stdout)
        equal("after kill -9", (held["usage"]["bytes"], held["quota"]["objects"]), (8 * KIB, 4))
        equal("clear", tool.admin("quota", "clear", "limited0").returncode, 0)
        equal("put", server.client().put("limited0", "large", b"x" * 64 * KIB).status, 200)
        equal("no such bucket", tool.admin("quota", "get", "none").returncode, 1)
        equal("nothing to set", tool.admin("quota", "set", "limited0").returncode, 2)
        _metrics(server, tool)


def _metrics(server: Server, tool: Tool) -> None:
    """Names of buckets are for those with a token."""
    page = f"http://127.0.0.1:{server.admin_port}/metrics"
    with urllib.request.urlopen(page, timeout=10) as answer:
        equal("without a token", b"limited" in answer.read(), False)
    request = urllib.request.Request(page, headers={"Authorization": f"Bearer {tool.token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read().decode()
    assert 'outcrop_bucket_quota_bytes{bucket="limited1"} 8192\n' in text, text
    assert f'outcrop_bucket_bytes{{bucket="limited0"}} {72 * KIB}\n' in text, text


def quotas_before_the_payload(context: Context) -> None:
    """What cannot fit is refused without 100 Continue, and its body is never asked for"""
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        tool = Tool(context, server)
        client = server.client()
        client.create_bucket("box")
        equal("set", tool.admin("quota", "set", "box", "--bytes", "1000").returncode, 0)
        for size, expected in ((1001, "403"), (1000, "100")):
            headers = {"host": f"127.0.0.1:{server.s3_port}", "content-length": str(size), "expect": "100-continue"}
            signed = sign_headers(server.credentials(), "PUT", "/box/k", {}, headers, "UNSIGNED-PAYLOAD")
            lines = [f"{name}: {value}" for name, value in signed.items()]
            with socket.create_connection(("127.0.0.1", server.s3_port), timeout=10) as connection:
                connection.sendall("\r\n".join(["PUT /box/k HTTP/1.1", *lines, "", ""]).encode())
                said = connection.recv(4096).decode()
            equal(f"{size} bytes", said.split()[1], expected)


def _space(nfs: Nfs3) -> tuple[int, int]:
    """What df shows: all bytes, and those that are free."""
    reply = nfs.call(_FSSTAT, opaque(nfs.root))
    if reply.u32():
        reply.fixed(84)
    total, free = reply.u64(), reply.u64()
    return total, free


def quotas_nfs(context: Context) -> None:
    """NFS3ERR_DQUOT: unstable writes count at once and COMMIT does not fail; df shows the limit; S3 sees the same"""
    (port,) = free_ports(1)
    with Server(context.binary, drives=1, scratch=context.scratch, extra_config=nfs_config(port, "box")) as server:
        tool = Tool(context, server)
        client = server.client()
        client.create_bucket("box")
        equal("set", tool.admin("quota", "set", "box", "--bytes", "100KiB", "--objects", "2").returncode, 0)
        nfs = Nfs3(port, "/box")
        equal("df", _space(nfs), (100 * KIB, 100 * KIB))

        def status(call: Callable[[], object]) -> int:
            try:
                call()
            except NfsFailed as failed:
                return failed.status
            return 0

        one = nfs.create(nfs.root, "one")
        two = nfs.create(nfs.root, "two")
        nfs.write(one, 0, bytes(60 * KIB), sync=False)
        equal("too much", status(lambda: nfs.write(two, 0, bytes(41 * KIB), sync=False)), _DQUOT)
        equal("df sees what is not stored", _space(nfs), (100 * KIB, 40 * KIB))
        nfs.write(two, 0, bytes(40 * KIB), sync=False)
        equal("an object", (client.put("box", "three", b"x").status, client.put("box", "one", bytes(61 * KIB)).code),
              (403, "QuotaExceeded"))
        equal("lowered", tool.admin("quota", "set", "box", "--bytes", "10KiB", "--objects", "2").returncode, 0)
        nfs.commit(one)
        nfs.commit(two)
        equal("one more byte", status(lambda: nfs.write(two, 40 * KIB, b"x", sync=True)), _DQUOT)
        equal("the same bytes", status(lambda: nfs.write(two, 0, b"x", sync=True)), 0)
        equal("a third file", status(lambda: nfs.create(nfs.root, "three")), _DQUOT)
        held = json.loads(tool.admin("quota", "get", "box", "--json").stdout)
        equal("usage", held["usage"], {"bytes": 100 * KIB, "objects": 2, "reserved_bytes": 0})
        for name in ("one", "two"):
            nfs.call(_REMOVE, nfs.remove_arguments(nfs.root, name))
        equal("empty again", _space(nfs), (10 * KIB, 10 * KIB))


def quotas_accounts(context: Context) -> None:
    """The buckets of an account share its limit, over S3 and NFS, after kill -9 too; the first account has one as well"""
    (port,) = free_ports(1)
    with Server(context.binary, drives=1, scratch=context.scratch, extra_config=nfs_config(port, "lab-a")) as server:
        tool = Tool(context, server)
        made = json.loads(tool.admin("account", "create", "lab", "--json").stdout)
        number = made["id"]
        shown = tool.admin("quota", "set", "--account", number, "--bytes", "100KiB", "--objects", "3")
        equal("set", (shown.returncode, f"{number} lab" in shown.stdout), (0, True))
        lab = S3Client("127.0.0.1", server.s3_port, Credentials(made["access_key"], made["secret_key"]))
        root = server.client()
        for client, bucket in ((lab, "lab-a"), (lab, "lab-b"), (root, "ours")):
            client.create_bucket(bucket)
        equal("a", lab.put("lab-a", "k", bytes(60 * KIB)).status, 200)
        refused = lab.put("lab-b", "k", bytes(41 * KIB))
        equal("b", (refused.status, refused.code, b"account's quota of bytes" in refused.body), (403, "QuotaExceeded", True))
        equal("b", lab.put("lab-b", "k", bytes(40 * KIB)).status, 200)
        equal("the first account's", root.put("ours", "k", bytes(900 * KIB)).status, 200)
        nfs = Nfs3(port, "/lab-a")
        equal("df", _space(nfs), (100 * KIB, 0))
        file = nfs.create(nfs.root, "file")
        try:
            nfs.write(file, 0, b"x" * 4096, sync=False)
        except NfsFailed as failed:
            equal("a write", failed.status, _DQUOT)
        else:
            raise AssertionError("a write beyond the account's quota was taken")
        server.kill()
        server.start()
        lab = S3Client("127.0.0.1", server.s3_port, Credentials(made["access_key"], made["secret_key"]))
        equal("after kill -9", (lab.put("lab-b", "l", b"x").status, lab.put("lab-b", "k", b"x").status), (403, 200))
        held = json.loads(tool.admin("quota", "get", "--account", number, "--json").stdout)
        equal("held", (held["usage"]["bytes"], held["usage"]["objects"], held["buckets"], held["quota"]),
              (60 * KIB + 1, 3, 2, {"bytes": 100 * KIB, "objects": 3}))
        listed = tool.admin("quota", "list", "--accounts").stdout
        equal("list", [line.split()[0] for line in listed.splitlines()], ["ACCOUNT", "000000000000", number])
        equal("the first", tool.admin("quota", "set", "--account", "000000000000", "--bytes", "900KiB").returncode, 0)
        equal("the first", server.client().put("ours", "l", b"x").code, "QuotaExceeded")
        request = urllib.request.Request(f"http://127.0.0.1:{server.admin_port}/metrics",
                                         headers={"Authorization": f"Bearer {tool.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
        assert f'outcrop_account_quota_bytes{{account="{number}"}} {100 * KIB}\n' in text, text
        equal("nobody", tool.admin("quota", "get", "--account", "1").returncode, 1)
        equal("both", tool.admin("quota", "get", "ours", "--account", number).returncode, 2)
        for bucket, keys in (("lab-a", ("k", "file")), ("lab-b", ("k",))):
            for key in keys:
                lab.delete(bucket, key)
            equal(f"delete {bucket}", lab.call("DELETE", bucket).status, 204)
        equal("remove", tool.admin("account", "remove", number).returncode, 0)
        equal("gone", tool.admin("quota", "set", "--account", number, "--bytes", "1").returncode, 1)


SCENARIOS = [quotas_boto3, quotas_before_the_payload, quotas_nfs, quotas_accounts]
