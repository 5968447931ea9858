"""Identity scenarios: the walk-through of docs/guide/users.md, run as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

from administration import records
from context import Context, equal, require, run

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "users.md"


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


SCENARIOS = [guide_of_users]
