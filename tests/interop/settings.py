"""What settings of buckets make the server do by itself."""

from __future__ import annotations

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


SCENARIOS = [lifecycle, lifecycle_of_versions]
