"""Sessions for tokens of an identity provider: boto3 and the AWS CLI against a local provider over TLS."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from administration import records
from context import Context, equal, require, run
from oidc_issuer import Issuer
from sdk_clients import _distribution_python, _newest_python
from server import Server, make_certificate

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "web-identities.md"

SUITE = """
import boto3, os, sys
endpoint = os.environ["OUTCROP_TEST_ENDPOINT"]
session = boto3.session.Session(region_name="us-east-1")
arn = boto3.client("sts", endpoint_url=endpoint, region_name="us-east-1").get_caller_identity()["Arn"]
print(arn)
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
s3.put_object(Bucket="pods", Key="mine/a", Body=b"x")
try:
    s3.put_object(Bucket="pods", Key="other/a", Body=b"x")
    sys.exit("allowed what the role does not")
except s3.exceptions.ClientError as error:
    print(error.response["Error"]["Code"])
"""

DIRECT = """
import boto3, botocore, os, sys
from botocore.config import Config
sts = boto3.client("sts", endpoint_url=os.environ["OUTCROP_TEST_ENDPOINT"], region_name="us-east-1",
                   config=Config(signature_version=botocore.UNSIGNED))
answer = sts.assume_role_with_web_identity(RoleArn=os.environ["ROLE"], RoleSessionName="direct",
                                           WebIdentityToken=open(os.environ["TOKEN"]).read(), DurationSeconds=900)
print(answer["SubjectFromWebIdentityToken"], answer["Audience"], answer["Provider"],
      answer["AssumedRoleUser"]["Arn"])
