#!/usr/bin/env python3
"""Writes botocore_vectors.txt: requests signed by botocore and aws-chunked bodies.

Run it in this folder when a new kind of request is worth having; the output is committed, so that
the tests need no Python. Same seed, same botocore: same file. The signed chunk forms, which
botocore does not send, are made by the few lines of HMAC below, independent of the product.
"""
import base64
import datetime
import hashlib
import hmac
import io
import random
import urllib.parse
import zlib

import boto3
import botocore
import botocore.auth
from botocore.config import Config

ACCESS, SECRET = "OUTCROPTESTACCESSKEY", "s3cr3t/with+odd=chars0123456789abcdefghij"
START = datetime.datetime(2026, 11, 21, 23, 50, 0, tzinfo=datetime.timezone.utc)
ODD = list("abcXYZ019-._~ +%&=?#;:@,$!*'()[]{}|\\^`\"<>/") + ["//", "/../", "/./", "é", "日本", "🙂", "%2F", "  "]

rng = random.Random(20261121)
now = START
out = []


class Captured(Exception):
    pass


def odd_text(low, high):
    return "".join(rng.choice(ODD) for _ in range(rng.randint(low, high)))


def key():
    return "k" + odd_text(0, 14)


def text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def emit(kind, method, url, headers, extra=()):
    parts = urllib.parse.urlsplit(url)
    # Not parts.path: that would drop what follows an unescaped '#' or ';', were there one.
    target = url.split(parts.netloc, 1)[1]
    lines = [f"vector {kind}", f"time {int(now.timestamp())}",
             f"secure {int(parts.scheme == 'https')}", f"method {method}", f"target {target}"]
    names = {name.lower() for name in headers}
    if "host" not in names:
        lines.append(f"header host:{parts.netloc}")
    for name, value in headers.items():
        if name.lower() in ("user-agent", "amz-sdk-invocation-id"):
            continue  # unsigned, and different on every machine or run
        lines.append(f"header {name.lower()}:{text(value).strip()}")
    out.append("\n".join([*lines, *extra, "end"]))


def capture(request, **_):
    extra = []
    if text(request.headers.get("X-Amz-Content-SHA256", "")).startswith("STREAMING"):
        body = request.body.read()
        extra.append("body " + base64.b64encode(body).decode())
    emit(capture.kind, request.method, request.url, request.headers, extra)
    raise Captured


def client(scheme, style):
    made = boto3.client(
        "s3", endpoint_url=f"{scheme}://s3.example.net:9000", region_name=rng.choice(["us-east-1", "eu-west-3", "external"]),
        aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
        config=Config(s3={"addressing_style": style}, signature_version="s3v4", retries={"max_attempts": 0}))
    made.meta.events.register("before-send.s3", capture)
    return made


