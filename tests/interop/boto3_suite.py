#!/usr/bin/env python3
"""The boto3 checks; run by several interpreters, each with its own boto3. Endpoint and keys by environment."""

from __future__ import annotations

import datetime
import hashlib
import io
import os
import sys
import time
import traceback
import urllib.error
import urllib.request
import uuid
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from checksums import ALGORITHMS, FIXED, FIXED_DATA

MIB = 1024 * 1024
ENDPOINT = os.environ["OUTCROP_TEST_ENDPOINT"]
ODD_KEYS = [
    "plain", "with space", "plus+plus", "a//b", "/leading", "dir/", "dir/file", "a/../b", "./x", "%2F%20literal",
    "quote'\"amp&lt<gt>", "tab\tkey", "ünïcödé/ß", "\U0001F5FB", "=#?;:@,$!*()", "tilde~-_.", "k" * 1024,
]


def expect_error(code: str, status: int, call: Any, **arguments: Any) -> dict[str, Any]:
    """The call must fail with this code and status; returns the error part."""
    try:
        call(**arguments)
    except ClientError as error:
        got = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (code, status), f"got {got}, want {(code, status)}"
        return dict(error.response["Error"])
    raise AssertionError(f"no error, want {code}")


class Suite:
    """One bucket, one client; each check_ method is independent of the others."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3", endpoint_url=ENDPOINT, config=Config(
            signature_version="s3v4", retries={"max_attempts": 0}, read_timeout=30, s3={"addressing_style": "path"}))
        self.bucket = f"boto3-{uuid.uuid4().hex[:12]}"

    def _body(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def _has(self, operation: str, member: str) -> bool:
        return member in self.s3.meta.service_model.operation_model(operation).input_shape.members

    def _tags(self, key: str) -> dict[str, str]:
        return {t["Key"]: t["Value"] for t in self.s3.get_object_tagging(Bucket=self.bucket, Key=key)["TagSet"]}

    def check_object_tags(self) -> None:
        self.s3.put_object(Bucket=self.bucket, Key="tags/a", Body=b"x", Tagging="team=red&note=a+b%2Fc")
        assert self._tags("tags/a") == {"team": "red", "note": "a b/c"}
        before = self.s3.head_object(Bucket=self.bucket, Key="tags/a")
        assert before["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"] == "2"
        self.s3.put_object_tagging(Bucket=self.bucket, Key="tags/a", Tagging={"TagSet": [{"Key": "ä", "Value": ""}]})
        after = self.s3.head_object(Bucket=self.bucket, Key="tags/a")
        assert (before["ETag"], before["LastModified"]) == (after["ETag"], after["LastModified"])
        self.s3.copy_object(Bucket=self.bucket, Key="tags/b", CopySource={"Bucket": self.bucket, "Key": "tags/a"})
        assert self._tags("tags/b") == {"ä": ""}
        self.s3.copy_object(Bucket=self.bucket, Key="tags/b", CopySource={"Bucket": self.bucket, "Key": "tags/a"},
                            TaggingDirective="REPLACE", Tagging="k=v")
        assert self._tags("tags/b") == {"k": "v"}
        self.s3.delete_object_tagging(Bucket=self.bucket, Key="tags/b")
        assert self._tags("tags/b") == {}
        expect_error("BadRequest", 400, self.s3.put_object_tagging, Bucket=self.bucket, Key="tags/a", Tagging={
            "TagSet": [{"Key": str(i), "Value": ""} for i in range(11)]})
        expect_error("InvalidTag", 400, self.s3.put_object_tagging, Bucket=self.bucket, Key="tags/a", Tagging={
            "TagSet": [{"Key": "k" * 129, "Value": ""}]})
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="tags/m", Tagging="part=yes")["UploadId"]
        part = self.s3.upload_part(Bucket=self.bucket, Key="tags/m", UploadId=upload, PartNumber=1, Body=b"1")
        self.s3.complete_multipart_upload(Bucket=self.bucket, Key="tags/m", UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
        assert self._tags("tags/m") == {"part": "yes"}

    def check_bucket_tags(self) -> None:
        expect_error("NoSuchTagSet", 404, self.s3.get_bucket_tagging, Bucket=self.bucket)
        tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
        self.s3.put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": tags})
        assert self.s3.get_bucket_tagging(Bucket=self.bucket)["TagSet"] == tags
        self.s3.delete_bucket_tagging(Bucket=self.bucket)
        expect_error("NoSuchTagSet", 404, self.s3.get_bucket_tagging, Bucket=self.bucket)

    def check_cors(self) -> None:
        expect_error("NoSuchCORSConfiguration", 404, self.s3.get_bucket_cors, Bucket=self.bucket)
        rules = [{"ID": "pages", "AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["GET", "PUT"],
                  "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 30}]
        self.s3.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": rules})
        assert self.s3.get_bucket_cors(Bucket=self.bucket)["CORSRules"] == rules
        self.s3.put_object(Bucket=self.bucket, Key="cors", Body=b"x")
        url = self.s3.generate_presigned_url("get_object", Params={"Bucket": self.bucket, "Key": "cors"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *self._tls_handlers())
        origin = {"Origin": "https://a.example.com"}
        for method, headers in (("OPTIONS", {"Access-Control-Request-Method": "GET",
                                             "Access-Control-Request-Headers": "x-test"}), ("GET", {})):
            request = urllib.request.Request(url, method=method, headers=origin | headers)
            with opener.open(request, timeout=30) as answer:
                got = {name.lower(): value for name, value in answer.headers.items()}
            assert got["access-control-allow-origin"] == origin["Origin"], got
            assert got["access-control-allow-methods"] == "GET, PUT", got
            assert got["access-control-expose-headers"] == "ETag", got
            assert got["access-control-max-age"] == "30", got
            assert got["access-control-allow-credentials"] == "true", got
            assert "origin" in got["vary"].lower(), got
            assert got.get("access-control-allow-headers") == headers.get("Access-Control-Request-Headers"), got
        try:
            opener.open(urllib.request.Request(url, method="OPTIONS", headers={
                "Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}), timeout=30)
            raise AssertionError("a foreign origin got a preflight")
        except urllib.error.HTTPError as refused:
            assert refused.code == 403 and b"AccessForbidden" in refused.read()
        self.s3.delete_bucket_cors(Bucket=self.bucket)

    def check_browser_upload(self) -> None:
        form = self.s3.generate_presigned_post(
            self.bucket, "inbox/${filename}", ExpiresIn=60, Fields={"success_action_status": "201", "Content-Type": "text/x"},
            Conditions=[["starts-with", "$key", "inbox/"], ["content-length-range", 1, 300_000],
                        {"success_action_status": "201"}, ["eq", "$Content-Type", "text/x"]])
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *self._tls_handlers())

        def post(fields: dict[str, str], data: bytes) -> int:
            parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
            parts.append('--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n')
            body = "".join(parts).encode() + data + b"\r\n--b--\r\n"
            request = urllib.request.Request(form["url"], data=body, method="POST",
                                             headers={"Content-Type": "multipart/form-data; boundary=b"})
            try:
                with opener.open(request, timeout=30) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return error.code

        data = os.urandom(300_000)
        assert post(form["fields"], data) == 201
        assert self._body("inbox/a.bin") == data
        assert self.s3.head_object(Bucket=self.bucket, Key="inbox/a.bin")["ContentType"] == "text/x"
        assert post(form["fields"], data + b"x") == 400
        assert post(form["fields"] | {"key": "other/${filename}"}, b"x") == 403
        assert post(form["fields"] | {"x-amz-meta-a": "b"}, b"x") == 403
        assert post(form["fields"] | {"x-amz-signature": "0" * 64}, b"x") == 403
        assert self._body("inbox/a.bin") == data

    def check_lifecycle_rules(self) -> None:
        expect_error("NoSuchLifecycleConfiguration", 404, self.s3.get_bucket_lifecycle_configuration, Bucket=self.bucket)
        rules = [{"ID": "a", "Status": "Enabled", "Expiration": {"Days": 3},
                  "Filter": {"And": {"Prefix": "lc/", "Tags": [{"Key": "k", "Value": "v"}]}}},
                 {"ID": "b", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {
                     "Date": datetime.datetime(2031, 1, 1, tzinfo=datetime.timezone.utc)}},
                 {"ID": "c", "Status": "Enabled", "Filter": {"Prefix": "up/"},
                  "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 9}},
                 {"ID": "d", "Status": "Enabled", "Filter": {"Prefix": "old/"},
                  "Expiration": {"ExpiredObjectDeleteMarker": True},
                  "NoncurrentVersionExpiration": {"NoncurrentDays": 5, "NewerNoncurrentVersions": 2}}]
        self.s3.put_bucket_lifecycle_configuration(Bucket=self.bucket, LifecycleConfiguration={"Rules": rules})
        got = self.s3.get_bucket_lifecycle_configuration(Bucket=self.bucket)["Rules"]
        assert got == rules, got
        self.s3.put_object(Bucket=self.bucket, Key="lc/k", Body=b"x", Tagging="k=v")
        assert 'rule-id="a"' in self.s3.head_object(Bucket=self.bucket, Key="lc/k")["Expiration"]
        assert "Expiration" not in self.s3.put_object(Bucket=self.bucket, Key="lc/plain", Body=b"x")
        expect_error("NotImplemented", 501, self.s3.put_bucket_lifecycle_configuration, Bucket=self.bucket,
                     LifecycleConfiguration={"Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [
                         {"Days": 1, "StorageClass": "GLACIER"}]}]})
        self.s3.delete_bucket_lifecycle(Bucket=self.bucket)
        expect_error("NoSuchLifecycleConfiguration", 404, self.s3.get_bucket_lifecycle_configuration, Bucket=self.bucket)

    def check_acls(self) -> None:
        self.s3.put_object(Bucket=self.bucket, Key="acl", Body=b"x", ACL="bucket-owner-full-control")
        acl = self.s3.get_object_acl(Bucket=self.bucket, Key="acl")
        assert [g["Permission"] for g in acl["Grants"]] == ["FULL_CONTROL"], acl
        assert acl["Grants"][0]["Grantee"]["ID"] == acl["Owner"]["ID"]
        self.s3.put_object_acl(Bucket=self.bucket, Key="acl", AccessControlPolicy={
            "Grants": acl["Grants"], "Owner": acl["Owner"]})
        self.s3.put_bucket_acl(Bucket=self.bucket, ACL="private")
        expect_error("AccessControlListNotSupported", 400, self.s3.put_bucket_acl, Bucket=self.bucket, ACL="public-read")
        expect_error("AccessControlListNotSupported", 400, self.s3.put_object, Bucket=self.bucket, Key="acl", Body=b"",
                     ACL="public-read")
        controls = self.s3.get_bucket_ownership_controls(Bucket=self.bucket)["OwnershipControls"]
        assert controls == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        self.s3.delete_bucket_ownership_controls(Bucket=self.bucket)
        expect_error("OwnershipControlsNotFoundError", 404, self.s3.get_bucket_ownership_controls, Bucket=self.bucket)
        grants = {"GrantRead": f'id={acl["Owner"]["ID"]}'}
        self.s3.put_object_acl(Bucket=self.bucket, Key="acl", **grants)
        assert [g["Permission"] for g in self.s3.get_object_acl(Bucket=self.bucket, Key="acl")["Grants"]] == ["READ"]
        expect_error("AccessDenied", 403, self.s3.put_object_acl, Bucket=self.bucket, Key="acl", ACL="public-read")
        self.s3.put_bucket_ownership_controls(Bucket=self.bucket, OwnershipControls=controls)
        assert self.s3.get_bucket_ownership_controls(Bucket=self.bucket)["OwnershipControls"] == controls

    def check_put_get_head(self) -> None:
        data = os.urandom(300_000)
        answer = self.s3.put_object(Bucket=self.bucket, Key="pgh", Body=data, ContentType="text/x-test",
                                    CacheControl="max-age=7", Metadata={"colour": "blue"})
        assert answer["ETag"] == f'"{hashlib.md5(data).hexdigest()}"', answer["ETag"]
        head = self.s3.head_object(Bucket=self.bucket, Key="pgh")
        assert (head["ContentLength"], head["ContentType"], head["CacheControl"], head["Metadata"]) == (
            len(data), "text/x-test", "max-age=7", {"colour": "blue"}), head
        age = datetime.datetime.now(datetime.timezone.utc) - head["LastModified"]
        assert abs(age.total_seconds()) < 300, age
        assert self._body("pgh") == data

    def check_empty_objects_do_not_stall(self) -> None:
        began = time.monotonic()
        for number in range(5):
            self.s3.put_object(Bucket=self.bucket, Key=f"empty/{number}", Body=b"")
            self.s3.put_object(Bucket=self.bucket, Key=f"full/{number}", Body=b"x")
        assert time.monotonic() - began < 8, "an empty PUT held up the next one"
        assert self._body("empty/0") == b"" and self._body("full/4") == b"x"

    def check_listing(self) -> None:
        keys = sorted([f"list/{n:03d}" for n in range(25)] + ["list/d1/a", "list/d1/b", "list/d2/c"])
        for key in keys:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=key.encode())
        for name in ("list_objects_v2", "list_objects"):
            pages = list(self.s3.get_paginator(name).paginate(
                Bucket=self.bucket, Prefix="list/", PaginationConfig={"PageSize": 7}))
            assert len(pages) == 4, f"{name}: {len(pages)} pages"
            assert [e["Key"] for p in pages for e in p["Contents"]] == keys, name
        page = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="list/", Delimiter="/")
        assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["list/d1/", "list/d2/"]
        assert page["KeyCount"] == 27 and len(page["Contents"]) == 25
        after = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="list/", StartAfter="list/d1/a", MaxKeys=2)
        assert [e["Key"] for e in after["Contents"]] == ["list/d1/b", "list/d2/c"]

    def check_multipart(self) -> None:
        data = os.urandom(17 * MIB + 3)
        config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
        self.s3.upload_fileobj(io.BytesIO(data), self.bucket, "mp", Config=config)
        head = self.s3.head_object(Bucket=self.bucket, Key="mp")
        assert head["ETag"].endswith('-4"') and head["ContentLength"] == len(data), head["ETag"]
        out = io.BytesIO()
        self.s3.download_fileobj(self.bucket, "mp", out, Config=config)
        assert out.getvalue() == data, "download differs"
        part = self.s3.get_object(Bucket=self.bucket, Key="mp", PartNumber=2)
        assert part["Body"].read() == data[5 * MIB:10 * MIB] and part["PartsCount"] == 4
        copied = {"Bucket": self.bucket, "Key": "mp"}
        self.s3.copy(copied, self.bucket, "mp-copy", Config=config)
        assert self._body("mp-copy") == data, "multipart copy differs"

    def check_multipart_steps(self) -> None:
        where = {"Bucket": self.bucket, "Key": "steps"}
        upload = self.s3.create_multipart_upload(**where)["UploadId"]
        small = [b"a" * (5 * MIB), b"b" * 10]
        tags = [self.s3.upload_part(**where, UploadId=upload, PartNumber=n, Body=b)["ETag"]
                for n, b in enumerate(small, 1)]
        listed = self.s3.list_parts(**where, UploadId=upload)["Parts"]
        assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in listed] == [(1, 5 * MIB, tags[0]), (2, 10, tags[1])]
        uploads = self.s3.list_multipart_uploads(Bucket=self.bucket)["Uploads"]
        assert upload in [u["UploadId"] for u in uploads]
        expect_error("InvalidPart", 400, self.s3.complete_multipart_upload, **where, UploadId=upload,
                     MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": '"' + "0" * 32 + '"'}]})
        parts = [{"PartNumber": n, "ETag": t} for n, t in enumerate(tags, 1)]
        self.s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
        assert self._body("steps") == b"".join(small)
        aborted = self.s3.create_multipart_upload(**where)["UploadId"]
        self.s3.abort_multipart_upload(**where, UploadId=aborted)
        expect_error("NoSuchUpload", 404, self.s3.upload_part, **where, UploadId=aborted, PartNumber=1, Body=b"x")

    def check_copy(self) -> None:
        self.s3.put_object(Bucket=self.bucket, Key="src é+", Body=b"copy me", Metadata={"a": "1"}, ContentType="text/a")
        source = {"Bucket": self.bucket, "Key": "src é+"}
        self.s3.copy_object(Bucket=self.bucket, Key="dst", CopySource=source)
        head = self.s3.head_object(Bucket=self.bucket, Key="dst")
        assert (head["Metadata"], head["ContentType"]) == ({"a": "1"}, "text/a") and self._body("dst") == b"copy me"
        self.s3.copy_object(Bucket=self.bucket, Key="dst", CopySource=source, MetadataDirective="REPLACE",
                            Metadata={"b": "2"})
        assert self.s3.head_object(Bucket=self.bucket, Key="dst")["Metadata"] == {"b": "2"}
        expect_error("NoSuchKey", 404, self.s3.copy_object, Bucket=self.bucket, Key="dst",
                     CopySource={"Bucket": self.bucket, "Key": "not there"})
        expect_error("PreconditionFailed", 412, self.s3.copy_object, Bucket=self.bucket, Key="dst", CopySource=source,
                     CopySourceIfMatch='"0"')

    def check_delete_objects(self) -> None:
        keys = [f"del/{n}" for n in range(30)]
        for key in keys:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"x")
        wanted = {"Objects": [{"Key": k} for k in [*keys, "del/never there"]]}
        answer = self.s3.delete_objects(Bucket=self.bucket, Delete=wanted)
        assert len(answer["Deleted"]) == 31 and "Errors" not in answer
        quiet = self.s3.delete_objects(Bucket=self.bucket, Delete=wanted | {"Quiet": True})
        assert "Deleted" not in quiet
        assert self.s3.list_objects_v2(Bucket=self.bucket, Prefix="del/")["KeyCount"] == 0

    def check_conditionals(self) -> None:
        where = {"Bucket": self.bucket, "Key": "cond"}
        tag = self.s3.put_object(**where, Body=b"one")["ETag"]
        past = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
        assert self.s3.get_object(**where, IfMatch=tag)["Body"].read() == b"one"
        expect_error("PreconditionFailed", 412, self.s3.get_object, **where, IfMatch='"other"')
        expect_error("304", 304, self.s3.get_object, **where, IfNoneMatch=tag)
        expect_error("PreconditionFailed", 412, self.s3.get_object, **where, IfUnmodifiedSince=past)
        assert self.s3.get_object(**where, IfModifiedSince=past)["Body"].read() == b"one"
        if self._has("PutObject", "IfNoneMatch"):
            expect_error("PreconditionFailed", 412, self.s3.put_object, **where, Body=b"two", IfNoneMatch="*")
            self.s3.put_object(Bucket=self.bucket, Key="cond-new", Body=b"new", IfNoneMatch="*")
        if self._has("PutObject", "IfMatch"):
            expect_error("PreconditionFailed", 412, self.s3.put_object, **where, Body=b"two", IfMatch='"0"')
            self.s3.put_object(**where, Body=b"two", IfMatch=tag)
            assert self._body("cond") == b"two"

    def check_checksums(self) -> None:
        data, checked = b"checksum me" * 1000, 0
        for name, compute in ALGORITHMS.items():
            member = f"Checksum{name}"
            if not self._has("PutObject", member):
                continue
            key, value = f"sum/{name}", compute(data)
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=data, **{member: value})
            head = self.s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
            assert head.get(member) == value, f"{name}: {head.get(member)} instead of {value}"
            assert self._body(key) == data
            try:
                self.s3.put_object(Bucket=self.bucket, Key=f"{key}-bad", Body=data, **{member: compute(b"other")})
            except ClientError as error:
                assert error.response["Error"]["Code"] in {"BadDigest", "XAmzContentChecksumMismatch"}, error
            else:
                raise AssertionError(f"a wrong {name} was accepted")
            expect_error("404", 404, self.s3.head_object, Bucket=self.bucket, Key=f"{key}-bad")
            checked += 1
        for name, value in FIXED.items():
            member = f"Checksum{name}"
            if not self._has("PutObject", member):
                continue
            put = self.s3.put_object(Bucket=self.bucket, Key=f"sum/{name}", Body=FIXED_DATA, **{member: value})
            assert put.get(member) == value, put
            attributes = self.s3.get_object_attributes(Bucket=self.bucket, Key=f"sum/{name}",
                                                       ObjectAttributes=["Checksum"])["Checksum"]
            assert (attributes[member], attributes["ChecksumType"]) == (value, "FULL_OBJECT"), attributes
            copy = self.s3.copy_object(Bucket=self.bucket, Key="sum/copy",
                                       CopySource={"Bucket": self.bucket, "Key": f"sum/{name}"})["CopyObjectResult"]
            assert copy.get(member) == value, copy
            expect_error("BadDigest", 400, self.s3.put_object, Bucket=self.bucket, Key="sum/bad", Body=b"1",
                         **{member: value})
        assert checked >= 4, f"this boto3 knows only {checked} of the checksums"

    def check_append(self) -> None:
        if not self._has("PutObject", "WriteOffsetBytes"):
            return
        where = {"Bucket": self.bucket, "Key": "append/log"}
        expect_error("InvalidWriteOffset", 400, self.s3.put_object, **where, Body=b"x", WriteOffsetBytes=1)
        content = b""
        for piece in (b"one\n", b"t" * 3000, b"m" * (MIB + 1), b"end"):
            put = self.s3.put_object(**where, Body=piece, WriteOffsetBytes=len(content), ChecksumAlgorithm="CRC32")
            content += piece
            assert put["Size"] == len(content), put
            expect_error("InvalidWriteOffset", 400, self.s3.put_object, **where, Body=b"x",
                         WriteOffsetBytes=len(content) - 1)
        assert self._body("append/log") == content
        head = self.s3.head_object(**where, ChecksumMode="ENABLED")
        assert (head["ETag"], head["ChecksumCRC32"]) == (put["ETag"], ALGORITHMS["CRC32"](content)), head
        expect_error("InvalidRequest", 400, self.s3.put_object, **where, Body=b"x", WriteOffsetBytes=len(content),
                     Metadata={"a": "b"})

    def check_presigned(self) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *self._tls_handlers())
        where = {"Bucket": self.bucket, "Key": "signed é"}
        put = self.s3.generate_presigned_url("put_object", Params=where, ExpiresIn=60)
        with opener.open(urllib.request.Request(put, data=b"by url", method="PUT"), timeout=30) as answer:
            assert answer.status == 200
        get = self.s3.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
        with opener.open(get, timeout=30) as answer:
            assert answer.read() == b"by url"
        try:
            opener.open(get.replace("signed", "Signed"), timeout=30)
        except urllib.error.HTTPError as error:
            assert error.code == 403, error.code
        else:
            raise AssertionError("a changed presigned URL was accepted")

    @staticmethod
    def _tls_handlers() -> list[urllib.request.BaseHandler]:
        import ssl
        bundle = os.environ.get("AWS_CA_BUNDLE")
        return [urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=bundle))] if bundle else []

    def check_streaming_bodies(self) -> None:
        data = os.urandom(3 * MIB + 11)

        class Unseekable(io.RawIOBase):
            """A source that can only be read once, from front to back."""

            def __init__(self) -> None:
                self._rest = io.BytesIO(data)

            def readable(self) -> bool:
                return True

            def read(self, size: int = -1) -> bytes:
                return self._rest.read(size)

        self.s3.upload_fileobj(Unseekable(), self.bucket, "stream")
        body = self.s3.get_object(Bucket=self.bucket, Key="stream")["Body"]
        got = b"".join(iter(lambda: body.read(70_000), b""))
        assert got == data
        for byte_range, want in {"bytes=0-0": data[:1], "bytes=-5": data[-5:], "bytes=100-": data[100:]}.items():
            part = self.s3.get_object(Bucket=self.bucket, Key="stream", Range=byte_range)
            assert part["Body"].read() == want and part["ResponseMetadata"]["HTTPStatusCode"] == 206, byte_range
        expect_error("InvalidRange", 416, self.s3.get_object, Bucket=self.bucket, Key="stream",
                     Range=f"bytes={len(data)}-")

    def check_odd_keys(self) -> None:
        for key in ODD_KEYS:
            self.s3.put_object(Bucket=self.bucket, Key="odd/" + key[:1020], Body=key.encode())
        want = sorted(("odd/" + k[:1020] for k in ODD_KEYS), key=lambda k: k.encode())
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix="odd/", PaginationConfig={"PageSize": 3})
        got = [e["Key"] for p in pages for e in p.get("Contents", [])]
        assert got == want, f"listed {got}, want {want}"
        for key in ODD_KEYS:
            assert self._body("odd/" + key[:1020]) == key.encode(), key
            self.s3.delete_object(Bucket=self.bucket, Key="odd/" + key[:1020])
        assert self.s3.list_objects_v2(Bucket=self.bucket, Prefix="odd/")["KeyCount"] == 0

    def check_errors(self) -> None:
        error = expect_error("NoSuchKey", 404, self.s3.get_object, Bucket=self.bucket, Key="missing")
        assert error["Message"] == "The specified key does not exist.", error
        expect_error("NoSuchBucket", 404, self.s3.list_objects_v2, Bucket="no-such-bucket-here")
        self.s3.put_object(Bucket=self.bucket, Key="stays", Body=b"x")
        self.s3.create_bucket(Bucket=self.bucket)  # in us-east-1 that is no error
        expect_error("BucketAlreadyOwnedByYou", 409, self.s3.create_bucket, Bucket=self.bucket,
                     CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        assert self._body("stays") == b"x"
        expect_error("BucketNotEmpty", 409, self.s3.delete_bucket, Bucket=self.bucket)
        head = self.s3.head_bucket(Bucket=self.bucket)["ResponseMetadata"]["HTTPHeaders"]
        assert head.get("x-amz-bucket-region") == "us-east-1", head
        assert self.s3.get_bucket_location(Bucket=self.bucket)["LocationConstraint"] is None

    def run(self) -> int:
        self.s3.create_bucket(Bucket=self.bucket)
        failed = 0
        for name in [n for n in dir(self) if n.startswith("check_")]:
            try:
                getattr(self, name)()
            except Exception as error:  # every check reports, none hides the next
                failed += 1
                line = traceback.extract_tb(error.__traceback__)[1].lineno
                print(f"FAIL {name}, line {line}: {type(error).__name__}: {error}")
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for entry in page.get("Contents", []):
                self.s3.delete_object(Bucket=self.bucket, Key=entry["Key"])
        self.s3.delete_bucket(Bucket=self.bucket)
        print(f"boto3 {boto3.__version__} on {ENDPOINT.split(':')[0]}: {failed} checks failed")
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(Suite().run())