"""


def _config(issuer: Issuer, more: str = "") -> str:
    return (f'[auth]\noidc_refresh = "1s"\n[[auth.oidc]]\nissuer = "{issuer.url}"\nclient_ids = ["outcrop"]\n'
            f'ca_file = "{issuer.certificate}"\n{more}')


def _form(server: Server, **fields: str) -> tuple[int, str, str]:
    """(status, error code, body) of an unsigned form."""
    connection = http.client.HTTPConnection("127.0.0.1", server.s3_port, timeout=30)
    connection.request("POST", "/", urllib.parse.urlencode(fields), {
        "Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    code = re.search("<Code>(.*?)</Code>", body)
    return answer.status, code[1] if code else "", body


def _ask(server: Server, token: str, role: str = "pods") -> str:
    """Empty, or the error code."""
    return _form(server, Action="AssumeRoleWithWebIdentity", Version="2011-06-15",
                 RoleArn=f"arn:aws:iam::000000000000:role/{role}", RoleSessionName="work", WebIdentityToken=token)[1]


def _ask_until(server: Server, token: str, wanted: str) -> None:
    """Comes again while the keys are on their way, as SDKs do."""
    deadline = time.monotonic() + 30
    while (got := _ask(server, token)) != wanted:
        assert time.monotonic() < deadline, f"got {got}, want {wanted}\n{server.log_tail()}"
        time.sleep(0.1)


def _aws(context: Context, server: Server, *arguments: str) -> str:
    keys = server.credentials()
    environment = context.environment() | {"AWS_ACCESS_KEY_ID": keys.access_key,
                                           "AWS_SECRET_ACCESS_KEY": keys.secret_key}
    return run([require("aws"), "--endpoint-url", server.endpoint, *arguments], environment)


def _make_role(context: Context, server: Server, issuer: Issuer, name: str = "pods") -> None:
    provider = issuer.url.removeprefix("https://")
    trust = {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::000000000000:oidc-provider/{provider}"},
        "Condition": {"StringEquals": {f"{provider}:sub": "system:serviceaccount:apps:web", f"{provider}:aud": "outcrop"}}}}
    own = {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::pods/mine/*"}}
    _aws(context, server, "iam", "create-role", "--role-name", name, "--assume-role-policy-document", json.dumps(trust))
    _aws(context, server, "iam", "put-role-policy", "--role-name", name, "--policy-name", "own", "--policy-document",
         json.dumps(own))


@contextlib.contextmanager
def _issuer(context: Context, name: str) -> Iterator[Issuer]:
    issuer = Issuer(context.directory(name))
    try:
        yield issuer
    finally:
        issuer.close()


WEB = "system:serviceaccount:apps:web"


def web_identity_sdks(context: Context) -> None:
    """boto3, old and new, with AWS_WEB_IDENTITY_TOKEN_FILE as in Kubernetes, and by hand"""
    with _issuer(context, "issuer") as issuer, Server(
            context.binary, drives=1, scratch=context.scratch, extra_config=_config(issuer)) as server:
        server.client().create_bucket("pods")
        _make_role(context, server, issuer)
        _ask_until(server, issuer.token(WEB), "")
        token = context.directory("pod") / "token"
        token.write_text(issuer.token(WEB))
        role = "arn:aws:iam::000000000000:role/pods"
        base = {k: v for k, v in context.environment().items() if not k.startswith("AWS_") or k.endswith("REGION")}
        base |= {"OUTCROP_TEST_ENDPOINT": server.endpoint, "AWS_EC2_METADATA_DISABLED": "true"}
        pod = base | {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": role, "AWS_ROLE_SESSION_NAME": "pod",
                      "AWS_ENDPOINT_URL": server.endpoint, "AWS_ENDPOINT_URL_STS": server.endpoint}
        said = run([_newest_python(context), "-c", SUITE], pod).split()
        equal("as", said, ["arn:aws:sts::000000000000:assumed-role/pods/pod", "AccessDenied"])
        for python in (_distribution_python(), _newest_python(context)):
            said = run([python, "-c", DIRECT], base | {"ROLE": role, "TOKEN": str(token)}).split()
            equal(python, said, [WEB, "outcrop", issuer.url, "arn:aws:sts::000000000000:assumed-role/pods/direct"])
        equal("CLI", json.loads(run([require("aws"), "--endpoint-url", server.endpoint, "sts", "get-caller-identity"], pod))[
            "Arn"], "arn:aws:sts::000000000000:assumed-role/pods/pod")
        in_log = records(server, "sts:AssumeRoleWithWebIdentity")
        equal("whose, in the audit log", {r["identity"] for r in in_log if r["result"] == "ok"},
              {f"{issuer.url.removeprefix('https://')}:{WEB}"})
        assert token.read_text() not in json.dumps(in_log), "a token in the audit log"


def web_identity_keys(context: Context) -> None:
    """keys that change, a provider that is away, and a start without it from the kept copy"""
    with _issuer(context, "issuer-keys") as issuer, Server(
            context.binary, drives=1, scratch=context.scratch, extra_config=_config(issuer)) as server:
        _make_role(context, server, issuer)
        first = issuer.token(WEB)
        _ask_until(server, first, "")
        equal("another subject", _ask(server, issuer.token("system:serviceaccount:apps:db")), "AccessDenied")
        equal("another audience", _ask(server, issuer.token(WEB, "sts.amazonaws.com")), "InvalidIdentityToken")
        equal("too old", _ask(server, issuer.token(WEB, lifetime=-61)), "ExpiredTokenException")
        equal("no role", _ask(server, issuer.token(WEB), "absent"), "AccessDenied")
        issuer.rotate("k2")
        second = issuer.token(WEB)
        _ask_until(server, second, "")
        _ask_until(server, first, "InvalidIdentityToken")
        fetched = len(issuer.asked)
        assert fetched < 40, issuer.asked
        issuer.close()
        server.restart()
        _ask_until(server, second, "")
        log = server.log_text()
        assert "the kept keys of an identity provider are used until it answers" in log, log
        _wait_for(server, "cannot be fetched: the last ones are used")
        for copy in (server.state / "oidc").iterdir():
            copy.write_text("{}")
        server.restart()
        _ask_until(server, second, "IDPCommunicationError")
        _wait_for(server, "cannot be fetched: its tokens are refused")


def _wait_for(server: Server, text: str) -> None:
    deadline = time.monotonic() + 30
    while text not in server.log_text():
        assert time.monotonic() < deadline, server.log_tail()
        time.sleep(0.1)


def web_identity_wrong_certificate(context: Context) -> None:
    """a provider whose certificate nobody vouches for, or that is for another name, is not believed"""
    with _issuer(context, "issuer-tls") as issuer:
        strangers = context.directory("strangers")
        other, _ = make_certificate(strangers)
        config = _config(issuer).replace(str(issuer.certificate), str(other))
        with Server(context.binary, drives=1, scratch=context.scratch, extra_config=config) as server:
            _make_role(context, server, issuer)
            _wait_for(server, "its tokens are refused")
            equal("token", _ask(server, issuer.token(WEB)), "IDPCommunicationError")
            equal("nothing was asked", issuer.asked, [])


def CVE_2026_73080_providers_of_iam_are_not_looked_for_inside(context: Context) -> None:
    """a provider that somebody made over IAM makes the server connect to no private address"""
    with Server(context.binary, drives=1, scratch=context.scratch) as server, socket.socket() as trap:
        trap.bind(("127.0.0.1", 0))
        trap.listen()
        trap.setblocking(False)
        port = trap.getsockname()[1]
        for url in (f"https://127.0.0.1:{port}/a", f"https://localhost:{port}/b", f"https://[::ffff:127.0.0.1]:{port}/c",
                    "https://169.254.169.254/latest"):
            _aws(context, server, "iam", "create-open-id-connect-provider", "--url", url, "--client-id-list", "x",
                 "--thumbprint-list", "0" * 40)
        deadline = time.monotonic() + 30
        while server.log_text().count("is not at a public address") < 4:
            assert time.monotonic() < deadline, server.log_tail()
            time.sleep(0.1)
        try:
            trap.accept()
            raise AssertionError("the server connected to a private address")
        except BlockingIOError:
            pass
        listed = json.loads(_aws(context, server, "iam", "list-open-id-connect-providers"))
        equal("providers", len(listed["OpenIDConnectProviderList"]), 4)


def guide_of_web_identities(context: Context) -> None:
    """aws iam and sts: every command of docs/guide/web-identities.md, in one shell"""
    require("aws")
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 3, f"the guide has {len(blocks)} blocks of commands"
    with _issuer(context, "issuer-guide") as issuer, Server(
            context.binary, drives=1, scratch=context.scratch, extra_config=_config(issuer)) as server:
        folder = context.directory("web-identities-guide")
        (folder / "token").write_text(issuer.token(WEB))
        # A box is up for a while before the first token comes.
        _wait_for(server, "the keys of an identity provider are there")
        script = folder / "guide.sh"
        script.write_text("set -euo pipefail\ncd \"$(dirname \"$0\")\"\n" + "".join(blocks) + "echo walked through\n")
        keys = server.credentials()
        said = run(["bash", script], context.environment() | {
            "ENDPOINT": server.endpoint, "PROVIDER": issuer.url.removeprefix("https://"), "TOKEN_FILE": "token",
            "AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key})
        equal("the last line", said.strip().splitlines()[-1], "walked through")
        assert "arn:aws:sts::000000000000:assumed-role/web/" in said, said


SCENARIOS = [web_identity_sdks, web_identity_keys, web_identity_wrong_certificate,
             CVE_2026_73080_providers_of_iam_are_not_looked_for_inside, guide_of_web_identities]
