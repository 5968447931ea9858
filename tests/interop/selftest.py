"""outcrop selftest: passes on a server that is right, fails on one that is not, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import Any

from context import Context, equal
from server import Server, free_ports, moved_away

SECONDS_MAX = 90


class Selftest:
    """The command against one server."""

    def __init__(self, context: Context, server: Server) -> None:
        self.server = server
        credentials = server.credentials()
        self.command = [str(context.binary.resolve().parents[1] / "tools" / "outcrop"), "selftest"]
        self.environment = {
            "AWS_ACCESS_KEY_ID": credentials.access_key, "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "OUTCROP_ADMIN_TOKEN": (server.state / "admin-token").read_text().strip()}

    def run(self, *flags: str, endpoint: str | None = None) -> tuple[int, dict[str, Any]]:
        """Exit code and JSON."""
        done = subprocess.run([*self.command, "--endpoint", endpoint or self.server.endpoint, "--json", *flags],
                              env=self.environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        assert done.stdout, f"selftest ended with {done.returncode}: {done.stderr}"
        return done.returncode, json.loads(done.stdout)

    def admin(self) -> list[str]:
        """The flags for the admin API."""
        return ["--admin", f"127.0.0.1:{self.server.admin_port}"]

    def passes(self, *flags: str, least: int) -> None:
        """All checks, so many at least, and nothing is left."""
        code, report = self.run(*flags)
        equal("not passed", [c for c in report["checks"] if c["verdict"] != "pass"], [])
        equal("exit code", code, 0)
        assert report["passed"] >= least, report
        self.nothing_left()

    def fails(self, *flags: str, check: str, why: str, endpoint: str | None = None) -> None:
        """The named check, for that reason, and nothing is left."""
        code, report = self.run(*flags, endpoint=endpoint)
        equal("exit code", code, 1)
        failed = [c for c in report["checks"] if c["verdict"] == "fail"]
        assert any(check in c["name"] and why in c["why"] for c in failed), f"no '{check}: {why}' in {failed}"
        self.nothing_left()

    def nothing_left(self) -> None:
        """No bucket and no export of a test."""
        listed = self.server.client().call("GET", "/").body.decode()
        assert "outcrop-selftest-" not in listed, listed
        exports = self.server.admin("GET", "/v1/exports")
        equal("exports", [e["path"] for e in exports["exports"] if "selftest" in e["path"]], [])


def nfs_server(context: Context) -> tuple[Server, int]:
    """With an export that may be written and one that may not."""
    port = free_ports(1)[0]
    exports = "\n".join(
        f'[[export]]\npath = "/{name}"\nbucket = "shared"\nclients = ["127.0.0.1"]\naccess = "{access}"\nsquash = "none"\n'
        for name, access in (("shared", "rw"), ("fixed", "ro")))
    return Server(context.binary, drives=4, scratch=context.scratch,
                  extra_config=f'[nfs]\nlisten = "127.0.0.1:{port}"\n{exports}'), port


def selftest_passes(context: Context) -> None:
    """S3, drives, and NFS by an export for the test or one that is there; over https with its certificate."""
    server, port = nfs_server(context)
    with server:
        server.client().create_bucket("shared")
        test = Selftest(context, server)
        test.passes(least=17)
        test.passes(*test.admin(), "--nfs", f"127.0.0.1:{port}", least=25)
        test.passes(*test.admin(), "--nfs", f"127.0.0.1:{port}", "--nfs-version", "3", least=25)
        test.passes("--nfs", f"127.0.0.1:{port}/shared", least=22)
        equal("what is left in the exported bucket", list(server.client().list_keys("shared")), [])
    tls = context.server("https")
    Selftest(context, tls).passes("--ca-file", str(tls.certificate), least=17)


def selftest_fails(context: Context) -> None:
    """A wrong region, secret, endpoint, a missing drive, an export that takes no writes, no NFS at all."""
    server, port = nfs_server(context)
    with server:
        server.client().create_bucket("shared")
        test = Selftest(context, server)
        test.fails("--region", "eu-central-1", check="bucket: create", why="GetBucketLocation")
        test.fails("--secret-key", "wrong", check="bucket: create", why="403 SignatureDoesNotMatch")
        dead = free_ports(1)[0]
        test.fails(endpoint=f"http://127.0.0.1:{dead}", check="bucket: create", why="cannot connect")
        test.fails("--nfs", f"127.0.0.1:{dead}/shared", check="NFS: mount", why="")
        test.fails("--nfs", f"127.0.0.1:{port}/fixed", "--nfs-bucket", "shared", check="NFS: mount", why="MKDIR")
        test.fails("--nfs", f"127.0.0.1:{port}/none", check="NFS: mount", why="/none")
        # The export leads to another bucket than the test is told: what it writes does not show.
        server.client().create_bucket("other")
        test.fails("--nfs", f"127.0.0.1:{port}/shared", "--nfs-bucket", "other", check="what S3 writes", why="LOOKUP")
        equal("what is left in the exported bucket", list(server.client().list_keys("shared")), [])
        with moved_away([server.drives[3]]):
            deadline = time.monotonic() + SECONDS_MAX
            while server.admin("GET", "/v1/drives")["drives"][3]["state"] == "live":
                assert time.monotonic() < deadline, "a drive is gone and still live"
                time.sleep(0.1)
            test.fails(*test.admin(), check="drives: all live", why="expected live, got missing")


def selftest_interrupted(context: Context) -> None:
    """Ctrl-C, or the end of its time, skips what is left and cleans up."""
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        test = Selftest(context, server)
        with subprocess.Popen([*test.command, "--endpoint", server.endpoint], env=test.environment,
                              stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            code = process.wait(SECONDS_MAX)
        assert first.startswith("PASS  bucket"), first
        assert "clean up" in rest and (code == 0 or "it was interrupted" in rest), (code, rest)
        test.nothing_left()
        code, report = test.run("--seconds", "0.001")
        equal("exit code", code, 1)
        assert report["skipped"] > 0 and report["checks"][-1]["verdict"] == "pass", report
        test.nothing_left()


SCENARIOS = [selftest_passes, selftest_fails, selftest_interrupted]
