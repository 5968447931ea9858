#!/usr/bin/env python3
"""Encryption by boto3, over TLS: every mode on every operation. Endpoint, keys and KMS key ids by environment."""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import sys
import urllib.request
from typing import Any

from boto3_checks import Checks
from boto3_suite import expect_error

MIB = 1024 * 1024
PART = 5 * MIB
KMS = os.environ["OUTCROP_TEST_KMS_KEYS"].split(",")
SIZES = [0, 1, 1024, 2049, 65536, 65537, 200_000, 3 * MIB + 17]  # inline, one unit and more, small and striped
Args = dict[str, Any]


def client_key(letter: str) -> Args:
    """SSE-C with a key of one letter, as it is on the wire: older boto3 encodes it for some operations only."""
    key = letter.encode() * 32
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": base64.b64encode(key).decode(),
            "SSECustomerKeyMD5": base64.b64encode(hashlib.md5(key).digest()).decode()}


def source_of(key: Args) -> Args:
    """The same key for the source of a copy."""
    return {"CopySource" + name: value for name, value in key.items()}


class Mode:
    """How to write, read and copy from one mode, and what answers say of it."""

    def __init__(self, name: str, write: Args, read: Args, said: Args) -> None:
        self.name, self.write, self.read, self.said = name, write, read, said

    def check(self, answer: Args) -> None:
        """The answer tells this mode and no other."""
        members = ("ServerSideEncryption", "SSEKMSKeyId", "SSECustomerAlgorithm")
        got = {name: answer[name] for name in members if name in answer}
        assert got == self.said, f"{self.name}: got {got}, want {self.said}"


def modes(letter: str, kms: str) -> list[Mode]:
    """All four."""
    key = client_key(letter)
    return [Mode("plain", {}, {}, {}),
            Mode("s3", {"ServerSideEncryption": "AES256"}, {}, {"ServerSideEncryption": "AES256"}),
            Mode("kms", {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms}, {},
                 {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms}),
            Mode("c", key, key, {"SSECustomerAlgorithm": "AES256"})]


def payload(size: int, seed: int = 1) -> bytes:
    """Bytes that differ everywhere."""
    return hashlib.shake_128(seed.to_bytes(4)).digest(size)


