"""SDKs: boto3 of the distribution and the newest one, over http and https, and the JavaScript SDK v3."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from context import Context, MissingClient, require, run

_HERE = Path(__file__).resolve().parent


def _suite(context: Context, python: str, scheme: str) -> None:
    print(run([python, _HERE / "boto3_suite.py"], context.environment(scheme), timeout_seconds=600).strip())


def _distribution_python() -> str:
    python = "/usr/bin/python3"
    probe = subprocess.run([python, "-c", "import boto3"], capture_output=True, check=False, timeout=60)
    if probe.returncode != 0:
        raise MissingClient("python3-boto3 is not installed: tools/setup --tests")
    return python


def _newest_python(context: Context) -> str:
    """A virtual environment with the newest boto3, made once per run."""
    home = context.scratch / "venv"
    python = home / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, timeout=120, capture_output=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "boto3"], check=True, timeout=600)
    return str(python)


def boto3_distribution_http(context: Context) -> None:
    """The distribution's boto3 over http."""
    _suite(context, _distribution_python(), "http")


def boto3_distribution_https(context: Context) -> None:
    """The distribution's boto3 over https."""
    _suite(context, _distribution_python(), "https")


def boto3_newest_http(context: Context) -> None:
    """The newest boto3 over http."""
    _suite(context, _newest_python(context), "http")


def boto3_newest_https(context: Context) -> None:
    """The newest boto3 over https: aws-chunked bodies with trailing checksums."""
    _suite(context, _newest_python(context), "https")


def javascript_sdk(context: Context) -> None:
    """The JavaScript SDK v3: bytes, stream, Upload, list, delete."""
    npm, node = require("npm"), require("node")
    here = context.directory("js")
    for name in ("package.json", "suite.mjs"):
        shutil.copy(_HERE / "js" / name, here / name)
    subprocess.run([npm, "install", "--no-audit", "--no-fund", "--silent"], cwd=here, check=True, timeout=600,
                   stdout=subprocess.DEVNULL)
    for scheme in ("http", "https"):
        run([node, here / "suite.mjs"], context.environment(scheme), timeout_seconds=120)


SCENARIOS = [
    boto3_distribution_http, boto3_distribution_https, boto3_newest_http, boto3_newest_https, javascript_sdk,
]
