"""Versioning: boto3, the walk-through of docs/guide/versioning.md, and what a restart keeps."""

from __future__ import annotations

import re
from pathlib import Path

from context import Context, equal, require, run
from sdk_clients import _distribution_python, _newest_python

_HERE = Path(__file__).resolve().parent
# Before its last block: keys that a careless loop splits. After it: the same loop finds nothing.
HARD_KEYS = """\
aws s3 cp plan.txt 's3://notes/a plan of  mine.txt'
aws s3 cp plan.txt 's3://notes/ in front\\and behind '
aws s3 rm 's3://notes/a plan of  mine.txt'
"""
EMPTY_BUCKET = "aws s3 mb s3://notes\n"
GUIDE = _HERE.parents[1] / "docs" / "guide" / "versioning.md"


def versioning_boto3_distribution(context: Context) -> None:
    """Versioning by the distribution's boto3"""
    print(run([_distribution_python(), _HERE / "boto3_versioning.py"], context.environment("http"),
              timeout_seconds=300).strip())


def versioning_boto3_newest(context: Context) -> None:
    """Versioning by the newest boto3: checksums instead of MD5, conditional writes"""
    print(run([_newest_python(context), _HERE / "boto3_versioning.py"], context.environment("http"),
              timeout_seconds=300).strip())


def guide_of_versioning(context: Context) -> None:
    """aws s3api: every command of docs/guide/versioning.md, in one shell"""
    require("aws")
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5, f"the guide has {len(blocks)} blocks of commands"
    folder = context.directory("versioning-guide")
    script = folder / "guide.sh"
    assert "aws s3 rb" in blocks[-1], "the last block deletes the bucket"
    commands = "".join([*blocks[:-1], HARD_KEYS, blocks[-1], EMPTY_BUCKET, blocks[-1]])
    script.write_text(f"set -euo pipefail\ncd \"$(dirname \"$0\")\"\n{commands}echo walked through\n")
    said = run(["bash", script], context.environment() | {"ENDPOINT": context.server().endpoint})
    equal("the last line", said.strip().splitlines()[-1], "walked through")


SCENARIOS = [versioning_boto3_distribution, versioning_boto3_newest, guide_of_versioning]
