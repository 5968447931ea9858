#!/usr/bin/env python3
"""Object Lock by boto3: every operation that knows locks. Endpoint and keys by environment."""

from __future__ import annotations

import datetime
import sys
import time
from typing import Any

from boto3_checks import Checks
from boto3_suite import expect_error

UTC = datetime.timezone.utc


def later(seconds: int) -> datetime.datetime:
    return (datetime.datetime.now(UTC) + datetime.timedelta(seconds=seconds)).replace(microsecond=0)


class ObjectLock(Checks):
    """In buckets with Object Lock; what is governed is removed by bypass afterwards."""

    subject = "object lock"

    def _make(self) -> None:
        self.s3.create_bucket(Bucket=self.bucket, ObjectLockEnabledForBucket=True)

    def _remove_version(self, version: dict[str, Any]) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=version["Key"], VersionId=version["VersionId"],
                              BypassGovernanceRetention=True)

    def _put(self, key: str, **more: Any) -> str:
        return str(self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"data", **more)["VersionId"])

    def _retain(self, key: str, mode: str, until: datetime.datetime, **more: Any) -> None:
        self.s3.put_object_retention(Bucket=self.bucket, Key=key,
                                     Retention={"Mode": mode, "RetainUntilDate": until}, **more)

    def _refused(self, key: str, version: str, **more: Any) -> None:
        error = expect_error("AccessDenied", 403, self.s3.delete_object, Bucket=self.bucket, Key=key,
                             VersionId=version, **more)
        assert "object lock" in error["Message"], error

    def check_configuration(self) -> None:
        get = self.s3.get_object_lock_configuration
        assert get(Bucket=self.bucket)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
        for retention in ({"Mode": "GOVERNANCE", "Days": 2}, {"Mode": "COMPLIANCE", "Years": 1}):
            wanted = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
            self.s3.put_object_lock_configuration(Bucket=self.bucket, ObjectLockConfiguration=wanted)
            assert get(Bucket=self.bucket)["ObjectLockConfiguration"] == wanted
        expect_error("InvalidBucketState", 409, self.s3.put_bucket_versioning, Bucket=self.bucket,
                     VersioningConfiguration={"Status": "Suspended"})
        plain = f"{self.bucket}-plain"
        self.s3.create_bucket(Bucket=plain)
        expect_error("ObjectLockConfigurationNotFoundError", 404, get, Bucket=plain)
        enable = {"ObjectLockEnabled": "Enabled"}
        expect_error("InvalidBucketState", 409, self.s3.put_object_lock_configuration, Bucket=plain,
                     ObjectLockConfiguration=enable)
        expect_error("InvalidRequest", 400, self.s3.put_object, Bucket=plain, Key="k", Body=b"x",
                     ObjectLockLegalHoldStatus="ON")
        self.s3.put_bucket_versioning(Bucket=plain, VersioningConfiguration={"Status": "Enabled"})
        self.s3.put_object_lock_configuration(Bucket=plain, ObjectLockConfiguration=enable)
        assert get(Bucket=plain)["ObjectLockConfiguration"] == enable
        self.s3.delete_bucket(Bucket=plain)

    def check_default_retention(self) -> None:
        self.s3.put_object_lock_configuration(Bucket=self.bucket, ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}})
        version = self._put("k")
        head = self.s3.head_object(Bucket=self.bucket, Key="k")
        left = head["ObjectLockRetainUntilDate"] - datetime.datetime.now(UTC)
        assert head["ObjectLockMode"] == "GOVERNANCE"
        assert datetime.timedelta(days=2, hours=23) < left <= datetime.timedelta(days=3, minutes=1), left
        self._refused("k", version)
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="parts", ObjectLockLegalHoldStatus="ON")
        part = self.s3.upload_part(Bucket=self.bucket, Key="parts", UploadId=upload["UploadId"], PartNumber=1,
                                   Body=b"part")
        done = self.s3.complete_multipart_upload(
            Bucket=self.bucket, Key="parts", UploadId=upload["UploadId"],
            MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]})
        head = self.s3.head_object(Bucket=self.bucket, Key="parts")
        assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "ON"), head
        self._refused("parts", done["VersionId"], BypassGovernanceRetention=True)
        self.s3.put_object_legal_hold(Bucket=self.bucket, Key="parts", LegalHold={"Status": "OFF"})

    def check_retention(self) -> None:
        first = self._put("k")
        expect_error("NoSuchObjectLockConfiguration", 404, self.s3.get_object_retention, Bucket=self.bucket, Key="k")
        until = later(3600)
        self._retain("k", "GOVERNANCE", until)
        assert self.s3.get_object_retention(Bucket=self.bucket, Key="k", VersionId=first)["Retention"] == {
            "Mode": "GOVERNANCE", "RetainUntilDate": until}
        self._put("k")
        self._refused("k", first)
        marker = self.s3.delete_object(Bucket=self.bucket, Key="k")
        assert marker["DeleteMarker"] is True
        self._refused("k", first)
        for mode, date in (("GOVERNANCE", later(60)), ("COMPLIANCE", later(7200))):
            expect_error("AccessDenied", 403, self._retain, key="k", mode=mode, until=date, VersionId=first)
        self._retain("k", "GOVERNANCE", later(7200), VersionId=first)
        self._retain("k", "GOVERNANCE", later(60), VersionId=first, BypassGovernanceRetention=True)
        many = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": "k", "VersionId": first}]})
        assert many["Errors"][0]["Code"] == "AccessDenied", many
        many = self.s3.delete_objects(Bucket=self.bucket, BypassGovernanceRetention=True,
                                      Delete={"Objects": [{"Key": "k", "VersionId": first}]})
        assert "Errors" not in many, many

    def check_compliance(self) -> None:
        until = later(6)
        version = self._put("k", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
        self._refused("k", version, BypassGovernanceRetention=True)
        for mode, date in (("COMPLIANCE", later(2)), ("GOVERNANCE", later(3600))):
            expect_error("AccessDenied", 403, self._retain, key="k", mode=mode, until=date,
                         BypassGovernanceRetention=True)
        expect_error("BucketNotEmpty", 409, self.s3.delete_bucket, Bucket=self.bucket)
        deadline = time.monotonic() + 60
        while datetime.datetime.now(UTC) <= until and time.monotonic() < deadline:
            time.sleep(0.2)
        self.s3.delete_object(Bucket=self.bucket, Key="k", VersionId=version)

    def check_legal_hold(self) -> None:
        version = self._put("k")
        for status in ("ON", "OFF"):
            self.s3.put_object_legal_hold(Bucket=self.bucket, Key="k", LegalHold={"Status": status})
            got = self.s3.get_object_legal_hold(Bucket=self.bucket, Key="k", VersionId=version)
            assert got["LegalHold"] == {"Status": status}
            if status == "ON":
                self._refused("k", version, BypassGovernanceRetention=True)

    def check_copies(self) -> None:
        self._put("k", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later(600))
        source = {"Bucket": self.bucket, "Key": "k"}
        self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource=source)
        assert "ObjectLockMode" not in self.s3.head_object(Bucket=self.bucket, Key="copy")
        self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource=source, ObjectLockMode="GOVERNANCE",
                            ObjectLockRetainUntilDate=later(600), ObjectLockLegalHoldStatus="OFF")
        head = self.s3.head_object(Bucket=self.bucket, Key="copy")
        assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "OFF"), head


if __name__ == "__main__":
    sys.exit(ObjectLock().run())
