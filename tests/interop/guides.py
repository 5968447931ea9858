"""The guide as it is printed: every command of its pages about buckets and programs, against a fresh server."""

from __future__ import annotations

import json
import re
from pathlib import Path

from context import Context, equal, require, run
from sdk_clients import _newest_python
from selftest import tool_of
from server import Server

PAGES = Path(__file__).resolve().parents[2] / "docs" / "guide"


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (PAGES / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def _walk(context: Context, name: str, commands: str, environment: dict[str, str]) -> str:
    folder = context.directory(name)
    (folder / "report.pdf").write_bytes(b"%PDF")
    (folder / "album").mkdir()
    (folder / "album" / "one.jpg").write_bytes(b"1")
    (folder / "big.iso").write_bytes(bytes(20_000_000))
    (folder / "policy.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::data/*"}}))
    script = folder / "guide.sh"
    script.write_text(f"set -euo pipefail\ncd \"$(dirname \"$0\")\"\n{commands}echo walked through\n")
    said = run(["bash", script], environment)
    equal("the last line", said.strip().splitlines()[-1], "walked through")
    return said


def guide_of_bucket_settings(context: Context) -> None:
    """aws s3api, curl and outcrop account: every command of docs/guide/bucket-settings.md"""
    require("aws")
    require("curl")
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        tool = tool_of(context)
        made = json.loads(run([tool, "account", "create", "other", "--json", "--admin", f"127.0.0.1:{server.admin_port}"],
                              context.environment() | {"OUTCROP_ADMIN_TOKEN": (server.state / "admin-token").read_text().strip()}))
        server.client().create_bucket("data")
        owner = re.search("<ID>(.*?)</ID>", server.client().call("GET").body.decode())
        assert owner
        commands = "".join(_blocks("bucket-settings.md", "sh"))
        assert commands.count("aws s3api") >= 10, "the page has lost its commands"
        commands = commands.replace("http://localhost:9000", server.endpoint)
        if "WriteOffsetBytes" not in run([require("aws"), "s3api", "put-object", "--generate-cli-skeleton"],
                                         context.environment()):
            commands = re.sub(r"^.*--write-offset-bytes.*\n", "", commands, flags=re.MULTILINE)  # an old CLI
        commands = commands.replace("OWN_CANONICAL_ID", owner[1])
        first, rest = commands.split("put-public-access-block", 1)
        commands = first.replace("CANONICAL_ID", owner[1]) + "put-public-access-block" + rest.replace(
            "CANONICAL_ID", made["canonical_id"])
        # What the page shows of accounts is for an account that the reader has.
        commands = commands.replace("remove 123456789012 ", "remove \"$(outcrop account list --json | python3 -c "
                                    "'import json,sys; print([a[\"id\"] for a in json.load(sys.stdin)[\"accounts\"] "
                                    "if a[\"name\"] == \"lab\"][0])')\" ")
        commands = commands.replace("123456789012", made["id"]).replace("AKIAOLDKEY", made["access_key"])
        prologue = (f"aws() {{ command aws --endpoint-url {server.endpoint} \"$@\"; }}\n"
                    f"outcrop() {{ {tool} \"$@\" --admin 127.0.0.1:{server.admin_port}; }}\n"
                    "aws s3 cp report.pdf s3://data/key\n"
                    "head -c 5120 /dev/zero > first.txt; echo more > more.txt\n"
                    "aws s3api put-public-access-block --bucket data --public-access-block-configuration BlockPublicAcls=false\n")
        keys = server.credentials()
        said = _walk(context, "settings-guide", prologue + _in_order(commands), context.environment() | {
            "AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "OUTCROP_ADMIN_TOKEN": (server.state / "admin-token").read_text().strip()})
        assert "access-control-allow-origin: https://app.example.com" in said.lower(), said


def _in_order(commands: str) -> str:
    """Public ACLs come last on the page, and the repair at its top blocks them: that one goes first."""
    return commands.replace("aws s3api put-object-acl", (
        "aws s3api put-public-access-block --bucket data --public-access-block-configuration BlockPublicAcls=false\n"
        "aws s3api put-object-acl"))


def guide_of_the_cli(context: Context) -> None:
    """aws s3: every command of docs/guide/aws-cli.md"""
    require("aws")
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        keys = server.credentials()
        commands = "".join(_blocks("aws-cli.md", ""))
        assert commands.count("aws s3 ") >= 6, "the page has lost its commands"
        commands = re.sub(r"^export AWS_ACCESS_KEY_ID.*$", f"export AWS_ACCESS_KEY_ID={keys.access_key} "
                          f"AWS_SECRET_ACCESS_KEY={keys.secret_key} AWS_DEFAULT_REGION=us-east-1", commands, flags=re.MULTILINE)
        commands = commands.replace("http://127.0.0.1:9000", server.endpoint)
        _walk(context, "cli-guide", commands, context.environment())


def guide_of_boto3(context: Context) -> None:
    """boto3: the programs of docs/guide/boto3.md and of forms in bucket-settings.md"""
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        keys = server.credentials()
        server.client().create_bucket("data")
        folder = context.directory("boto3-guide")
        (folder / "big.iso").write_bytes(b"0123456789" * 2_000_000)
        program = "".join(_blocks("boto3.md", "python") + _blocks("bucket-settings.md", "python"))
        program = program.replace("http://127.0.0.1:9000", server.endpoint).replace("http://localhost:9000", server.endpoint)
        program = program.replace('aws_access_key_id="..."', f'aws_access_key_id="{keys.access_key}"')
        program = program.replace('aws_secret_access_key="..."', f'aws_secret_access_key="{keys.secret_key}"')
        (folder / "guide.py").write_text(f"import os\nos.chdir({str(folder)!r})\n{program}\nprint(sorted(form['fields']))\n")
        said = run([_newest_python(context), folder / "guide.py"], context.environment() | {
            "AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key})
        assert "b'0123456789'" in said and "big.iso 20000000" in said and "x-amz-signature" in said, said


def guide_of_moving(context: Context) -> None:
    """rclone: every command of docs/guide/moving.md, from one server to another"""
    require("rclone")
    with Server(context.binary, drives=1, scratch=context.scratch) as old, \
            Server(context.binary, drives=1, scratch=context.scratch) as new:
        source, target = old.client(), new.client()
        source.create_bucket("data")
        bodies = {f"folder {n}/key {n}": bytes([n]) * (n * 40_000) for n in range(8)}
        for key, body in bodies.items():
            source.call("PUT", "data", key, headers={"content-type": "text/csv", "x-amz-meta-color": "red"}, body=body)
        commands = "".join(_blocks("moving.md", "sh"))
        assert commands.count("rclone ") == 4, "the page has lost its commands"
        for server, name in ((old, "OLD"), (new, "NEW")):
            keys = server.credentials()
            commands = commands.replace(f"{name}KEY", keys.access_key).replace(f"{name}SECRET", keys.secret_key)
        commands = commands.replace("http://OLD:9000", old.endpoint).replace("http://HOST:9000", new.endpoint)
        first, second = commands.split("rclone sync", 1)
        _walk(context, "moving-guide", first, context.environment())
        equal("removed meanwhile", source.delete("data", "folder 1/key 1").status, 204)
        equal("changed meanwhile", source.put("data", "folder 2/key 2", b"changed").status, 200)
        exports = "".join(line + "\n" for line in first.splitlines() if line.startswith("export "))
        _walk(context, "moving-guide-again", f"{exports}rclone sync{second}", context.environment())
        del bodies["folder 1/key 1"]
        bodies["folder 2/key 2"] = b"changed"
        for key, body in bodies.items():
            equal(key, target.get("data", key).body, body)
        equal("gone", target.get("data", "folder 1/key 1").status, 404)
        copied = target.get("data", "folder 3/key 3").headers
        equal("metadata", (copied["content-type"], copied["x-amz-meta-color"]), ("text/csv", "red"))


SCENARIOS = [guide_of_bucket_settings, guide_of_the_cli, guide_of_boto3, guide_of_moving]
