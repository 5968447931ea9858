"""A small signed S3 client on http.client: one connection, no retries, nothing hidden from a test."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import http.client
import ssl
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_UNRESERVED = "-_.~"
IDLE_SECONDS_MAX = 30  # the server drops connections that are idle for longer than a minute


def quote(text: str, safe: str = "") -> str:
    """AWS percent-encoding."""
    return urllib.parse.quote(text, safe=_UNRESERVED + safe)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class Credentials:
    """An access key and the scope it signs for."""

    access_key: str
    secret_key: str
    region: str = "us-east-1"

    def signature(self, date: str, text: str) -> str:
        """The SigV4 signature of a string to sign."""
        key = _hmac(b"AWS4" + self.secret_key.encode(), date)
        for part in (self.region, "s3", "aws4_request"):
            key = _hmac(key, part)
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def canonical_query(query: Mapping[str, str]) -> str:
    """Sorted and encoded, as it is also sent."""
    return "&".join(f"{quote(k)}={quote(v)}" for k, v in sorted(query.items(), key=lambda i: (quote(i[0]), i[1])))


def sign_headers(
    credentials: Credentials, method: str, path: str, query: Mapping[str, str],
    headers: Mapping[str, str], payload_hash: str, now: datetime.datetime | None = None,
) -> dict[str, str]:
    """Headers plus x-amz-date, x-amz-content-sha256 and Authorization; `path` is encoded already."""
    stamp = (now or datetime.datetime.now(datetime.timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    out = {k.lower(): v for k, v in headers.items()}
    out |= {"x-amz-date": stamp, "x-amz-content-sha256": payload_hash}
    names = sorted(n for n in out if n == "host" or n.startswith("x-amz-") or n in {"content-md5", "content-type"})
    canonical = "\n".join([
        method, path, canonical_query(query),
        *(f"{n}:{' '.join(out[n].split())}" for n in names), "", ";".join(names), payload_hash,
    ])
    scope = f"{stamp[:8]}/{credentials.region}/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    out["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={credentials.signature(stamp[:8], to_sign)}"
    )
    return out


def presign(
    credentials: Credentials, method: str, host: str, path: str, expires_seconds: int,
    scheme: str = "http", query: Mapping[str, str] | None = None,
) -> str:
    """A presigned URL; `path` is encoded already."""
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{credentials.region}/s3/aws4_request"
    signed = dict(query or {}) | {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": stamp, "X-Amz-Expires": str(expires_seconds), "X-Amz-SignedHeaders": "host",
    }
    text = canonical_query(signed)
    canonical = "\n".join([method, path, text, f"host:{host}", "", "host", "UNSIGNED-PAYLOAD"])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = credentials.signature(stamp[:8], to_sign)
    return f"{scheme}://{host}{path}?{text}&X-Amz-Signature={signature}"


@dataclass(frozen=True)
class Response:
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """A 2xx."""
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The S3 error code in the body, or an empty string."""
        start = self.body.find(b"<Code>")
        return "" if start < 0 else self.body[start + 6:self.body.find(b"</Code>")].decode()

    @property
    def etag(self) -> str:
        """The ETag header without quotes."""
        return self.headers.get("etag", "").strip('"')


class S3Error(Exception):
    """An answer that is not the one expected."""

    def __init__(self, what: str, response: Response) -> None:
        super().__init__(f"{what}: {response.status} {response.code} {response.body[:300]!r}")
        self.response = response


def _text(element: ElementTree.Element, name: str) -> str:
    for child in element.iter():
        if child.tag.rsplit("}", 1)[-1] == name:
            return child.text or ""
    return ""


