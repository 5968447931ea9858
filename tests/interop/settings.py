"""What settings of buckets make the server do by itself."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import re
import time

from administration import records
from context import Context, equal
from server import Server


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


def lifecycle_of_versions(context: Context) -> None:
    """Old versions go but for the newest, and delete markers that nothing is left below."""
    with Server(context.binary, drives=1, scratch=context.scratch,
                extra_config='[s3]\nlifecycle_day = "2s"') as server:
        s3 = server.client()
        s3.create_bucket("bucket")
        s3.checked("versioning", s3.call("PUT", "bucket", query={"versioning": ""}, body=(
            b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")))
        kept = [s3.put("bucket", "keep/k", text).headers["x-amz-version-id"] for text in (b"1", b"2", b"3")]
        s3.put("bucket", "gone/k", b"x")
        s3.checked("delete", s3.call("DELETE", "bucket", "gone/k"))
        rules = ("<LifecycleConfiguration><Rule><ID>keep</ID><Filter><Prefix>keep/</Prefix></Filter><Status>Enabled"
                 "</Status><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>1"
                 "</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule><Rule><ID>gone</ID><Filter><Prefix>"
                 "gone/</Prefix></Filter><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true"
                 "</ExpiredObjectDeleteMarker></Expiration><NoncurrentVersionExpiration><NoncurrentDays>1"
                 "</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>")
        s3.checked("rules", s3.call("PUT", "bucket", query={"lifecycle": ""}, body=rules.encode()))
        deadline = time.monotonic() + 60
        while len(records(server, "s3:ExpireObjectVersion")) < 2 or not records(server, "s3:ExpireDeleteMarker"):
            assert time.monotonic() < deadline, server.log_tail()
            time.sleep(0.1)
        listed = s3.checked("versions", s3.call("GET", "bucket", query={"versions": ""})).body.decode()
        equal("versions", re.findall("<VersionId>(.*?)</VersionId>", listed), [kept[2], kept[1]])
        equal("expired", sorted(r["resource"] for r in records(server, "s3:ExpireObjectVersion")),
              ["bucket/gone/k", "bucket/keep/k"])
        equal("markers", [r["resource"] for r in records(server, "s3:ExpireDeleteMarker")], ["bucket/gone/k"])


def _old_form(server: Server, secret: str, **more: str) -> int:
    """The status of an upload from a form with a signature of version 2, made by that secret."""
    keys = server.credentials()
    end = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    policy = base64.b64encode(json.dumps({"expiration": end, "conditions": [
        {"bucket": "bucket"}, ["starts-with", "$key", "in/"]]}).encode())
    signature = base64.b64encode(hmac.new(secret.encode(), policy, hashlib.sha1).digest()).decode()
    fields = {"key": "in/${filename}", "AWSAccessKeyId": keys.access_key, "policy": policy.decode(),
              "signature": signature, **more}
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
    body = f'{parts}--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n'
    connection = http.client.HTTPConnection("127.0.0.1", server.s3_port, timeout=30)
    connection.request("POST", "/bucket", body, {"Content-Type": "multipart/form-data; boundary=b"})
    status = connection.getresponse().status
    connection.close()
    return status


def forms_of_version_2(context: Context) -> None:
    """Signature Version 2 in a form: refused unless it is set up, and then for what its policy allows."""
    for taken in (False, True):
        with Server(context.binary, drives=1, scratch=context.scratch,
                    extra_config=f"[s3]\nsignature_v2_forms = {str(taken).lower()}") as server:
            s3, secret = server.client(), server.credentials().secret_key
            s3.create_bucket("bucket")
            equal("signed", _old_form(server, secret), 204 if taken else 400)
            equal("by another key", _old_form(server, secret[::-1]), 403 if taken else 400)
            equal("more than the policy says", _old_form(server, secret, acl="private"), 403 if taken else 400)
            equal("keys", [key for key, _ in s3.list_keys("bucket")], ["in/f"] if taken else [])
            server.stop()
            records_of = [r for r in records(server, "s3:PutObject") + records(server, "s3:PostObject")
                          if r["identity"] == server.credentials().access_key]
            equal("records of the signer", len(records_of), 2 if taken else 0)


SCENARIOS = [lifecycle, lifecycle_of_versions, forms_of_version_2]
