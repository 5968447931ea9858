"""Command-line clients: aws, rclone, s3cmd, restic. Data goes in by one path and must come out the same."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import urllib.request
from pathlib import Path

from administration import Tool
from context import MIB, Context, digest, equal, random_bytes, require, run, sample_tree, tree_digests, write_random
from server import Server


def _aws_binaries() -> list[str]:
    """The aws in PATH, and the distribution's when that is another one."""
    found = [require("aws")]
    if os.access("/usr/bin/aws", os.X_OK) and "/usr/bin/aws" not in found:
        found.append("/usr/bin/aws")
    return found


def _fetch(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        return bytes(answer.read())


def awscli_basic(context: Context) -> None:
    """mb, cp, sync, ls, mv, presign, rm, rb with every aws found."""
    for number, aws in enumerate(_aws_binaries()):
        bucket, environment = f"awscli-{number}", context.environment()
        s3 = [aws, "--endpoint-url", context.server().endpoint, "s3"]
        here = context.directory(f"awscli-{number}")
        want = sample_tree(here / "in")
        run([*s3, "mb", f"s3://{bucket}"], environment)
        assert bucket in run([*s3, "ls"], environment), "the new bucket is not listed"
        run([*s3, "cp", here / "in/a.txt", f"s3://{bucket}/one.txt"], environment)
        equal("cp back", digest_of_download(s3, bucket, "one.txt", here, environment), want["a.txt"])
        run([*s3, "sync", here / "in", f"s3://{bucket}/tree"], environment)
        again = run([*s3, "sync", here / "in", f"s3://{bucket}/tree"], environment)
        equal("second sync moves nothing", again.strip(), "")
        run([*s3, "sync", f"s3://{bucket}/tree", here / "out"], environment)
        equal("synced tree", tree_digests(here / "out"), want)
        listing = run([*s3, "ls", "--recursive", f"s3://{bucket}/tree/"], environment)
        equal("listed files", len(listing.splitlines()), len(want))
        run([*s3, "mv", f"s3://{bucket}/one.txt", f"s3://{bucket}/moved.txt"], environment)
        run([*s3, "cp", f"s3://{bucket}/one.txt", here / "gone"], environment, expect_failure=True)
        run([*s3, "cp", f"s3://{bucket}/tree/big.bin", f"s3://{bucket}/copy.bin"], environment)
        equal("server-side copy", digest_of_download(s3, bucket, "copy.bin", here, environment), want["big.bin"])
        url = run([*s3, "presign", f"s3://{bucket}/moved.txt", "--expires-in", "60"], environment).strip()
        equal("presigned GET", hashlib.sha256(_fetch(url)).hexdigest(), want["a.txt"])
        run([*s3, "rb", f"s3://{bucket}"], environment, expect_failure=True)
        run([*s3, "rm", "--recursive", f"s3://{bucket}"], environment)
        equal("listing after rm", run([*s3, "ls", "--recursive", f"s3://{bucket}"], environment).strip(), "")
        run([*s3, "rb", f"s3://{bucket}"], environment)


def digest_of_download(s3: list[str], bucket: str, key: str, here: Path, environment: dict[str, str]) -> str:
    """SHA-256 of an object fetched by `aws s3 cp`."""
    target = here / "download"
    run([*s3, "cp", f"s3://{bucket}/{key}", target], environment, timeout_seconds=1800)
    return digest(target)


def awscli_multipart(context: Context) -> None:
    """A large file up by multipart, down in ranges, and one range across two parts."""
    aws, environment = require("aws"), context.environment()
    s3 = [aws, "--endpoint-url", context.server().endpoint, "s3"]
    api = [aws, "--endpoint-url", context.server().endpoint, "s3api"]
    here = context.directory("awscli-multipart")
    size = context.multipart_mib * MIB
    want = write_random(here / "in", size, 99)
    run([*s3, "mb", "s3://awscli-multipart"], environment)
    run([*s3, "cp", here / "in", "s3://awscli-multipart/large"], environment, timeout_seconds=3600)
    equal("multipart file", digest_of_download(s3, "awscli-multipart", "large", here, environment), want)
    start = 8 * MIB - 1000
    run([*api, "get-object", "--bucket", "awscli-multipart", "--key", "large",
         "--range", f"bytes={start}-{start + 1999}", here / "range"], environment)
    with (here / "in").open("rb") as file:
        file.seek(start)
        equal("range across parts", (here / "range").read_bytes() == file.read(2000), True)
    run([*s3, "rm", "s3://awscli-multipart/large"], environment)
    run([*s3, "rb", "s3://awscli-multipart"], environment)


def rclone(context: Context) -> None:
    """copy, sync, check, lsf, delete."""
    _rclone(context, context.server(), "rclone")


def _rclone(context: Context, server: Server, name: str) -> None:
    program, here = require("rclone"), context.directory(name)
    credentials = server.credentials()
    config = here / "rclone.conf"
    config.write_text(
        f"[o]\ntype = s3\nprovider = Other\nenv_auth = false\naccess_key_id = {credentials.access_key}\n"
        f"secret_access_key = {credentials.secret_key}\nendpoint = {server.endpoint}\nregion = us-east-1\n")
    base: list[str | Path] = [program, "--config", config, "--retries", "1", "--low-level-retries", "1"]
    environment = context.environment()
    want = sample_tree(here / "in")
    run([*base, "mkdir", "o:rclone-bucket"], environment)
    run([*base, "copy", here / "in", "o:rclone-bucket/tree"], environment)
    run([*base, "check", "--download", here / "in", "o:rclone-bucket/tree"], environment)
    (here / "in/a.txt").write_bytes(b"changed")
    (here / "in/dir/b.bin").unlink()
    run([*base, "check", here / "in", "o:rclone-bucket/tree"], environment, expect_failure=True)
    run([*base, "sync", here / "in", "o:rclone-bucket/tree"], environment)
    run([*base, "check", here / "in", "o:rclone-bucket/tree"], environment)
    run([*base, "copy", "o:rclone-bucket/tree", here / "out"], environment)
    equal("rclone tree", tree_digests(here / "out"), tree_digests(here / "in"))
    equal("one file fewer", len(tree_digests(here / "out")), len(want) - 1)
    run([*base, "delete", "o:rclone-bucket"], environment)
    equal("after delete", run([*base, "lsf", "-R", "--files-only", "o:rclone-bucket"], environment).strip(), "")
    run([*base, "rmdir", "o:rclone-bucket"], environment)


def s3cmd(context: Context) -> None:
    """mb, put, get, ls, sync, del, rb."""
    _s3cmd(context, context.server(), "s3cmd")


def _s3cmd(context: Context, server: Server, name: str) -> None:
    program, here = require("s3cmd"), context.directory(name)
    credentials = server.credentials()
    address = server.endpoint.removeprefix("http://")
    config = here / "s3cfg"
    config.write_text(
        f"[default]\naccess_key = {credentials.access_key}\nsecret_key = {credentials.secret_key}\n"
        f"host_base = {address}\nhost_bucket = {address}\nuse_https = False\n")
    base: list[str | Path] = [program, "-c", config, "--no-progress"]
    environment = context.environment()
    want = sample_tree(here / "in")
    run([*base, "mb", "s3://s3cmd-bucket"], environment)
    run([*base, "put", here / "in/a.txt", "s3://s3cmd-bucket/a.txt"], environment)
    run([*base, "get", "s3://s3cmd-bucket/a.txt", here / "a.txt"], environment)
    equal("s3cmd get", digest(here / "a.txt"), want["a.txt"])
    assert "s3://s3cmd-bucket/a.txt" in run([*base, "ls", "s3://s3cmd-bucket"], environment), "ls shows no a.txt"
    run([*base, "sync", f"{here}/in/", "s3://s3cmd-bucket/tree/"], environment)
    (here / "out").mkdir()
    run([*base, "sync", "s3://s3cmd-bucket/tree/", f"{here}/out/"], environment)
    equal("s3cmd tree", tree_digests(here / "out"), want)
    run([*base, "info", "s3://s3cmd-bucket/a.txt"], environment)
    run([*base, "del", "--recursive", "--force", "s3://s3cmd-bucket"], environment)
    equal("after del", run([*base, "ls", "--recursive", "s3://s3cmd-bucket"], environment).strip(), "")
    run([*base, "rb", "s3://s3cmd-bucket"], environment)


def restic(context: Context) -> None:
    """init, two backups, check with all data read, restore, forget --prune."""
    program, server, here = require("restic"), context.server(), context.directory("restic")
    environment = context.environment() | {
        "RESTIC_REPOSITORY": f"s3:{server.endpoint}/restic-bucket/repo", "RESTIC_PASSWORD": "interop",
        "RESTIC_CACHE_DIR": str(here / "cache")}
    want = sample_tree(here / "in")
    run([program, "init"], environment)
    run([program, "backup", here / "in"], environment)
    (here / "in/new.bin").write_bytes(random_bytes(300_000, 7))
    run([program, "backup", here / "in"], environment)
    run([program, "check", "--read-data"], environment)
    run([program, "restore", "latest", "--target", here / "out"], environment)
    restored = here / "out" / (here / "in").relative_to("/")
    equal("restored tree", tree_digests(restored), want | {"new.bin": digest(here / "in/new.bin")})
    run([program, "forget", "--keep-last", "1", "--prune"], environment)
    run([program, "check"], environment)


def fast_etags(context: Context) -> None:
    """outcrop bucket; rclone, s3cmd and aws s3 sync where ETags are no MD5s."""
    with Server(context.binary, drives=1, scratch=context.scratch, extra_config='[s3]\netag = "fast"') as server:
        client, tool = server.client(), Tool(context, server)
        client.create_bucket("data")

        def etag(kind: str) -> str:
            equal(f"set {kind}", tool.admin("bucket", "set", "data", "--etag", kind).returncode, 0)
            return client.checked("put", client.put("data", "k", b"x")).headers["etag"]

        md5 = f'"{hashlib.md5(b"x").hexdigest()}"'
        equal("md5", etag("md5"), md5)
        listed = json.loads(tool.admin("bucket", "list", "--json").stdout)["buckets"]
        equal("listed", [(b["name"], b["etag"], b["etag_of"]) for b in listed], [("data", "md5", "bucket")])
        for kind in ("fast", "default"):
            assert re.fullmatch(r'"[0-9a-f]{32}-0"', etag(kind)), kind
        equal("another kind", tool.admin("bucket", "set", "data", "--etag", "slow").returncode != 0, True)
        equal("no such bucket", tool.admin("bucket", "set", "none", "--etag", "fast").returncode, 1)
        _rclone(context, server, "rclone-fast")
        _s3cmd(context, server, "s3cmd-fast")
        here = context.directory("aws-fast")
        sample_tree(here / "in")
        for path in (here / "in").rglob("*"):  # sync takes what is no older than the object's second for newer
            os.utime(path, (time.time() - 3600,) * 2)
        aws: list[str | Path] = [require("aws"), "--endpoint-url", server.endpoint, "s3", "sync"]
        credentials = server.credentials()
        environment = context.environment() | {
            "AWS_ACCESS_KEY_ID": credentials.access_key, "AWS_SECRET_ACCESS_KEY": credentials.secret_key}
        run([*aws, here / "in", "s3://data/tree"], environment)
        equal("nothing to do", run([*aws, here / "in", "s3://data/tree"], environment).strip(), "")


SCENARIOS = [awscli_basic, awscli_multipart, rclone, s3cmd, restic, fast_etags]