class Encryption(Checks):
    """All modes."""

    subject = "encryption"

    def _get(self, key: str, **more: Any) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key, **more)["Body"].read())

    def _put(self, key: str, body: bytes, **more: Any) -> Args:
        return dict(self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **more))

    def _upload(self, key: str, mode: Mode, parts: list[bytes], **checksums: str) -> Args:
        created = self.s3.create_multipart_upload(Bucket=self.bucket, Key=key, **mode.write, **checksums)
        mode.check(created)
        where = {"Bucket": self.bucket, "Key": key, "UploadId": created["UploadId"]}
        done = []
        for number, body in enumerate(parts, 1):
            part = self.s3.upload_part(**where, PartNumber=number, Body=body, **mode.read, **checksums)
            sums = {k: v for k, v in part.items() if checksums and k == "ChecksumCRC32"}
            done.append({"PartNumber": number, "ETag": part["ETag"], **sums})
        return dict(self.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": done}, **mode.read))

    def check_put_get_head(self) -> None:
        for mode in modes("a", KMS[0]):
            for size in SIZES:
                body = payload(size)
                answer = self._put("k", body, **mode.write)
                mode.check(answer)
                is_md5 = answer["ETag"].strip('"') == hashlib.md5(body).hexdigest()
                assert is_md5 == (mode.name in ("plain", "s3")), (mode.name, answer["ETag"])
                got = self.s3.get_object(Bucket=self.bucket, Key="k", **mode.read)
                mode.check(got)
                assert got["Body"].read() == body and got["ETag"] == answer["ETag"], (mode.name, size)
                head = self.s3.head_object(Bucket=self.bucket, Key="k", **mode.read)
                mode.check(head)
                assert head["ContentLength"] == size
                listed = self.s3.list_objects_v2(Bucket=self.bucket)["Contents"][0]
                assert listed["Size"] == size and listed["ETag"] == answer["ETag"]
                about = self.s3.get_object_attributes(Bucket=self.bucket, Key="k", ObjectAttributes=["ObjectSize"],
                                                      **mode.read)
                assert about["ObjectSize"] == size

    def check_ranges(self) -> None:
        body = payload(3 * MIB + 17)
        for mode in modes("a", KMS[0]):
            self._put("k", body, **mode.write)
            for first, last in ((0, 0), (65535, 65536), (65530, 200_000), (MIB - 1, 2 * MIB), (len(body) - 5, len(body))):
                got = self.s3.get_object(Bucket=self.bucket, Key="k", Range=f"bytes={first}-{last}", **mode.read)
                assert got["Body"].read() == body[first:last + 1], (mode.name, first, last)
            assert self._get("k", Range="bytes=-7", **mode.read) == body[-7:]

    def check_multipart(self) -> None:
        parts = [payload(PART + 1, 1), payload(PART, 2), payload(70_001, 3)]
        body = b"".join(parts)
        for mode in modes("a", KMS[0]):
            assert self._upload("m", mode, parts)["ETag"].strip('"').endswith("-3")
            summed = self._upload("m", mode, parts, ChecksumAlgorithm="CRC32")
            assert summed["ChecksumCRC32"].endswith("-3"), summed
            assert self._get("m", **mode.read) == body, mode.name
            for number, part in enumerate(parts, 1):
                got = self.s3.get_object(Bucket=self.bucket, Key="m", PartNumber=number, **mode.read)
                assert got["PartsCount"] == 3 and got["Body"].read() == part, (mode.name, number)
            for first, last in ((PART - 10, PART + 10), (2 * PART, 2 * PART + 70_000), (PART + 65535, 2 * PART + 3)):
                assert self._get("m", Range=f"bytes={first}-{last}", **mode.read) == body[first:last + 1]

    def check_copies(self) -> None:
        for size in (1, 200_000, 3 * MIB + 17):
            body = payload(size)
            for source in modes("a", KMS[0]):
                self._put("source", body, **source.write)
                for target in modes("b", KMS[1]):
                    copied = self.s3.copy_object(Bucket=self.bucket, Key="copy",
                                                 CopySource={"Bucket": self.bucket, "Key": "source"},
                                                 **source_of(source.read), **target.write)
                    target.check(copied)
                    got = self.s3.get_object(Bucket=self.bucket, Key="copy", **target.read)
                    target.check(got)
                    assert got["Body"].read() == body, (source.name, target.name, size)

    def check_copies_of_multipart_objects(self) -> None:
        parts = [payload(PART, 1), payload(70_001, 2)]
        for source in modes("a", KMS[0]):
            self._upload("source", source, parts)
            for target in modes("b", KMS[1]):
                self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource={"Bucket": self.bucket, "Key": "source"},
                                    **source_of(source.read), **target.write)
                assert self._get("copy", **target.read) == b"".join(parts), (source.name, target.name)

    def check_copied_parts(self) -> None:
        body = payload(2 * PART)
        for source in modes("a", KMS[0]):
            self._put("source", body, **source.write)
            for target in modes("b", KMS[1]):
                created = self.s3.create_multipart_upload(Bucket=self.bucket, Key="copy", **target.write)
                where = {"Bucket": self.bucket, "Key": "copy", "UploadId": created["UploadId"]}
                part = self.s3.upload_part_copy(
                    **where, PartNumber=1, CopySource={"Bucket": self.bucket, "Key": "source"},
                    CopySourceRange=f"bytes=1000-{PART + 2000}", **source_of(source.read), **target.read)
                target.check(part)
                listed = {"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}
                self.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [listed]}, **target.read)
                assert self._get("copy", **target.read) == body[1000:PART + 2001], (source.name, target.name)

    def check_default_encryption(self) -> None:
        expect_error("ServerSideEncryptionConfigurationNotFoundError", 404, self.s3.get_bucket_encryption,
                     Bucket=self.bucket)
        for mode in modes("a", KMS[0])[1:3]:
            rule = {"SSEAlgorithm": mode.write["ServerSideEncryption"]}
            if "SSEKMSKeyId" in mode.write:
                rule["KMSMasterKeyID"] = mode.write["SSEKMSKeyId"]
            rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": False}]}
            self.s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration=rules)
            got = self.s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]
            assert got == rules, got
            mode.check(self._put("k", b"v"))
            mode.check(self.s3.copy_object(Bucket=self.bucket, Key="copy",
                                           CopySource={"Bucket": self.bucket, "Key": "k"}))
            self._upload("m", Mode("default", {}, {}, mode.said), [payload(PART), b"tail"])
            mode.check(self.s3.head_object(Bucket=self.bucket, Key="m"))
            other = modes("a", KMS[1])[3]
            other.check(self._put("c", b"v", **other.write))
        self.s3.delete_bucket_encryption(Bucket=self.bucket)
        modes("a", KMS[0])[0].check(self._put("k", b"v"))

    def check_wrong_keys(self) -> None:
        self._put("c", b"secret", **client_key("a"))
        expect_error("InvalidRequest", 400, self._get, key="c")
        expect_error("AccessDenied", 403, self._get, key="c", **client_key("b"))
        expect_error("400", 400, self.s3.head_object, Bucket=self.bucket, Key="c")
        expect_error("403", 403, self.s3.head_object, Bucket=self.bucket, Key="c", **client_key("b"))
        self._put("plain", b"v")
        expect_error("InvalidRequest", 400, self._get, key="plain", **client_key("a"))
        expect_error("KMS.NotFoundException", 400, self._put, key="k", body=b"v", ServerSideEncryption="aws:kms",
                     SSEKMSKeyId="there-is-none")
        expect_error("InvalidArgument", 400, self._put, key="k", body=b"v", ServerSideEncryption="AES256",
                     **client_key("a"))

    def check_presigned(self) -> None:
        url = self.s3.generate_presigned_url("put_object", Params={
            "Bucket": self.bucket, "Key": "k", "ServerSideEncryption": "AES256"})
        send = urllib.request.Request(url, data=b"v", method="PUT", headers={"x-amz-server-side-encryption": "AES256"})
        tls = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
        with urllib.request.urlopen(send, context=tls) as answer:
            assert answer.headers["x-amz-server-side-encryption"] == "AES256"
        key = client_key("a")
        headers = {"x-amz-server-side-encryption-customer-algorithm": "AES256",
                   "x-amz-server-side-encryption-customer-key": key["SSECustomerKey"],
                   "x-amz-server-side-encryption-customer-key-MD5": key["SSECustomerKeyMD5"]}
        self._put("c", b"secret", **client_key("a"))
        url = self.s3.generate_presigned_url("get_object", Params={
            "Bucket": self.bucket, "Key": "c", **client_key("a")})
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), context=tls) as answer:
            assert answer.read() == b"secret"

    def check_versions(self) -> None:
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        made = [(mode, self._put("k", mode.name.encode(), **mode.write)["VersionId"]) for mode in modes("a", KMS[0])]
        for mode, version in made:
            got = self.s3.get_object(Bucket=self.bucket, Key="k", VersionId=version, **mode.read)
            mode.check(got)
            assert got["Body"].read() == mode.name.encode()


if __name__ == "__main__":
    sys.exit(Encryption().run())