class S3Client:
    """One keep-alive connection to a server; not for use by two threads at once."""

    def __init__(
        self, host: str, port: int, credentials: Credentials,
        timeout_seconds: float = 30, tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host = f"{host}:{port}"
        self.credentials = credentials
        self._answered = time.monotonic()
        if tls is None:
            self._connection = http.client.HTTPConnection(host, port, timeout=timeout_seconds)
        else:
            self._connection = http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=tls)

    def close(self) -> None:
        """Drops the connection; the next call opens a new one."""
        self._connection.close()

    def call(
        self, method: str, bucket: str = "", key: str = "", query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None, body: bytes = b"",
    ) -> Response:
        """One signed request; raises OSError or HTTPException when no whole answer came."""
        path = "/" + quote(bucket) + ("/" + quote(key, safe="/") if key else "")
        payload_hash = hashlib.sha256(body).hexdigest() if body else EMPTY_SHA256
        base = {"host": self.host} | dict(headers or {})
        signed = sign_headers(self.credentials, method, path, query or {}, base, payload_hash)
        if body or method in {"PUT", "POST"}:
            signed["content-length"] = str(len(body))
        target = path + ("?" + canonical_query(query) if query else "")
        if time.monotonic() - self._answered > IDLE_SECONDS_MAX:
            self._connection.close()
        try:
            self._connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in signed.items():
                self._connection.putheader(name, value)
            self._connection.endheaders(body or None)
            answer = self._connection.getresponse()
            data = answer.read()
            self._answered = time.monotonic()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, data)

    def checked(self, what: str, response: Response) -> Response:
        """The response, if it is a 2xx."""
        if not response.ok:
            raise S3Error(what, response)
        return response

    def create_bucket(self, bucket: str) -> None:
        """PUT bucket; one that is ours already is fine."""
        response = self.call("PUT", bucket)
        if not response.ok and response.code != "BucketAlreadyOwnedByYou":
            raise S3Error(f"create bucket {bucket}", response)

    def put(self, bucket: str, key: str, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
        """PutObject."""
        return self.call("PUT", bucket, key, headers=headers, body=body)

    def get(self, bucket: str, key: str, byte_range: str | None = None) -> Response:
        """GetObject."""
        return self.call("GET", bucket, key, headers={"range": byte_range} if byte_range else None)

    def head(self, bucket: str, key: str) -> Response:
        """HeadObject."""
        return self.call("HEAD", bucket, key)

    def delete(self, bucket: str, key: str) -> Response:
        """DeleteObject."""
        return self.call("DELETE", bucket, key)

    def copy(self, bucket: str, source_key: str, key: str) -> Response:
        """CopyObject inside one bucket; an error in a 200 body counts as 500."""
        source = {"x-amz-copy-source": quote(f"{bucket}/{source_key}", safe="/")}
        return _body_error(self.call("PUT", bucket, key, headers=source))

    def rename(self, bucket: str, source_key: str, key: str) -> Response:
        """RenameObject."""
        headers = {"x-amz-rename-source": quote(f"/{bucket}/{source_key}", safe="/")}
        return self.call("PUT", bucket, key, {"renameObject": ""}, headers)

    def create_multipart(self, bucket: str, key: str) -> str:
        """The upload id."""
        response = self.checked("create multipart", self.call("POST", bucket, key, {"uploads": ""}))
        return _text(ElementTree.fromstring(response.body), "UploadId")

    def upload_part(self, bucket: str, key: str, upload_id: str, number: int, body: bytes) -> str:
        """The ETag of the part."""
        query = {"partNumber": str(number), "uploadId": upload_id}
        return self.checked("upload part", self.call("PUT", bucket, key, query, body=body)).etag

    def complete_multipart(self, bucket: str, key: str, upload_id: str, etags: Sequence[str]) -> Response:
        """CompleteMultipartUpload; an error in a 200 body counts as 500."""
        parts = "".join(
            f"<Part><PartNumber>{i}</PartNumber><ETag>&quot;{e}&quot;</ETag></Part>" for i, e in enumerate(etags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        return _body_error(self.call("POST", bucket, key, {"uploadId": upload_id}, body=body))

    def put_multipart(self, bucket: str, key: str, parts: Sequence[bytes]) -> Response:
        """A whole multipart upload."""
        upload_id = self.create_multipart(bucket, key)
        etags = [self.upload_part(bucket, key, upload_id, i, part) for i, part in enumerate(parts, 1)]
        return self.complete_multipart(bucket, key, upload_id, etags)

    def list_keys(self, bucket: str, prefix: str = "", page: int = 1000) -> Iterator[tuple[str, int]]:
        """Every (key, size) by ListObjectsV2, page by page."""
        token = ""
        while True:
            query = {"list-type": "2", "max-keys": str(page), "prefix": prefix, "encoding-type": "url"}
            if token:
                query["continuation-token"] = token
            response = self.checked("list", self.call("GET", bucket, query=query))
            root = ElementTree.fromstring(response.body)
            for entry in root.iter():
                if entry.tag.rsplit("}", 1)[-1] == "Contents":
                    yield urllib.parse.unquote_plus(_text(entry, "Key")), int(_text(entry, "Size"))
            if _text(root, "IsTruncated") != "true":
                return
            token = _text(root, "NextContinuationToken")
            if not token:
                raise S3Error("list: truncated without a token", response)

    def delete_many(self, bucket: str, keys: Sequence[str]) -> Response:
        """DeleteObjects."""
        entries = "".join(f"<Object><Key>{_escape(k)}</Key></Object>" for k in keys)
        body = f"<Delete>{entries}</Delete>".encode()
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        return self.call("POST", bucket, query={"delete": ""}, headers={"content-md5": md5}, body=body)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _body_error(response: Response) -> Response:
    """An <Error> after a 200 (slow copies and completes answer so) made visible as a 500."""
    if response.ok and b"<Error>" in response.body:
        return Response(500, response.headers, response.body)
    return response
