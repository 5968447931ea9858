"""outcrop selftest: passes on a server that is right, fails on one that is not, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import time
from typing import Any, Self

from context import Context, equal
from server import Server, free_ports, moved_away

SECONDS_MAX = 90


def tool_of(context: Context) -> str:
    """The outcrop binary beside the server's."""
    return str(context.binary.resolve().parents[1] / "tools" / "outcrop")


class Selftest:
    """The command against one server."""

    def __init__(self, context: Context, server: Server) -> None:
        self.server = server
        credentials = server.credentials()
        self.command = [tool_of(context), "selftest"]
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


class Completer:
    """Stands before a server, and makes up the rest of the bodies that are broken off."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(SECONDS_MAX)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        """The URL of it."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.port), SECONDS_MAX) as server:
            answers = threading.Thread(target=self._answer, args=(server, client))
            answers.start()
            with contextlib.suppress(OSError):
                while (missing := self._relay(client, server)) is not None:
                    server.sendall(b"x" * missing)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            answers.join(SECONDS_MAX)

    @staticmethod
    def _relay(client: socket.socket, server: socket.socket) -> int | None:
        """One request; how much of its body did not come, or None when no other one does."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(1 << 16)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        missing = (int(length.group(1)) if length else 0) - len(body)
        server.sendall(data)
        while missing > 0:
            more = client.recv(1 << 16)
            if not more:
                break
            server.sendall(more)
            missing -= len(more)
        return missing

    @staticmethod
    def _answer(server: socket.socket, client: socket.socket) -> None:
        """Until the server ends it, also when nobody listens."""
        while data := server.recv(1 << 16):
            with contextlib.suppress(OSError):
                client.sendall(data)


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
        test.passes(least=18)
        test.passes(*test.admin(), "--nfs", f"127.0.0.1:{port}", least=26)
        test.passes(*test.admin(), "--nfs", f"127.0.0.1:{port}", "--nfs-version", "3", least=26)
        test.passes("--nfs", f"127.0.0.1:{port}/shared", least=23)
        equal("what is left in the exported bucket", list(server.client().list_keys("shared")), [])
    tls = context.server("https")
    Selftest(context, tls).passes("--ca-file", str(tls.certificate), least=18)


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
        with Completer(server.s3_port) as completer:
            test.fails(endpoint=completer.endpoint, check="broken off leaves nothing", why="bytes of GetObject")
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


def command_line(context: Context) -> None:
    """Options that make no sense end every command with 2 and a reason; --help and --version end with 0."""
    tool = tool_of(context)
    wrong = ([], ["nothing"], ["--json"], ["fsck"], ["fsck", "--config"], ["fsck", "--config", "c", "--no"],
             ["selftest", "--seconds", "x"], ["drive", "drain"], ["bench", "s3", "--threads", "-1"],
             ["bench", "nfs"], ["audit"], ["export", "add", "b"], ["token", "create", "t"])
    for arguments in wrong:
        done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        equal(f"{arguments}: exit code", done.returncode, 2)
        assert done.stderr and not done.stdout, (arguments, done)
    for arguments in (["--help"], ["--version"], ["fsck", "--help"], ["drive", "drain", "--help"]):
        done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        equal(f"{arguments}: exit code", done.returncode, 0)
        assert done.stdout and not done.stderr, (arguments, done)
    server = subprocess.run([context.binary, "--version"], capture_output=True, text=True, check=True)
    tools = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True)
    equal("versions", tools.stdout, server.stdout.replace("outcropd", "outcrop"))


def selftest_refuses(context: Context) -> None:
    """Options that would be ignored or are out of range are refused before anything is done, and named."""
    # Nobody listens there: what began would end with 1.
    dead = f"127.0.0.1:{free_ports(1)[0]}"
    environment = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "OUTCROP_ADMIN_TOKEN": "t"}
    wrong = {("--nfs-bucket", "b"): "--nfs", ("--nfs-version", "3"): "--nfs", ("--nfs-uid", "1"): "--nfs",
             ("--token-file", "f"): "--admin", ("--nfs", dead): "--nfs: name an export",
             ("--nfs", dead, "--admin", dead, "--nfs-bucket", "b"): "--nfs-bucket",
             ("--nfs", f"{dead}/e", "--nfs-bucket", "/p"): "--nfs-bucket",
             ("--nfs", f"{dead}/e", "--nfs-version", "4.0"): "--nfs-version", ("--nfs", "x"): "--nfs",
             ("--seconds", "0"): "--seconds", ("--seconds", "-1"): "--seconds", ("--seconds", "nan"): "--seconds",
             ("--seconds", "60.5"): "--seconds", ("--ca-file", "f"): "--ca-file", ("--insecure",): "--insecure"}
    for flags, why in wrong.items():
        done = subprocess.run([tool_of(context), "selftest", "--endpoint", f"http://{dead}", *flags], env=environment,
                              capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        assert done.returncode == 2 and why in done.stderr and not done.stdout, (flags, done)
    for flags in ((), ("--seconds", "60"), ("--nfs", f"{dead}/e", "--nfs-uid", "1"), ("--admin", dead)):
        done = subprocess.run([tool_of(context), "selftest", "--endpoint", f"http://{dead}", *flags], env=environment,
                              capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        assert done.returncode == 1 and "cannot connect" in done.stdout, (flags, done)


SCENARIOS = [command_line, selftest_refuses, selftest_passes, selftest_fails, selftest_interrupted]
