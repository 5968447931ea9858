"""Object Lock: boto3, and the walk-through of docs/guide/object-lock.md."""

from __future__ import annotations

import re
from pathlib import Path

from context import Context, equal, require, run
from sdk_clients import _distribution_python, _newest_python

_HERE = Path(__file__).resolve().parent
GUIDE = _HERE.parents[1] / "docs" / "guide" / "object-lock.md"


def object_lock_boto3_distribution(context: Context) -> None:
    """Object Lock by the distribution's boto3"""
    print(run([_distribution_python(), _HERE / "boto3_object_lock.py"], context.environment("http"),
              timeout_seconds=300).strip())


def object_lock_boto3_newest(context: Context) -> None:
    """Object Lock by the newest boto3"""
    print(run([_newest_python(context), _HERE / "boto3_object_lock.py"], context.environment("http"),
              timeout_seconds=300).strip())


def guide_of_object_lock(context: Context) -> None:
    """aws s3api: every command of docs/guide/object-lock.md, in one shell"""
    require("aws")
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5, f"the guide has {len(blocks)} blocks of commands"
    folder = context.directory("object-lock-guide")
    script = folder / "guide.sh"
    script.write_text(f"set -euo pipefail\ncd \"$(dirname \"$0\")\"\n{''.join(blocks)}echo walked through\n")
    said = run(["bash", script], context.environment() | {"ENDPOINT": context.server().endpoint})
    equal("the last line", said.strip().splitlines()[-1], "walked through")


SCENARIOS = [object_lock_boto3_distribution, object_lock_boto3_newest, guide_of_object_lock]
