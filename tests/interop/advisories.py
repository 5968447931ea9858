"""Published holes of comparable systems, tried on a whole server. The names are the map of docs/security.md."""

from __future__ import annotations

import base64
import datetime
import http.client
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from context import Context, equal, require, run
from s3client import EMPTY_SHA256, Credentials, Response, S3Client, sign_headers
from server import Server

EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


class Strangers:
    """A server with buckets, a user, and requests that nobody signed."""

    def __init__(self, context: Context) -> None:
        self.context, self.server = context, context.server()
        self.root = self.server.client()

    def bucket(self, name: str) -> str:
        """A new bucket, open to policies that let everybody in."""
        self.root.create_bucket(name)
        self.root.checked("unblock", self.root.call("DELETE", name, query={"publicAccessBlock": ""}))
        return name

    def policy(self, bucket: str, *statements: dict[str, object]) -> None:
        """Puts a bucket policy."""
        text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)}).encode()
        self.root.checked("policy", self.root.call("PUT", bucket, query={"policy": ""}, body=text))

    def iam(self, *arguments: str) -> str:
        """One `aws iam` command of the root user."""
        return run([require("aws"), "--endpoint-url", self.server.endpoint, "--output", "json", *arguments],
                   self.context.environment())

    def user(self, name: str, policy: Mapping[str, object]) -> S3Client:
        """A new user with that policy, as a client."""
        self.iam("iam", "create-user", "--user-name", name)
        self.iam("iam", "put-user-policy", "--user-name", name, "--policy-name", "own", "--policy-document", json.dumps(policy))
        key = json.loads(self.iam("iam", "create-access-key", "--user-name", name))["AccessKey"]
        return S3Client("127.0.0.1", self.server.s3_port, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))

    def ask(self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"",
            port: int | None = None) -> Response:
        """A request without a signature."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.server.s3_port, timeout=30)
        connection.request(method, target, body or None, dict(headers or {}))
        answer = connection.getresponse()
        out = Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return out

    def form(self, bucket: str, fields: Mapping[str, str], conditions: list[object], keys: Credentials,
             target: str | None = None, more: Mapping[str, str] | None = None) -> Response:
        """An upload from a form that `keys` have signed; `more`: fields that the policy does not know."""
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        signing = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": stamp,
                   "x-amz-credential": f"{keys.access_key}/{day}/{keys.region}/s3/aws4_request"}
        end = (now + datetime.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        policy = base64.b64encode(json.dumps({"expiration": end, "conditions": [
            *conditions, *({k: v} for k, v in signing.items())]}).encode()).decode()
        every = {**fields, **signing, "policy": policy, "x-amz-signature": keys.signature(day, policy), **(more or {})}
        parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in every.items())
        body = (parts + '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n').encode()
        return self.ask("POST", target or f"/{bucket}", {"Content-Type": "multipart/form-data; boundary=b"}, body)


def allow(action: str, resource: str, **more: object) -> dict[str, object]:
    """A statement that lets everybody in."""
    return {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{resource}", **more}


def CVE_2023_28432_nothing_is_told_before_authentication(context: Context) -> None:
    """no route without a signature or token gives out a secret, a token or a path"""
    s = Strangers(context)
    # The folders of drives are labels of /metrics, which is for a private network.
    secrets = [s.server.credentials().secret_key, (s.server.state / "admin-token").read_text().strip(), str(s.server.state)]
    paths = ["/", "/minio/bootstrap/v1/verify", "/minio/health/cluster", "/minio/v2/metrics/cluster", "/debug/pprof/",
             "/metrics", "/health/live", "/health/ready", "/v1/tokens", "/v1/drives", "/v1/exports", "/v1/accounts",
             "/rustfs/console", "/?Action=ListUsers", "/?Action=GetCallerIdentity", "/.env", "/..%2f..%2fetc%2fpasswd"]
    for port in (s.server.s3_port, s.server.admin_port):
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
            for path in paths:
                answer = s.ask(method, path, port=port)
                everything = answer.body.decode(errors="replace") + str(answer.headers)
                for secret in secrets:
                    assert secret not in everything, f"{method} {path} gives {secret}"
                open_to_all = path in {"/health/live", "/health/ready", "/metrics"} and port == s.server.admin_port
                assert answer.status >= 400 or open_to_all, f"{method} {path}: {answer.status}"


def CVE_2023_28434_CVE_2021_21362_forms_do_only_what_was_signed(context: Context) -> None:
    """every field needs a condition, and the signer's own rights count"""
    s = Strangers(context)
    s.bucket("forms")
    s.bucket("other-forms")
    keys = s.server.credentials()
    good: list[object] = [{"bucket": "forms"}, ["starts-with", "$key", "in/"]]
    equal("as signed", s.form("forms", {"key": "in/a"}, good, keys).status, 204)
    equal("another bucket", s.form("other-forms", {"key": "in/a"}, good, keys).status, 403)
    equal("another key", s.form("forms", {"key": "out/a"}, good, keys).status, 403)
    for name in ("x-amz-meta-a", "Content-Type", "acl", "success_action_redirect", "x-amz-storage-class"):
        equal(name, s.form("forms", {"key": "in/a"}, good, keys, more={name: "x"}).status, 403)
    reader = s.user("form-reader", {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}})
    equal("who may only read", s.form("forms", {"key": "in/b"}, good, reader.credentials).status, 403)


