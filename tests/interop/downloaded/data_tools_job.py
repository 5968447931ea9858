"""What data and training programs do, on the bucket in BUCKET at AWS_ENDPOINT_URL: PyArrow, s3fs, Delta Lake, MLflow. Run by
downloaded_clients.py."""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import deltalake
import pyarrow as pa
import pyarrow.dataset as ds
import s3fs
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from pyarrow import fs

BUCKET = os.environ["BUCKET"]
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
ROWS = 100_000
WRITERS, COMMITS = 3, 4  # of Delta tables, at once


def check(what: str, got: object, want: object) -> None:
    """Ends the job at the first difference."""
    if got != want:
        raise AssertionError(f"{what}: {got!r}, not {want!r}")
    print(f"data tools: {what}: right", flush=True)


def arrow() -> None:
    """A partitioned Parquet data set; files, directories, moves and ranges."""
    scheme, _, host = ENDPOINT.partition("://")
    store = fs.S3FileSystem(endpoint_override=host, scheme=scheme, region=os.environ["AWS_REGION"])
    table = pa.table({"id": range(ROWS), "day": [i % 5 for i in range(ROWS)]})
    ds.write_dataset(table, f"{BUCKET}/arrow", filesystem=store, format="parquet",
                     partitioning=ds.partitioning(pa.schema([("day", pa.int64())]), flavor="hive"))
    data = ds.dataset(f"{BUCKET}/arrow", filesystem=store, partitioning="hive")
    check("rows of a data set", data.count_rows(), ROWS)
    check("rows of one partition", data.to_table(filter=ds.field("day") == 2).num_rows, ROWS // 5)
    with store.open_output_stream(f"{BUCKET}/stream") as out:
        out.write(bytes(range(256)) * (80 << 10))  # 20 MiB: several parts
    with store.open_input_file(f"{BUCKET}/stream") as file:
        file.seek(11 << 20)
        check("bytes in the middle of a large object", file.read(4), bytes(range(4)))
    store.move(f"{BUCKET}/stream", f"{BUCKET}/moved")
    check("an object is moved", [i.type for i in store.get_file_info([f"{BUCKET}/stream", f"{BUCKET}/moved"])],
          [fs.FileType.NotFound, fs.FileType.File])
    store.create_dir(f"{BUCKET}/empty")
    check("an empty directory", store.get_file_info(f"{BUCKET}/empty").type, fs.FileType.Directory)
    store.delete_dir(f"{BUCKET}/arrow")
    check("a directory is deleted", store.get_file_info(f"{BUCKET}/arrow").type, fs.FileType.NotFound)


def fsspec() -> None:
    """s3fs: what pandas, Dask and PyTorch data loaders open files with."""
    store = s3fs.S3FileSystem(endpoint_url=ENDPOINT)
    store.pipe({f"{BUCKET}/f/{i}.txt": str(i).encode() for i in range(50)})
    check("a pattern", len(store.glob(f"{BUCKET}/f/*.txt")), 50)
    check("many at once", store.cat(f"{BUCKET}/f/*")[f"{BUCKET}/f/7.txt"], b"7")
    with store.open(f"{BUCKET}/f/7.txt", "ab") as file:
        file.write(b" and more")
    check("appended text", store.cat_file(f"{BUCKET}/f/7.txt"), b"7 and more")
    store.copy(f"{BUCKET}/f", f"{BUCKET}/g", recursive=True)
    check("a directory is copied", len(store.find(f"{BUCKET}/g")), 50)
    store.mv(f"{BUCKET}/g/7.txt", f"{BUCKET}/seven.txt")
    check("a file is moved", (store.exists(f"{BUCKET}/g/7.txt"), store.cat_file(f"{BUCKET}/seven.txt")),
          (False, b"7 and more"))
    store.rm(f"{BUCKET}/g", recursive=True)
    store.invalidate_cache()
    check("a directory is removed", store.exists(f"{BUCKET}/g"), False)


def delta() -> None:
    """Writers at once commit by If-None-Match: nobody's rows are lost."""
    where = f"s3://{BUCKET}/delta"
    options = {"aws_allow_http": "true", "aws_conditional_put": "etag"}
    rows = pa.table({"n": range(100)})
    deltalake.write_deltalake(where, rows, storage_options=options)

    def write(_: int) -> None:
        for _ in range(COMMITS):
            deltalake.write_deltalake(where, rows, mode="append", storage_options=options)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    table = deltalake.DeltaTable(where, storage_options=options)
    check("commits of writers at once", table.version(), WRITERS * COMMITS)
    check("their rows", table.to_pyarrow_table().num_rows, 100 * (1 + WRITERS * COMMITS))


def mlflow() -> None:
    """The artifacts of a run."""
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model"
        (model / "data").mkdir(parents=True)
        (model / "MLmodel").write_text("flavors: {}\n")
        (model / "data" / "weights").write_bytes(bytes(12 << 20))
        artifacts = get_artifact_repository(f"s3://{BUCKET}/mlflow/run")
        artifacts.log_artifacts(str(model), "model")
        check("artifacts", sorted(a.path for a in artifacts.list_artifacts("model")), ["model/MLmodel", "model/data"])
        back = Path(artifacts.download_artifacts("model"))
        check("weights", (back / "data" / "weights").read_bytes() == bytes(12 << 20), True)


def main() -> int:
    for part in (arrow, fsspec, delta, mlflow):
        part()
    return 0


if __name__ == "__main__":
    sys.exit(main())
