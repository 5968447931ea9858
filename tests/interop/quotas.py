"""Quotas: set with the outcrop tool, met by boto3 and by a client that waits for 100 Continue."""

from __future__ import annotations

import json
import re
import socket
import urllib.request
from pathlib import Path

from administration import Tool
from context import Context, equal, run
from s3client import sign_headers
from sdk_clients import _distribution_python, _newest_python
from server import Server

_HERE = Path(__file__).resolve().parent
KIB = 1024


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
        client.create_bucket("b")
        equal("set", tool.admin("quota", "set", "b", "--bytes", "1000").returncode, 0)
        for size, expected in ((1001, "403"), (1000, "100")):
            headers = {"host": f"127.0.0.1:{server.s3_port}", "content-length": str(size), "expect": "100-continue"}
            signed = sign_headers(server.credentials(), "PUT", "/b/k", {}, headers, "UNSIGNED-PAYLOAD")
            lines = [f"{name}: {value}" for name, value in signed.items()]
            with socket.create_connection(("127.0.0.1", server.s3_port), timeout=10) as connection:
                connection.sendall("\r\n".join(["PUT /b/k HTTP/1.1", *lines, "", ""]).encode())
                said = connection.recv(4096).decode()
            equal(f"{size} bytes", said.split()[1], expected)


SCENARIOS = [quotas_boto3, quotas_before_the_payload]