def CVE_2026_27607_conditions_of_forms_are_enforced(context: Context) -> None:
    """length, prefix and content type of a POST policy"""
    s = Strangers(context)
    s.bucket("strict-forms")
    keys = s.server.credentials()
    bucket = {"bucket": "strict-forms"}
    for what, conditions, status in (
            ("too long", [bucket, {"key": "k"}, ["content-length-range", 0, 0]], 400),
            ("too short", [bucket, {"key": "k"}, ["content-length-range", 2, 9]], 400),
            ("fits", [bucket, {"key": "k"}, ["content-length-range", 1, 1]], 204),
            ("prefix", [bucket, ["starts-with", "$key", "a/"]], 403),
            ("equal", [bucket, ["eq", "$key", "other"]], 403)):
        equal(what, s.form("strict-forms", {"key": "k"}, list(conditions), keys).status, status)


def CVE_2023_43040_the_bucket_is_the_one_of_the_path(context: Context) -> None:
    """a field called bucket decides nothing"""
    s = Strangers(context)
    s.bucket("form-here")
    s.bucket("form-there")
    keys = s.server.credentials()
    conditions: list[object] = [{"bucket": "form-there"}, {"key": "k"}]
    equal("field", s.form("form-here", {"key": "k", "bucket": "form-there"}, conditions, keys).status, 403)
    for name in ("form-here", "form-there"):
        equal(name, list(s.root.list_keys(name)), [])


def CVE_2016_7031_GHSA_x298_9x87_fvjq_reading_is_not_listing(context: Context) -> None:
    """who may read one object may list nothing, versions and uploads included"""
    s = Strangers(context)
    s.bucket("readable")
    s.root.put("readable", "k", b"x")
    s.policy("readable", allow("s3:GetObject", "readable/k"))
    equal("read", s.ask("GET", "/readable/k").status, 200)
    for query in ("", "?list-type=2", "?versions", "?uploads", "?acl", "?policy", "?versioning", "?location", "?tagging"):
        equal(query, s.ask("GET", f"/readable{query}").status, 403)
    for query in ("?versionId=null", "?acl", "?tagging", "?attributes"):
        equal(query, s.ask("GET", f"/readable/k{query}").status, 403)
    equal("no other key", s.ask("GET", "/readable/absent").status, 403)