def calls(s3):
    body = rng.randbytes(rng.randint(0, 300))
    meta = {"a": "two  spaces   inside", "b-c": "x,y ; z"}
    return [
        ("put", lambda: s3.put_object(Bucket="bucket", Key=key(), Body=body, Metadata=meta,
                                      ContentType="text/plain; charset=utf-8")),
        ("put-stream", lambda: s3.put_object(Bucket="bucket", Key=key(), Body=io.BytesIO(body),
                                             ChecksumAlgorithm=rng.choice(["CRC32", "SHA256", "SHA1"]))),
        ("get", lambda: s3.get_object(Bucket="bucket", Key=key(), Range="bytes=0-9",
                                      ResponseContentDisposition=odd_text(1, 12))),
        ("head", lambda: s3.head_object(Bucket="bucket", Key=key(), VersionId="v" + odd_text(1, 5))),
        ("delete", lambda: s3.delete_object(Bucket="bucket", Key=key())),
        ("list", lambda: s3.list_objects_v2(Bucket="bucket", Prefix=odd_text(0, 12), Delimiter="/",
                                            StartAfter=odd_text(1, 9), FetchOwner=True)),
        ("list-v1", lambda: s3.list_objects(Bucket="bucket", Prefix="", Marker=odd_text(1, 9))),
        ("copy", lambda: s3.copy_object(Bucket="bucket", Key=key(), CopySource={"Bucket": "src", "Key": key()},
                                        MetadataDirective="REPLACE", Metadata=meta)),
        ("part", lambda: s3.upload_part(Bucket="bucket", Key=key(), UploadId=odd_text(9, 12), PartNumber=3, Body=body)),
        ("lifecycle", lambda: s3.get_bucket_lifecycle_configuration(Bucket="bucket")),
        ("delete-many", lambda: s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": key()}]})),
    ]


def presigned(s3):
    cases = [
        ("get_object", {"Bucket": "bucket", "Key": key(), "ResponseContentType": odd_text(1, 9)}, "GET", {}),
        ("put_object", {"Bucket": "bucket", "Key": key(), "ContentType": "text/plain"}, "PUT", {"content-type": "text/plain"}),
        ("put_object", {"Bucket": "bucket", "Key": key(), "Metadata": {"a": "v w"}}, "PUT", {"x-amz-meta-a": "v w"}),
        ("list_objects_v2", {"Bucket": "bucket", "Prefix": odd_text(0, 9)}, "GET", {}),
    ]
    for name, params, method, headers in cases:
        expires = rng.choice([1, 60, 3600, 604800])
        url = s3.generate_presigned_url(name, Params=params, ExpiresIn=expires, HttpMethod=method)
        emit(f"presigned-{name}", method, url, headers)


def sha(data):
    return hashlib.sha256(data).hexdigest()


def sign(signing_key, *lines):
    return hmac.new(signing_key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def signed_chunks(trailer, bare_newline):
    """The form of AWS's documentation; bare_newline: as minio-go ends the trailer line."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    signing_key = b"AWS4" + SECRET.encode()
    for part in scope.split("/"):
        signing_key = hmac.new(signing_key, part.encode(), hashlib.sha256).digest()
    data = rng.randbytes(rng.choice([0, 1, 1000, 5000]))
    form = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    headers = {"host": "s3.example.net", "x-amz-content-sha256": form, "x-amz-date": stamp,
               "x-amz-decoded-content-length": str(len(data))}
    if trailer:
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
    names = ";".join(sorted(headers))
    canonical = "\n".join(["PUT", "/bucket/chunked", "", *[f"{n}:{headers[n]}" for n in sorted(headers)], "", names, form])
    seed = sign(signing_key, "AWS4-HMAC-SHA256", stamp, scope, sha(canonical.encode()))
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={ACCESS}/{scope},SignedHeaders={names},Signature={seed}"
    body, previous, step = b"", seed, rng.choice([700, 2048, 65536])
    for chunk in [data[i:i + step] for i in range(0, len(data), step)] + [b""]:
        previous = sign(signing_key, "AWS4-HMAC-SHA256-PAYLOAD", stamp, scope, previous, sha(b""), sha(chunk))
        body += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
    if trailer:
        line = "x-amz-checksum-crc32:" + base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode() + "\n"
        last = sign(signing_key, "AWS4-HMAC-SHA256-TRAILER", stamp, scope, previous, sha(line.encode()))
        body += (line + "\r\n" if bare_newline else line.replace("\n", "\r\n")).encode()
        body += f"x-amz-trailer-signature:{last}\r\n".encode()
    body += b"\r\n"
    emit("chunks-signed", "PUT", "http://s3.example.net/bucket/chunked", headers,
         ["body " + base64.b64encode(body).decode(), "sha256 " + sha(data)])


def main():
    global now
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: now.replace(tzinfo=None) if remove_tzinfo else now
    for round_number in range(5):
        for scheme, style in [("http", "path"), ("https", "path"), ("https", "virtual")]:
            s3 = client(scheme, style)
            for kind, call in calls(s3):
                now += datetime.timedelta(seconds=rng.randint(1, 99))
                capture.kind = kind
                try:
                    call()
                except Captured:
                    pass
            presigned(s3)
        for trailer, bare in [(False, False), (True, False), (True, True)]:
            signed_chunks(trailer, bare)
    with open("botocore_vectors.txt", "w", encoding="ascii", newline="\n") as file:
        file.write(f"# Made by make_vectors.py with botocore {botocore.__version__}\n")
        file.write(f"access {ACCESS}\nsecret {SECRET}\n" + "\n".join(out) + "\n")


if __name__ == "__main__":
    main()
