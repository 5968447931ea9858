"""Identity scenarios: the walk-through of docs/guide/users.md, run as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

from administration import records
from context import Context, equal, require, run
from sdk_clients import _distribution_python, _newest_python

_HERE = Path(__file__).resolve().parent
GUIDE = _HERE.parents[1] / "docs" / "guide" / "users.md"


def guide_of_users(context: Context) -> None:
    """aws iam, sts and s3api: every command of docs/guide/users.md, in one shell"""
    require("aws")
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 6, f"the guide has {len(blocks)} blocks of commands"
    folder = context.directory("users-guide")
    script = folder / "guide.sh"
    script.write_text("set -euo pipefail\ncd \"$(dirname \"$0\")\"\n" + "".join(blocks) + "echo walked through\n")
    environment = context.environment() | {"ENDPOINT": context.server().endpoint}
    said = run(["bash", script], environment, timeout_seconds=900)  # some 60 runs of the CLI
    equal("the last line", said.strip().splitlines()[-1], "walked through")
    assert "arn:aws:iam::000000000000:user/alice" in said, said
    assert "arn:aws:iam::000000000000:root" in said, said
    created = records(context.server(), "iam:CreateUser")
    assert "arn:aws:iam::000000000000:user/alice" in [r["resource"] for r in created], created


def identity_boto3_distribution(context: Context) -> None:
    """IAM by the distribution's boto3: renames, AWS's policies, Terraform's calls"""
    _boto3(context, _distribution_python())
    renamed = records(context.server(), "iam:UpdateUser")
    assert "tf-renamed" in [r.get("target") for r in renamed], renamed


def identity_boto3_newest(context: Context) -> None:
    """IAM by the newest boto3: renames, AWS's policies, Terraform's calls"""
    _boto3(context, _newest_python(context))


def _boto3(context: Context, python: str) -> None:
    print(run([python, _HERE / "boto3_identity.py"], context.environment("http"), timeout_seconds=300).strip())


SCENARIOS = [guide_of_users, identity_boto3_distribution, identity_boto3_newest]