def GHSA_5354_r3w2_34m8_CVE_2022_24842_a_key_is_its_user_and_no_more(context: Context) -> None:
    """the keys that a user makes for himself, and his sessions, have his rights; he makes none for others"""
    s = Strangers(context)
    s.bucket("closed")
    s.root.put("closed", "k", b"x")
    s.user("keymaker", {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": ["iam:CreateAccessKey", "sts:*"], "Resource": "arn:aws:iam::000000000000:user/${aws:username}"}})
    made = json.loads(s.iam("iam", "list-access-keys", "--user-name", "keymaker"))["AccessKeyMetadata"]
    equal("keys", len(made), 1)
    keys = json.loads(s.iam("iam", "create-access-key", "--user-name", "keymaker"))["AccessKey"]
    own = context.environment() | {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"]}
    aws = [require("aws"), "--endpoint-url", s.server.endpoint, "--output", "json"]
    child = json.loads(run([*aws, "iam", "create-access-key"], own))["AccessKey"]
    session = json.loads(run([*aws, "sts", "get-session-token"], own))["Credentials"]
    for name, id_, secret, token in (("child", child["AccessKeyId"], child["SecretAccessKey"], ""),
                                     ("session", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])):
        environment = own | {"AWS_ACCESS_KEY_ID": id_, "AWS_SECRET_ACCESS_KEY": secret}
        environment |= {"AWS_SESSION_TOKEN": token} if token else {}
        who = json.loads(run([*aws, "sts", "get-caller-identity"], environment))
        equal(name, who["Arn"], "arn:aws:iam::000000000000:user/keymaker")
        for command in (["s3api", "get-object", "--bucket", "closed", "--key", "k", "/dev/null"], ["iam", "list-users"],
                        ["iam", "create-access-key", "--user-name", "form-reader"],
                        ["iam", "put-user-policy", "--user-name", "keymaker", "--policy-name", "p", "--policy-document",
                         json.dumps(EVERYTHING)]):
            run([*aws, *command], environment, expect_failure=True)


def CVE_2026_42600_CVE_2025_68705_keys_are_no_paths(context: Context) -> None:
    """keys with dots and slashes are objects of their bucket, and no file anywhere has their name"""
    s = Strangers(context)
    s.bucket("traversal")
    mark = "outcrop-traversal-mark"
    keys = [f"../{mark}", f"../../state/{mark}", f"a/../../{mark}", f"/etc/{mark}", f"..\\{mark}", f"%2e%2e/{mark}"]
    for key in keys:
        equal(key, s.root.put("traversal", key, b"x").status, 200)
    equal("keys", sorted(k for k, _ in s.root.list_keys("traversal")), sorted(keys))
    for folder in [s.server.state, *s.server.drives, Path("/etc")]:
        found = [p for p in folder.rglob(f"*{mark}*")] if folder != Path("/etc") else list(folder.glob(mark))
        equal(str(folder), found, [])
    s.root.delete_many("traversal", keys)


def GHSA_6r96_hmgc_726c_GHSA_fc6g_2gcp_2qrq_headers_set_no_condition_keys(context: Context) -> None:
    """what a header says of the sender is not believed: address, TLS, user, referer only where it is one"""
    s = Strangers(context)
    s.bucket("conditions")
    s.root.put("conditions", "k", b"x")
    for condition in ({"IpAddress": {"aws:SourceIp": "203.0.113.7"}}, {"Bool": {"aws:SecureTransport": "true"}},
                      {"StringEquals": {"aws:username": "alice"}}, {"StringEquals": {"aws:userid": "alice"}},
                      {"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000000:root"}},
                      {"StringEquals": {"s3:ExistingObjectTag/a": "b"}}):
        s.policy("conditions", allow("s3:GetObject", "conditions/*", Condition=condition))
        answer = s.ask("GET", "/conditions/k", {
            "X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.7", "Forwarded": "for=203.0.113.7;proto=https",
            "X-Forwarded-Proto": "https", "SourceIp": "203.0.113.7", "username": "alice", "userid": "alice",
            "x-amz-username": "alice", "principalarn": "arn:aws:iam::000000000000:root", "ExistingObjectTag": "b",
            "x-amz-tagging": "a=b"})
        equal(json.dumps(condition), answer.status in {400, 403, 501}, True)


def GHSA_v9cp_qfw9_9pfp_negated_and_quantified_conditions(context: Context) -> None:
    """ForAllValues, ForAnyValue and the negated operators say what AWS says they do when a key is absent"""
    s = Strangers(context)
    s.bucket("quantified")
    s.root.put("quantified", "k", b"x")
    for condition, status in (({"ForAnyValue:StringEquals": {"aws:PrincipalTag/a": ["x"]}}, 403),
                              ({"ForAnyValue:StringNotEquals": {"aws:PrincipalTag/a": ["x"]}}, 403),
                              ({"ForAllValues:StringEquals": {"aws:PrincipalTag/a": ["x"]}}, 200),
                              ({"StringNotEquals": {"aws:PrincipalTag/a": "x"}}, 200),
                              ({"StringEquals": {"aws:PrincipalTag/a": "x"}}, 403),
                              ({"StringEqualsIfExists": {"aws:PrincipalTag/a": "x"}}, 200),
                              ({"Null": {"aws:PrincipalTag/a": "false"}}, 403)):
        s.policy("quantified", allow("s3:GetObject", "quantified/*", Condition=condition))
        equal(json.dumps(condition), s.ask("GET", "/quantified/k").status, status)


def CVE_2026_46685_CORS_is_not_reflected_with_credentials(context: Context) -> None:
    """an origin that no rule allows gets no CORS header, and one that * allows none for credentials"""
    s = Strangers(context)
    s.bucket("cors-rules")
    s.root.put("cors-rules", "k", b"x")
    s.policy("cors-rules", allow("s3:GetObject", "cors-rules/*"))
    evil = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for method, path in (("GET", "/cors-rules/k"), ("OPTIONS", "/cors-rules/k"), ("OPTIONS", "/"), ("OPTIONS", "/absent/k")):
        answer = s.ask(method, path, evil)
        equal(f"{method} {path}", [h for h in answer.headers if h.startswith("access-control")], [])
    admin = s.ask("OPTIONS", "/v1/tokens", evil, port=s.server.admin_port)
    equal("admin", [h for h in admin.headers if h.startswith("access-control")], [])
    rules = (b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
             b"</CORSRule></CORSConfiguration>")
    s.root.checked("rules", s.root.call("PUT", "cors-rules", query={"cors": ""}, body=rules))
    answer = s.ask("GET", "/cors-rules/k", evil)
    equal("origin", answer.headers.get("access-control-allow-origin"), "*")
    assert "access-control-allow-credentials" not in answer.headers, answer.headers


def CVE_2026_27822_no_page_runs_what_was_stored(context: Context) -> None:
    """there is no console: the administration's origin serves no HTML, and no error page holds what was sent"""
    s = Strangers(context)
    script = "<script>alert(1)</script>"
    for port in (s.server.s3_port, s.server.admin_port):
        for path in (f"/{urllib.parse.quote(script)}", f"/bucket/{urllib.parse.quote(script)}?x={urllib.parse.quote(script)}"):
            answer = s.ask("GET", path, {"User-Agent": script, "Referer": script}, port=port)
            assert script not in answer.body.decode(errors="replace"), answer.body
            assert "html" not in answer.headers.get("content-type", ""), answer.headers


def CVE_2020_10753_CVE_2022_3854_odd_bytes_in_names_and_rules(context: Context) -> None:
    """line breaks in CORS rules and metadata, and URLs that are none, end in an answer and split none"""
    s = Strangers(context)
    s.bucket("odd-bytes")
    s.root.put("odd-bytes", "k", b"x")
    s.policy("odd-bytes", allow("s3:GetObject", "odd-bytes/*"))
    for value in ("ETag\r\nX-Injected: 1", "ETag&#13;&#10;X-Injected: 1", "ETag&#10;X-Injected: 1"):
        rules = (f"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
                 f"<ExposeHeader>{value}</ExposeHeader></CORSRule></CORSConfiguration>").encode()
        s.root.call("PUT", "odd-bytes", query={"cors": ""}, body=rules)
        answer = s.ask("GET", "/odd-bytes/k", {"Origin": "https://a.example"})
        assert "x-injected" not in answer.headers, answer.headers
    for query in ({"response-content-type": "a\r\nX-Injected: 1"}, {"response-cache-control": "a\nX-Injected: 1"},
                  {"response-content-disposition": "a\x00b"}):
        answer = s.root.call("GET", "odd-bytes", "k", query=query)
        equal(str(query), answer.status, 400)
        assert "x-injected" not in answer.headers, answer.headers
    for target in ("/%00", "/odd-bytes/%00", "/odd-bytes/k?%00", "//", "/?", "/%", "/%zz", "/odd-bytes/%c0%af", "/" + "a" * 9000,
                   "/odd-bytes?prefix=%00", "/odd-bytes/k?versionId=%00", "/?" + "&" * 500):
        status = s.ask("GET", target).status
        assert 400 <= status < 500, f"{target[:40]}: {status}"
    equal("alive", s.ask("GET", "/odd-bytes/k").status, 200)


def CVE_2025_30156_altered_session_tokens_open_nothing(context: Context) -> None:
    """every altered byte of a session token makes it worthless: it is authenticated, not only encrypted"""
    s = Strangers(context)
    user = s.user("sealed", {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
    own = context.environment() | {"AWS_ACCESS_KEY_ID": user.credentials.access_key,
                                   "AWS_SECRET_ACCESS_KEY": user.credentials.secret_key}
    made = json.loads(run([require("aws"), "--endpoint-url", s.server.endpoint, "--output", "json", "sts",
                           "get-session-token"], own))["Credentials"]
    client = S3Client("127.0.0.1", s.server.s3_port, replace(
        user.credentials, access_key=made["AccessKeyId"], secret_key=made["SecretAccessKey"]))
    token = made["SessionToken"]
    equal("as given", client.call("GET", headers={"x-amz-security-token": token}).status, 200)
    raw = bytearray(base64.b64decode(token))
    for at in range(0, len(raw), 3):
        altered = bytes(raw[:at]) + bytes([raw[at] ^ 1]) + bytes(raw[at + 1:])
        answer = client.call("GET", headers={"x-amz-security-token": base64.b64encode(altered).decode()})
        equal(f"byte {at}", (answer.status, answer.code), (400, "InvalidToken"))
    cut = base64.b64encode(raw[:-16]).decode()
    equal("without its tag", client.call("GET", headers={"x-amz-security-token": cut}).status, 400)


def SeaweedFS_7915_9121_VersityGW_57747021_unsigned_headers_and_forms(context: Context) -> None:
    """a multipart/form-data POST to any operation needs a signature, and so does every x-amz- header"""
    s = Strangers(context)
    s.bucket("unsigned")
    s.root.put("unsigned", "k", b"x")
    body = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nn\r\n--b--\r\n'
    for target in ("/unsigned?delete", "/unsigned/k?uploads", "/unsigned/k?uploadId=x", "/unsigned", "/", "/new-bucket",
                   "/unsigned/k?restore", "/unsigned/k?select&select-type=2"):
        status = s.ask("POST", target, {"Content-Type": "multipart/form-data; boundary=b"}, body).status
        assert status >= 400, f"{target}: {status}"
    equal("still there", s.root.get("unsigned", "k").body, b"x")
    client = s.server.client()
    for name in ("x-amz-copy-source", "x-amz-acl", "x-amz-tagging", "x-amz-meta-a", "x-amz-rename-source",
                 "x-amz-security-token", "x-amz-bypass-governance-retention"):
        signed = _signed(client, "PUT", "/unsigned/n")
        equal(name, s.ask("PUT", "/unsigned/n", signed | {name: "/unsigned/k"}).status, 403)
    equal("nothing made", [k for k, _ in s.root.list_keys("unsigned")], ["k"])


def _signed(client: S3Client, method: str, path: str) -> dict[str, str]:
    return sign_headers(client.credentials, method, path, {}, {"host": client.host}, EMPTY_SHA256) | {"content-length": "0"}


def VersityGW_ed1ad6b6_a_Deny_for_everybody_counts(context: Context) -> None:
    """an explicit Deny wins over a public Allow, for everybody and for who signs"""
    s = Strangers(context)
    s.bucket("denied")
    for key in ("open", "secret"):
        s.root.put("denied", key, b"x")
    s.policy("denied", allow("s3:GetObject", "denied/*"), allow("s3:GetObject", "denied/secret") | {"Effect": "Deny"})
    user = s.user("reader-of-all", EVERYTHING)
    equal("open", s.ask("GET", "/denied/open").status, 200)
    for key in ("secret", "%73ecret", "sec%72et"):
        equal(key, s.ask("GET", f"/denied/{key}").status, 403)
    equal("who may do everything", user.get("denied", "secret").status, 403)
    equal("root", s.root.get("denied", "secret").status, 403)
    equal("a copy", user.call("PUT", "denied", "copy", headers={"x-amz-copy-source": "/denied/secret"}).status, 403)


def CVE_2026_33419_failures_tell_nothing_apart(context: Context) -> None:
    """a key that does not exist and a wrong token of the administration are refused in the same words each time"""
    s = Strangers(context)
    answers = set()
    known = (s.server.state / "admin-token").read_text().strip()
    for token in ("x", "0" * 64, known[:-1], known + "0", known.swapcase()):
        answer = s.ask("GET", "/v1/tokens", {"Authorization": "Bearer " + token}, port=s.server.admin_port)
        equal("wrong token", answer.status, 401)
        answers.add(answer.body)
    equal("answers of the administration", len(answers), 1)
    wrong = [S3Client("127.0.0.1", s.server.s3_port, Credentials(name, "x" * 40)) for name in ("AKIANOBODY1", "AKIANOBODY2")]
    got = {(a.status, a.code) for a in (c.call("GET") for c in wrong)}
    equal("unknown keys", got, {(403, "InvalidAccessKeyId")})


def CVE_2026_72920_only_the_ports_that_were_asked_for(context: Context) -> None:
    """the server listens where the configuration says, and nowhere else"""
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        inodes = {re.search(r"\[(\d+)\]", str(link.readlink()))[1] for link in Path(f"/proc/{server.pid}/fd").iterdir()
                  if "socket:[" in str(link.readlink())}
        ports = set()
        for table in ("tcp", "tcp6"):
            for row in Path(f"/proc/{server.pid}/net/{table}").read_text().splitlines()[1:]:
                fields = row.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    ports.add(int(fields[1].rsplit(":", 1)[1], 16))
        equal("ports", ports, {server.s3_port, server.admin_port})


def Rule_5_4_no_secret_in_any_log(context: Context) -> None:
    """secrets of keys, tokens of sessions and of the administration are in no log, and in no file but their own"""
    s = Strangers(context)
    client = s.user("planted", {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    own = context.environment() | {"AWS_ACCESS_KEY_ID": client.credentials.access_key,
                                   "AWS_SECRET_ACCESS_KEY": client.credentials.secret_key}
    made = json.loads(run([require("aws"), "--endpoint-url", s.server.endpoint, "--output", "json", "sts",
                           "get-session-token"], own))["Credentials"]
    client.call("GET", headers={"x-amz-security-token": made["SessionToken"]})
    root, token = s.server.credentials().secret_key, (s.server.state / "admin-token").read_text().strip()
    s.ask("GET", "/v1/tokens", {"Authorization": f"Bearer {token}"}, port=s.server.admin_port)
    secrets = {"of the user": client.credentials.secret_key, "of the session": made["SecretAccessKey"],
               "of the session, its token": made["SessionToken"], "root's": root, "of the administration": token}
    homes = {"root's": "credentials", "of the administration": "admin-token"}
    for name, secret in secrets.items():
        assert secret not in s.server.log_text(), f"the secret {name} is in the log"
    for folder in (s.server.state, *s.server.drives):
        for file in (f for f in folder.rglob("*") if f.is_file()):
            text = file.read_bytes()
            found = [n for n, secret in secrets.items() if secret.encode() in text and file.name != homes.get(n)]
            equal(str(file), found, [])


SCENARIOS = [
    CVE_2023_28432_nothing_is_told_before_authentication, CVE_2023_28434_CVE_2021_21362_forms_do_only_what_was_signed,
    CVE_2026_27607_conditions_of_forms_are_enforced, CVE_2023_43040_the_bucket_is_the_one_of_the_path,
    CVE_2016_7031_GHSA_x298_9x87_fvjq_reading_is_not_listing,
    GHSA_5354_r3w2_34m8_CVE_2022_24842_a_key_is_its_user_and_no_more, CVE_2026_42600_CVE_2025_68705_keys_are_no_paths,
    GHSA_6r96_hmgc_726c_GHSA_fc6g_2gcp_2qrq_headers_set_no_condition_keys,
    GHSA_v9cp_qfw9_9pfp_negated_and_quantified_conditions, CVE_2026_46685_CORS_is_not_reflected_with_credentials,
    CVE_2026_27822_no_page_runs_what_was_stored, CVE_2020_10753_CVE_2022_3854_odd_bytes_in_names_and_rules,
    CVE_2025_30156_altered_session_tokens_open_nothing,
    SeaweedFS_7915_9121_VersityGW_57747021_unsigned_headers_and_forms, VersityGW_ed1ad6b6_a_Deny_for_everybody_counts,
    CVE_2026_33419_failures_tell_nothing_apart, CVE_2026_72920_only_the_ports_that_were_asked_for, Rule_5_4_no_secret_in_any_log,
]
