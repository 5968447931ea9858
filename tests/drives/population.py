"""A set of objects of every storage form, and the question whether a server still has exactly these."""

from __future__ import annotations

import hashlib
import http.client
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from s3client import S3Client
from values import ValueId, make

BUCKET = "drives"
MIB = 1 << 20
PART = 5 * MIB


@dataclass
class Verdict:
    """One look at all objects."""

    right: int = 0
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Everything that is not right bytes."""
        return [*self.wrong, *self.errors]


class Population:
    """What must be readable: key -> (length, SHA-256)."""

    def __init__(self, seed: int) -> None:
        self.expected: dict[str, tuple[int, str]] = {}
        self._random = random.Random(seed)
        self._seq = 0

    def _body(self, key: str, length: int) -> bytes:
        self._seq += 1
        return make(key, ValueId(0, self._seq), length)

    def put(self, client: S3Client, key: str, length: int) -> None:
        """Writes or overwrites; parts of 5 MiB above 8 MiB."""
        body = self._body(key, length)
        if length > 8 * MIB:
            parts = [body[i:i + PART] for i in range(0, len(body), PART)]
            client.checked(f"multipart {key}", client.put_multipart(BUCKET, key, parts))
        else:
            client.checked(f"put {key}", client.put(BUCKET, key, body))
        self.expected[key] = (len(body), hashlib.sha256(body).hexdigest())

    def copy(self, client: S3Client, source: str, key: str) -> None:
        """Server-side copy."""
        client.checked(f"copy {key}", client.copy(BUCKET, source, key))
        self.expected[key] = self.expected[source]

    def delete(self, client: S3Client, key: str) -> None:
        """Deletes for good."""
        client.checked(f"delete {key}", client.delete(BUCKET, key))
        del self.expected[key]

    def fill(self, client: S3Client) -> None:
        """Inline, small, striped, large, multipart and copied objects, in nested keys."""
        client.create_bucket(BUCKET)
        for number in range(12):
            self.put(client, f"inline/{number}", 100 + number)
            self.put(client, f"small/deep/er/{number}", self._random.randrange(3000, 120_000))
        for number in range(5):
            self.put(client, f"striped/{number}", self._random.randrange(140_000, 2 * MIB))
        self.put(client, "large/one", 7 * MIB + 13)
        self.put(client, "multipart/one", 11 * MIB + 7)
        self.copy(client, "large/one", "copy/large")
        self.copy(client, "small/deep/er/0", "copy/small")

    def churn(self, client: S3Client, tag: str) -> None:
        """New objects, an overwrite, a delete: the writes that must work while drives are away."""
        for name, length in {"inline": 150, "small": 50_000, "striped": MIB + 77}.items():
            self.put(client, f"churn/{name}/{tag}", length)
        self.put(client, "churn/same", self._random.randrange(500, 400_000))
        self.put(client, f"small/deep/er/{self._random.randrange(1, 12)}", 9_999)
        old = [k for k in self.expected if k.startswith("churn/striped/") and not k.endswith(tag)]
        if len(old) > 3:
            self.delete(client, old[0])

    def look(self, client: S3Client) -> Verdict:
        """Reads every object: right bytes, an error, or wrong bytes."""
        verdict = Verdict()
        for key, (length, want) in self.expected.items():
            try:
                response = client.get(BUCKET, key)
            except (OSError, http.client.HTTPException) as error:
                verdict.errors.append(f"{key}: {type(error).__name__} {error}")
                continue
            if response.status >= 500:
                verdict.errors.append(f"{key}: {response.status} {response.code}")
            elif response.status != 200 or hashlib.sha256(response.body).hexdigest() != want:
                what = f"{response.status} {response.code}, {len(response.body)} bytes of {length}"
                verdict.wrong.append(f"{key}: {what}")
            else:
                verdict.right += 1
        return verdict

    def check_listing(self, client: S3Client) -> list[str]:
        """The listing must hold exactly the keys, with their sizes, in order."""
        listed = list(client.list_keys(BUCKET, page=7))
        want = sorted((key, length) for key, (length, _) in self.expected.items())
        if listed == want:
            return []
        missing = sorted(set(want) - set(listed))[:5]
        extra = sorted(set(listed) - set(want))[:5]
        return [f"listing differs: missing {missing}, extra {extra}, {len(listed)} instead of {len(want)}"]
