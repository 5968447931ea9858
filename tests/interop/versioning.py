"""Versioning: boto3, the walk-through of docs/guide/versioning.md, and what a restart keeps."""

from __future__ import annotations

import re
from pathlib import Path

from context import Context, equal, require, run
from sdk_clients import _distribution_python, _newest_python

_HERE = Path(__file__).resolve().parent
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
    script.write_text("set -euo pipefail\ncd \"$(dirname \"$0\")\"\n" + "".join(blocks) + "echo walked through\n")
    said = run(["bash", script], context.environment() | {"ENDPOINT": context.server().endpoint})
    equal("the last line", said.strip().splitlines()[-1], "walked through")


SCENARIOS = [versioning_boto3_distribution, versioning_boto3_newest, guide_of_versioning]
