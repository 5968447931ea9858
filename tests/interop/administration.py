"""What an operator does with the outcrop tool: tokens, the handle key, the audit log."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from context import Context, equal
from server import Server


class Tool:
    """The outcrop command against one server."""

    def __init__(self, context: Context, server: Server) -> None:
        self.binary = context.binary.resolve().parents[1] / "tools" / "outcrop"
        self.server = server
        self.token = (server.state / "admin-token").read_text().strip()

    def run(self, *arguments: str, token: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs it; `token` instead of the one of the state directory."""
        return subprocess.run([str(self.binary), *arguments], capture_output=True, text=True, timeout=60, check=False,
                              env={"OUTCROP_ADMIN_TOKEN": token or self.token})

    def admin(self, *arguments: str, token: str | None = None) -> subprocess.CompletedProcess[str]:
        """The same with the address of the server."""
        return self.run(*arguments, "--admin", f"127.0.0.1:{self.server.admin_port}", token=token)

    def audit_files(self) -> list[str]:
        """All files of the audit log."""
        return [str(p) for p in (self.server.state / "audit").iterdir()]

    def verify(self, *arguments: str) -> dict[str, object]:
        """The verdict over the audit log."""
        done = self.run("audit", "verify", "--json", *arguments, *self.audit_files())
        verdict: dict[str, object] = json.loads(done.stdout)
        equal("exit code", done.returncode, 0 if verdict["intact"] else 1)
        return verdict


def records(server: Server, action: str) -> list[dict[str, object]]:
    """The lines of audit.log with that action."""
    lines = (server.state / "audit" / "audit.log").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["action"] == action]


def admin_tokens(context: Context) -> None:
    """Tokens open what their scopes say, until they are revoked; the handle key is not rotated twice."""
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        tool = Tool(context, server)
        reader = tool.admin("token", "create", "reader", "--scope", "read").stdout.strip()
        exporter = tool.admin("token", "create", "exporter", "--scope", "exports", "--expires", "2h").stdout.strip()
        equal("read", tool.admin("export", "list", token=reader).returncode, 0)
        equal("read only", tool.admin("export", "rotate-key", token=reader).returncode, 1)
        equal("no tokens for others", tool.admin("token", "list", token=exporter).returncode, 1)
        equal("rotate", tool.admin("export", "rotate-key", token=exporter).returncode, 0)
        again = tool.admin("export", "rotate-key", token=exporter)
        equal("rotate again", again.returncode, 1)
        assert "force" in again.stderr, again.stderr
        equal("forced", tool.admin("export", "rotate-key", "--force", token=exporter).returncode, 0)
        listed = json.loads(tool.admin("token", "list", "--json").stdout)["tokens"]
        equal("names", [t["name"] for t in listed], ["reader", "exporter"])
        equal("revoke", tool.admin("token", "revoke", listed[0]["id"]).returncode, 0)
        equal("revoked", tool.admin("export", "list", token=reader).returncode, 1)
        server.restart()
        equal("still revoked", tool.admin("export", "list", token=reader).returncode, 1)
        equal("still good", tool.admin("export", "list", token=exporter).returncode, 0)
        assert exporter not in (server.state / "admin-tokens.json").read_text()
        denied = [r for r in records(server, "admin:POST") if r["result"] == "denied"]
        equal("denied in the audit log", [r["identity"] for r in denied], [listed[0]["id"]])


def audit_log(context: Context) -> None:
    """Writes leave chained lines, over kill -9; a changed line is found."""
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        client = server.client()
        client.create_bucket("audited")
        for i in range(50):
            client.put("audited", f"k{i}", b"v")
        server.kill()
        server.start()
        server.client().put("audited", "after", b"v", {"x-amz-meta-file-permissions": "0100640"})
        server.stop()
        tool = Tool(context, server)
        verdict = tool.verify()
        equal("intact", verdict["intact"], True)
        equal("starts", verdict["starts"], 2)
        puts = records(server, "s3:PutObject")
        equal("last", puts[-1]["resource"], "audited/after")
        equal("who", puts[-1]["identity"], server.credentials().access_key)
        equal("where", puts[-1]["address"], "127.0.0.1")
        link = f"{verdict['last_seq']}:{verdict['last_hash']}"
        equal("contains its end", tool.verify("--contains", link)["intact"], True)
        path = Path(server.state / "audit" / "audit.log")
        path.write_text(path.read_text().replace('"resource":"audited/after"', '"resource":"audited/other"'))
        equal("tampered", tool.verify()["intact"], False)


def lifecycle(context: Context) -> None:
    """Objects and uploads go when a rule says so, others stay, and the audit log has each."""
    with Server(context.binary, drives=1, scratch=context.scratch,
                extra_config='[s3]\nlifecycle_day = "2s"') as server:
        s3 = server.client()
        s3.create_bucket("bucket")
        rules = ("<LifecycleConfiguration><Rule><ID>tmp</ID><Filter><And><Prefix>tmp/</Prefix><Tag><Key>gone</Key>"
                 "<Value>yes</Value></Tag></And></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>"
                 "</Rule><Rule><ID>up</ID><Filter/><Status>Enabled</Status><AbortIncompleteMultipartUpload>"
                 "<DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>"
                 "</LifecycleConfiguration>")
        s3.checked("rules", s3.call("PUT", "bucket", query={"lifecycle": ""}, body=rules.encode()))
        made = s3.put("bucket", "tmp/gone", b"x", {"x-amz-tagging": "gone=yes"})
        assert 'rule-id="tmp"' in made.headers["x-amz-expiration"], made.headers
        s3.put("bucket", "tmp/stays", b"x")
        s3.put("bucket", "stays", b"x", {"x-amz-tagging": "gone=yes"})
        s3.create_multipart("bucket", "upload")
        deadline = time.monotonic() + 60
        while len(records(server, "s3:ExpireObject")) + len(records(server, "s3:AbortMultipartUpload")) < 2:
            assert time.monotonic() < deadline, server.log_tail()
            time.sleep(0.1)
        equal("keys", [key for key, _ in s3.list_keys("bucket")], ["stays", "tmp/stays"])
        equal("expired", [r["resource"] for r in records(server, "s3:ExpireObject")], ["bucket/tmp/gone"])
        equal("given up", [r["resource"] for r in records(server, "s3:AbortMultipartUpload")], ["bucket/upload"])


SCENARIOS = [admin_tokens, audit_log, lifecycle]
