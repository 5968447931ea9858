"""What settings of buckets make the server do by itself."""

from __future__ import annotations

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


SCENARIOS = [lifecycle]
