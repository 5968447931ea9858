#!/usr/bin/env python3
"""Versioning by boto3: every operation that knows versions. Endpoint and keys by environment."""

from __future__ import annotations

import sys
from typing import Any

from boto3_checks import Checks
from boto3_suite import expect_error
from botocore.exceptions import ClientError

PART = 5 * 1024 * 1024


class Versioning(Checks):
    """Versions, delete markers, and what lists them."""

    subject = "versioning"

    def _set(self, status: str) -> None:
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": status})

    def _put(self, key: str, body: bytes, **more: Any) -> str:
        return str(self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **more)["VersionId"])

    def _put_new(self, key: str, body: bytes) -> str:
        """Only where there is no object. An older boto3 has no IfNoneMatch, but sends the header if it is given it."""
        if "IfNoneMatch" in self.s3.meta.service_model.operation_model("PutObject").input_shape.members:
            return self._put(key, body, IfNoneMatch="*")

        def add_header(params: dict[str, Any], **_: Any) -> None:
            params["headers"]["If-None-Match"] = "*"

        event = "before-call.s3.PutObject"
        self.s3.meta.events.register(event, add_header)
        try:
            return self._put(key, body)
        finally:
            self.s3.meta.events.unregister(event, add_header)

    def _get(self, key: str, **more: Any) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key, **more)["Body"].read())

    def _all(self, page_size: int = 1000, **more: Any) -> list[tuple[str, str, bool, bool]]:
        """Key, version id, whether it is a marker, whether it is the latest; in no order between the two kinds."""
        out = []
        for page in self.s3.get_paginator("list_object_versions").paginate(
                Bucket=self.bucket, PaginationConfig={"PageSize": page_size}, **more):
            for kind in ("Versions", "DeleteMarkers"):
                out += [(v["Key"], v["VersionId"], kind == "DeleteMarkers", v["IsLatest"])
                        for v in page.get(kind, [])]
        return out

    def check_configuration(self) -> None:
        assert "Status" not in self.s3.get_bucket_versioning(Bucket=self.bucket)
        for status in ("Enabled", "Suspended", "Enabled"):
            self._set(status)
            assert self.s3.get_bucket_versioning(Bucket=self.bucket)["Status"] == status
        expect_error("NotImplemented", 501, self.s3.put_bucket_versioning, Bucket=self.bucket,
                     VersioningConfiguration={"Status": "Enabled", "MFADelete": "Enabled"})
        expect_error("IllegalVersioningConfigurationException", 400, self.s3.put_bucket_versioning,
                     Bucket=self.bucket, VersioningConfiguration={})
        expect_error("NoSuchBucket", 404, self.s3.put_bucket_versioning, Bucket="no-such-bucket-here",
                     VersioningConfiguration={"Status": "Enabled"})

    def check_unversioned(self) -> None:
        answer = self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"x")
        assert "VersionId" not in answer, answer
        assert "VersionId" not in self.s3.get_object(Bucket=self.bucket, Key="k")
        assert self._all() == [("k", "null", False, True)]
        assert self.s3.get_object(Bucket=self.bucket, Key="k", VersionId="null")["VersionId"] == "null"
        assert "DeleteMarker" not in self.s3.delete_object(Bucket=self.bucket, Key="k")
        assert self._all() == []

    def check_put_get_delete(self) -> None:
        self._set("Enabled")
        first, second = self._put("dir/k", b"one"), self._put("dir/k", b"two" * 100_000)
        assert first != second and len(first) <= 32
        assert self._get("dir/k") == b"two" * 100_000
        assert self._get("dir/k", VersionId=first) == b"one"
        head = self.s3.head_object(Bucket=self.bucket, Key="dir/k", VersionId=first)
        assert (head["ContentLength"], head["VersionId"]) == (3, first), head
        deleted = self.s3.delete_object(Bucket=self.bucket, Key="dir/k")
        marker = deleted["VersionId"]
        assert deleted["DeleteMarker"] is True
        assert self.s3.list_objects_v2(Bucket=self.bucket)["KeyCount"] == 0
        try:
            self._get("dir/k")
            raise AssertionError("a deleted key was read")
        except ClientError as error:
            headers = error.response["ResponseMetadata"]["HTTPHeaders"]
            assert error.response["Error"]["Code"] == "NoSuchKey"
            assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", marker), headers
        try:
            self._get("dir/k", VersionId=marker)
            raise AssertionError("a delete marker was read")
        except ClientError as error:
            headers = error.response["ResponseMetadata"]["HTTPHeaders"]
            assert error.response["Error"]["Code"] == "MethodNotAllowed"
            assert (headers["x-amz-delete-marker"], headers["allow"]) == ("true", "DELETE"), headers
        assert self._all() == [("dir/k", second, False, False), ("dir/k", first, False, False),
                               ("dir/k", marker, True, True)]
        undone = self.s3.delete_object(Bucket=self.bucket, Key="dir/k", VersionId=marker)
        assert (undone["DeleteMarker"], undone["VersionId"]) == (True, marker)
        assert self._get("dir/k") == b"two" * 100_000
        self.s3.delete_object(Bucket=self.bucket, Key="dir/k", VersionId=second)
        assert self._get("dir/k") == b"one"
        expect_error("BucketNotEmpty", 409, self.s3.delete_bucket, Bucket=self.bucket)

    def check_ids(self) -> None:
        self._set("Enabled")
        version = self._put("k", b"x")
        expect_error("InvalidArgument", 400, self.s3.get_object, Bucket=self.bucket, Key="k", VersionId="bogus")
        expect_error("InvalidArgument", 400, self.s3.delete_object, Bucket=self.bucket, Key="k", VersionId="bogus")
        expect_error("NoSuchVersion", 404, self.s3.get_object, Bucket=self.bucket, Key="other", VersionId=version)
        expect_error("NoSuchVersion", 404, self.s3.get_object, Bucket=self.bucket, Key="k", VersionId="null")
        self.s3.delete_object(Bucket=self.bucket, Key="k", VersionId=version)
        self.s3.delete_object(Bucket=self.bucket, Key="k", VersionId=version)  # gone already: no error

    def check_suspended(self) -> None:
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"before")
        self._set("Enabled")
        assert self.s3.head_object(Bucket=self.bucket, Key="k")["VersionId"] == "null"
        version = self._put("k", b"enabled")
        self._set("Suspended")
        assert "VersionId" not in self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"suspended")
        assert self._get("k", VersionId="null") == b"suspended"
        assert self._all() == [("k", "null", False, True), ("k", version, False, False)]
        deleted = self.s3.delete_object(Bucket=self.bucket, Key="k")
        assert (deleted["DeleteMarker"], deleted["VersionId"]) == (True, "null")
        assert self._all() == [("k", version, False, False), ("k", "null", True, True)]

    def check_copy_and_multipart(self) -> None:
        self._set("Enabled")
        first = self._put("k", b"a" * PART)
        second = self._put("k", b"b")
        source = {"Bucket": self.bucket, "Key": "k", "VersionId": first}
        copied = self.s3.copy_object(Bucket=self.bucket, Key="k", CopySource=source)
        assert copied["CopySourceVersionId"] == first and copied["VersionId"] not in (first, second)
        assert self._get("k") == b"a" * PART
        marker = self.s3.delete_object(Bucket=self.bucket, Key="k")["VersionId"]
        expect_error("InvalidRequest", 400, self.s3.copy_object, Bucket=self.bucket, Key="x",
                     CopySource={"Bucket": self.bucket, "Key": "k", "VersionId": marker})
        expect_error("NoSuchKey", 404, self.s3.copy_object, Bucket=self.bucket, Key="x",
                     CopySource={"Bucket": self.bucket, "Key": "k"})
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="m")["UploadId"]
        part = self.s3.upload_part_copy(Bucket=self.bucket, Key="m", UploadId=upload, PartNumber=1, CopySource=source)
        assert part["CopySourceVersionId"] == first
        made = self.s3.complete_multipart_upload(
            Bucket=self.bucket, Key="m", UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]})
        assert self._get("m", VersionId=made["VersionId"]) == b"a" * PART
        attributes = self.s3.get_object_attributes(Bucket=self.bucket, Key="k", VersionId=second,
                                                   ObjectAttributes=["ObjectSize", "ETag"])
        assert (attributes["ObjectSize"], attributes["VersionId"]) == (1, second), attributes
        tags = self.s3.get_object_tagging(Bucket=self.bucket, Key="k", VersionId=second)
        assert tags["TagSet"] == []

    def check_conditional_writes(self) -> None:
        self._set("Enabled")
        self._put_new("k", b"1")
        expect_error("PreconditionFailed", 412, self._put_new, key="k", body=b"2")
        assert self._get("k") == b"1"
        self.s3.delete_object(Bucket=self.bucket, Key="k")
        self._put_new("k", b"2")  # a delete marker is no object
        assert self._get("k") == b"2"

    def check_delete_objects(self) -> None:
        self._set("Enabled")
        versions = [self._put("k", bytes([n])) for n in range(3)]
        answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [
            {"Key": "k", "VersionId": versions[0]}, {"Key": "k"}, {"Key": "never/was"}]})
        deleted = answer["Deleted"]
        assert deleted[0] == {"Key": "k", "VersionId": versions[0]}, deleted
        assert deleted[1]["DeleteMarker"] is True and deleted[2]["DeleteMarker"] is True
        marker = deleted[1]["DeleteMarkerVersionId"]
        again = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": "k", "VersionId": marker}]})
        assert again["Deleted"] == [{"Key": "k", "VersionId": marker, "DeleteMarker": True,
                                     "DeleteMarkerVersionId": marker}], again
        assert self._get("k") == bytes([2])

    def check_listing(self) -> None:
        self._set("Enabled")
        for key in ("a", "a", "a/b", "a/c", "a/c", "b/d/e", "odd key\u00fc"):
            self._put(key, key.encode())
        self.s3.delete_object(Bucket=self.bucket, Key="a/b")
        whole = sorted(self._all())
        assert len(whole) == 8 and sum(latest for *_, latest in whole) == 5
        for size in (1, 2, 3):
            assert sorted(self._all(size)) == whole, size
        page = self.s3.list_object_versions(Bucket=self.bucket, Delimiter="/")
        assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["a/", "b/"]
        assert [v["Key"] for v in page["Versions"]] == ["a", "a", "odd key\u00fc"]
        below = self.s3.list_object_versions(Bucket=self.bucket, Prefix="a/", MaxKeys=1)
        assert below["IsTruncated"] and below["DeleteMarkers"][0]["Key"] == "a/b"
        rest = self.s3.list_object_versions(Bucket=self.bucket, Prefix="a/", KeyMarker=below["NextKeyMarker"],
                                            VersionIdMarker=below["NextVersionIdMarker"])
        assert [v["Key"] for v in rest["Versions"]] == ["a/b", "a/c", "a/c"], rest


if __name__ == "__main__":
    sys.exit(Versioning().run())
