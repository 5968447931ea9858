#!/usr/bin/env python3
"""Clients that are too large to come with every run: Spark 3.5 with Hadoop 3.3.4 (AWS SDK 1) and Spark 4.1 with Hadoop
3.4.2 (AWS SDK 2), with the settings of conf/spark-defaults.conf and with the committer that renames; PyArrow (AWS SDK for
C++), s3fs, Delta Lake, MLflow. Spark needs Java 17 and Maven; all of it about 2.5 GiB."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from s3client import S3Client  # noqa: E402
from server import REGION, Server  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
JOBS = Path(__file__).resolve().parent / "downloaded"
COMMITTER_KEYS = ("committer", "commitProtocolClass")


@dataclass(frozen=True)
class Stack:
    """Versions that belong together: hadoop-aws is that of the Hadoop client inside PySpark."""

    packages: tuple[str, ...]
    jars: tuple[str, ...] = ()


STACKS = {
    "data-tools": Stack(("pyarrow==26.0.1", "s3fs==2026.9.0", "boto3", "deltalake==1.6.6", "mlflow-skinny==3.17.2")),
    "spark-3.5": Stack(("pyspark==3.5.8",),
                       ("org.apache.hadoop:hadoop-aws:3.3.4", "com.amazonaws:aws-java-sdk-bundle:1.12.262",
                        "org.wildfly.openssl:wildfly-openssl:1.0.7.Final",
                        "org.apache.spark:spark-hadoop-cloud_2.12:3.5.8")),
    "spark-4.1": Stack(("pyspark==4.1.1",),
                       ("org.apache.hadoop:hadoop-aws:3.4.2", "software.amazon.awssdk:bundle:2.29.52",
                        "org.wildfly.openssl:wildfly-openssl:1.0.7.Final",
                        "org.apache.spark:spark-hadoop-cloud_2.13:4.1.1")),
}


def install(stack: Stack, folder: Path) -> Path:
    """The packages in an environment of their own, jars beside Spark's; the environment's Python."""
    python = folder / "bin" / "python"
    done = folder / "complete"
    if done.exists():
        return python
    venv.create(folder, clear=True, with_pip=True)
    subprocess.run([python, "-m", "pip", "-q", "install", *stack.packages], check=True, timeout=900)
    for artifact in stack.jars:
        jars = next(folder.glob("lib/python3*/site-packages/pyspark/jars"))
        for goal in ("get", "copy"):
            where = [] if goal == "get" else [f"-DoutputDirectory={jars}"]
            subprocess.run(["mvn", "-q", "-B", f"dependency:{goal}", f"-Dartifact={artifact}", "-Dtransitive=false",
                            *where], check=True, timeout=900, cwd=folder)
    done.touch()
    return python


def run_job(server: Server, python: Path, name: str, bucket: str, environment: dict[str, str]) -> str:
    """One job on a bucket of its own; what is wrong, or nothing."""
    server.client().create_bucket(bucket)
    keys = server.credentials()
    base = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MLFLOW_", "SPARK_"))}
    base |= {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key, "AWS_REGION": REGION,
             "AWS_DEFAULT_REGION": REGION, "BUCKET": bucket}
    done = subprocess.run([python, JOBS / name], env=base | environment, cwd=server.root, capture_output=True, text=True,
                          check=False, timeout=1200)
    if done.returncode == 0:
        return ""
    return f"{bucket}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}"


def settings(endpoint: str, magic: bool) -> str:
    """conf/spark-defaults.conf for this server; without its committer, Hadoop's renames."""
    lines = []
    for line in (ROOT / "conf" / "spark-defaults.conf").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, value = line.split(None, 1)
        if magic or not any(key in name for key in COMMITTER_KEYS):
            lines.append(f"{name} {endpoint if name.endswith('s3a.endpoint') else value}")
    if not magic:
        lines += ["spark.hadoop.fs.s3a.committer.name file",  # since 4.1 Spark's own default is magic, too
                  "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version 2"]
    # Parts are the smallest there may be, so that 12 MiB are several.
    return "\n".join([*lines, "spark.hadoop.fs.s3a.multipart.size 5M", "spark.ui.enabled false",
                      "spark.sql.shuffle.partitions 4"])


def committer_of(client: S3Client, bucket: str) -> str:
    """S3A's committers leave a description in _SUCCESS, Hadoop's own an empty file."""
    description = client.checked("_SUCCESS", client.get(bucket, "csv/_SUCCESS")).body
    return str(json.loads(description)["committer"]) if description else ""


def spark(server: Server, python: Path, bucket: str, magic: bool) -> list[str]:
    """The Spark job, and what it may not leave behind."""
    conf = server.root / f"{bucket}.conf"
    conf.write_text(settings(server.endpoint, magic))
    environment = {"SETTINGS": str(conf), "SPARK_LOCAL_IP": "127.0.0.1"}
    if failure := run_job(server, python, "spark_job.py", bucket, environment):
        return [failure]
    client = server.client()
    problems = []
    if (committer := committer_of(client, bucket)) != ("magic" if magic else ""):
        problems.append(f"{bucket}: committed by {committer!r}")
    left = client.call("GET", bucket, query={"uploads": ""}).body
    if b"<Upload>" in left:
        problems.append(f"{bucket}: uploads were left open: {left[:500]!r}")
    strange = [key for key, _ in client.list_keys(bucket) if "_temporary" in key or "__magic" in key]
    if strange:
        problems.append(f"{bucket}: left behind: {strange[:5]}")
    return problems


def data_tools(server: Server, python: Path) -> list[str]:
    """Everything that is not Spark."""
    environment = {"AWS_ENDPOINT_URL": server.endpoint, "MLFLOW_S3_ENDPOINT_URL": server.endpoint}
    failure = run_job(server, python, "data_tools_job.py", "data-tools", environment)
    return [failure] if failure else []


def scenarios(server: Server, name: str, python: Path) -> Iterator[tuple[str, list[str]]]:
    """What is run with a stack, and what is wrong with it."""
    if name == "data-tools":
        yield name, data_tools(server, python)
    else:
        for magic in (False, True):
            bucket = f"{name.replace('.', '')}-{'magic' if magic else 'rename'}"
            yield bucket, spark(server, python, bucket, magic)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--only", choices=STACKS, action="append", help="one of them; can be repeated")
    parser.add_argument("--clients", type=Path, required=True, help="where the clients are installed, once")
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    chosen = options.only or list(STACKS)
    for program in ("java", "mvn"):
        if any(STACKS[name].jars for name in chosen) and shutil.which(program) is None:
            print(f"clients: {program} is not installed (Debian: default-jre-headless, maven)")
            return 1
    problems: list[str] = []
    with Server(options.outcropd, scratch=options.scratch) as server:
        for name in chosen:
            python = install(STACKS[name], options.clients.resolve() / name)
            for what, found in scenarios(server, name, python):
                print(f"clients: {what}: {'FAIL' if found else 'PASS'}", flush=True)
                problems += found
    for problem in problems:
        print(f"clients: {problem}")
    print(f"clients: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
