"""The S3 checksums as base64, in plain Python: the reference the server is held against."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable
from functools import cache


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


def _reflected_crc(data: bytes, polynomial: int, mask: int) -> int:
    table, crc = _table(polynomial), mask
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ mask


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli)."""
    return _reflected_crc(data, 0x82F63B78, 0xFFFFFFFF)


def crc64nvme(data: bytes) -> int:
    """CRC-64/NVME."""
    return _reflected_crc(data, 0x9A6C9329AC4BC9B5, 0xFFFFFFFFFFFFFFFF)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


ALGORITHMS: dict[str, Callable[[bytes], str]] = {
    "CRC32": lambda d: _base64(zlib.crc32(d).to_bytes(4, "big")),
    "CRC32C": lambda d: _base64(crc32c(d).to_bytes(4, "big")),
    "CRC64NVME": lambda d: _base64(crc64nvme(d).to_bytes(8, "big")),
    "SHA1": lambda d: _base64(hashlib.sha1(d).digest()),
    "SHA256": lambda d: _base64(hashlib.sha256(d).digest()),
    "SHA512": lambda d: _base64(hashlib.sha512(d).digest()),
    "MD5": lambda d: _base64(hashlib.md5(d).digest()),
}
# Of those that Python lacks, from its package xxhash.
FIXED_DATA = b"123456789"
FIXED = {
    "XXHASH64": "jLhB20DmroM=",
    "XXHASH3": "ctyxi2ehff8=",
    "XXHASH128": "MxGUd+3l3NXpcWQnaB1YYA==",
}
assert crc32c(b"123456789") == 0xE3069283 and crc64nvme(b"123456789") == 0xAE8B14860A799888
