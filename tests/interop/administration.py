"""What an operator does with the outcrop tool: tokens, the handle key, the audit log."""

from __future__ import annotations

import json
import shutil
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


def drives_at_run_time(context: Context) -> None:
    """A drive is added, dies, is replaced by its last path and forgotten; each restart knows what it should."""
    with Server(context.binary, drives=3, scratch=context.scratch) as server:
        tool = Tool(context, server)
        first, second = server.root / "added", server.root / "second"
        for directory in (first, second):
            directory.mkdir(mode=0o700)

        def drives() -> list[dict[str, object]]:
            listed: list[dict[str, object]] = json.loads(tool.admin("drive", "list", "--json").stdout)["drives"]
            return listed

        def paths() -> list[object]:
            return [d["path"] for d in drives()]

        equal("add", tool.admin("drive", "add", f"{first}/").returncode, 0)
        equal("normal path", paths()[3], str(first))
        equal("add again", tool.admin("drive", "add", str(first)).returncode, 1)
        server.restart()
        equal("still one of four", paths()[3], str(first))

        client = server.client()
        client.create_bucket("wide")
        client.put("wide", "over-all-drives", b"x" * (4 << 20))
        server.stop()
        shutil.rmtree(first)
        server.start()
        stuck = tool.admin("drive", "status", "--watch")
        equal("watch of what is blocked", stuck.returncode, 1)
        assert "1 segment blocked: no other drive can take them, add one; else they" in stuck.stdout, stuck.stdout
        assert "nothing left to do" not in stuck.stdout, stuck.stdout
        mixed = tool.admin("drive", "status", "--watch", "--json")
        assert mixed.returncode != 0 and not mixed.stdout and "--json" in mixed.stderr, mixed

        gone = drives()[3]
        equal("missing", (gone["state"], gone["path"], gone["last_path"]), ("missing", "", str(first)))
        assert str(gone["uuid"])[:8] in tool.admin("drive", "list").stdout
        equal("replace", tool.admin("drive", "replace", str(first), str(second), "--watch").returncode, 0)
        deadline = time.monotonic() + 60
        while len(drives()) > 4:  # it is forgotten in the round that finds nothing missing with it
            assert time.monotonic() < deadline, drives()
            time.sleep(0.2)
        assert str(gone["uuid"]) not in (server.state / "drives.json").read_text()

        first.mkdir(mode=0o700)
        server.restart()
        equal("no file in a directory that nobody named", list(first.iterdir()), [])
        equal("the new one", str(second) in paths(), True)
        server.stop()
        config = server.config.read_text()
        server.config.write_text(config.replace("drives = [", f'drives = ["{second}/", '))
        server.start()
        equal("live", [d["state"] for d in drives()], ["live"] * 4)
        assert server.client().get("wide", "over-all-drives").body == b"x" * (4 << 20)


SCENARIOS = [admin_tokens, audit_log, drives_at_run_time]
