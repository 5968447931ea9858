"""What the scripts that check one subject by boto3 have in common. Endpoint and keys by environment."""

from __future__ import annotations

import os
import traceback
import uuid
from typing import Any

import boto3
from boto3_suite import ENDPOINT
from botocore.config import Config


class Checks:
    """Each check_ method of a subclass has a bucket of its own, which is emptied afterwards."""

    subject = ""

    def __init__(self) -> None:
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
        self.s3 = boto3.client("s3", endpoint_url=ENDPOINT, config=Config(
            signature_version="s3v4", retries={"max_attempts": 0}, read_timeout=60,
            s3={"addressing_style": "path"}))
        self.bucket = ""

    def _make(self) -> None:
        self.s3.create_bucket(Bucket=self.bucket)

    def _remove_version(self, version: dict[str, Any]) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=version["Key"], VersionId=version["VersionId"])

    def _empty(self) -> None:
        """Version by version."""
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
            for version in page.get("Versions", []) + page.get("DeleteMarkers", []):
                self._remove_version(version)
        self.s3.delete_bucket(Bucket=self.bucket)

    def run(self) -> int:
        """Exit code."""
        failed = 0
        for name in [n for n in dir(self) if n.startswith("check_")]:
            self.bucket = f"{self.subject.replace(' ', '-')}-{uuid.uuid4().hex[:12]}"
            self._make()
            try:
                getattr(self, name)()
                self._empty()
            except Exception as error:  # every check reports, none hides the next
                failed += 1
                line = traceback.extract_tb(error.__traceback__)[1].lineno
                print(f"FAIL {name}, line {line}: {type(error).__name__}: {error}")
        print(f"{self.subject} by boto3 {boto3.__version__}: {failed} checks failed")
        return 1 if failed else 0
