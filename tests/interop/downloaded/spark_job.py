"""What Spark jobs do with s3a, on the bucket in BUCKET: run by downloaded_clients.py with the settings users are given."""

from __future__ import annotations

import operator
import os
import sys
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

BUCKET = os.environ["BUCKET"]
ROOT = f"s3a://{BUCKET}"
ROWS = 200_000
TEXT = "a stone is a stone\nis a stone\n" * 1000


def check(what: str, got: object, want: object) -> None:
    """Ends the job at the first difference."""
    if got != want:
        raise AssertionError(f"{what}: {got!r}, not {want!r}")
    print(f"spark: {what}: right", flush=True)


class Files:
    """Hadoop's view of the store."""

    def __init__(self, spark: SparkSession) -> None:
        self.jvm: Any = spark._jvm  # noqa: SLF001  PySpark has no other way to Hadoop's file systems
        self.path = self.jvm.org.apache.hadoop.fs.Path
        configuration = spark._jsc.hadoopConfiguration()  # noqa: SLF001
        self.fs: Any = self.path(ROOT).getFileSystem(configuration)

    def at(self, name: str) -> Any:
        """A path of the bucket."""
        return self.path(f"{ROOT}/{name}")

    def write(self, name: str, data: bytes) -> None:
        """A whole file."""
        stream = self.fs.create(self.at(name), True)
        stream.write(bytearray(data))
        stream.close()

    def names(self, name: str) -> list[str]:
        """What is directly below."""
        return sorted(status.getPath().getName() for status in self.fs.listStatus(self.at(name)))


def tables(spark: SparkSession) -> None:
    """Parquet, partitioned, read with pushed filters, appended to and overwritten; CSV and JSON."""
    rows: DataFrame = spark.range(ROWS).select(
        "id", (f.col("id") % 7).alias("day"), f.sha2(f.col("id").cast("string"), 256).alias("text"))
    rows.repartition(4).write.partitionBy("day").parquet(f"{ROOT}/table")
    table = spark.read.parquet(f"{ROOT}/table")
    check("rows of a partitioned table", table.count(), ROWS)
    check("rows of one partition", table.where("day = 3").count(), len(range(3, ROWS, 7)))
    check("a column, by vectored reads", table.agg(f.sum("id")).first()[0], ROWS * (ROWS - 1) // 2)
    rows.limit(10).write.mode("append").partitionBy("day").parquet(f"{ROOT}/table")
    check("rows after appending", spark.read.parquet(f"{ROOT}/table").count(), ROWS + 10)
    rows.limit(99).write.mode("overwrite").partitionBy("day").parquet(f"{ROOT}/table")
    check("rows after overwriting", spark.read.parquet(f"{ROOT}/table").count(), 99)
    rows.limit(1000).write.csv(f"{ROOT}/csv", header=True)
    check("lines of CSV", spark.read.csv(f"{ROOT}/csv", header=True).count(), 1000)
    rows.limit(1000).write.json(f"{ROOT}/json", compression="gzip")
    check("lines of JSON", spark.read.json(f"{ROOT}/json").count(), 1000)
    try:
        rows.limit(1).write.parquet(f"{ROOT}/table")
        raise AssertionError("a table was written over one that exists")
    except Exception as error:  # noqa: BLE001  Spark 3 and 4 have different classes for it
        check("a table that exists is not written over", "exists" in str(error), True)


def words(spark: SparkSession) -> None:
    """The example that everybody starts with."""
    Files(spark).write("sample.txt", TEXT.encode())
    lines = spark.read.text(f"{ROOT}/sample.txt").rdd.map(lambda row: row[0])
    counts = dict(lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1)).reduceByKey(operator.add)
                  .collect())
    check("words of a text", counts, {word: TEXT.split().count(word) for word in set(TEXT.split())})


def files(spark: SparkSession) -> None:
    """Directories that object stores do not have: made, listed, renamed, removed."""
    store = Files(spark)
    fs, at = store.fs, store.at
    check("an empty directory is made", fs.mkdirs(at("d/e/f")), True)
    check("it is one", fs.getFileStatus(at("d/e")).isDirectory(), True)
    for i in range(30):
        store.write(f"d/e/f/{i}", b"x" * i)
    check("its files", len(store.names("d/e/f")), 30)
    check("the size of one", fs.getFileStatus(at("d/e/f/17")).getLen(), 17)
    check("what there is not", fs.exists(at("d/e/g")), False)
    check("a directory is renamed", fs.rename(at("d/e"), at("d/renamed")), True)
    check("it is there, whole", len(store.names("d/renamed/f")), 30)
    check("and gone", fs.exists(at("d/e")), False)
    check("all below a directory", fs.getContentSummary(at("d")).getLength(), sum(range(30)))
    large = bytes(range(256)) * (12 << 12)  # 12 MiB: more than one part
    store.write("large", large)
    stream = fs.open(at("large"))
    stream.seek(7 << 20)
    check("a byte in the middle", stream.read(), (7 << 20) % 256)
    stream.close()
    check("a large file is renamed", fs.rename(at("large"), at("larger")), True)
    check("its size", fs.getFileStatus(at("larger")).getLen(), len(large))
    check("a directory is removed with all below", fs.delete(at("d"), True), True)
    check("nothing of it is left", fs.exists(at("d")), False)


def main() -> int:
    builder = SparkSession.builder.master("local[2]").appName("outcrop")
    for line in Path(os.environ["SETTINGS"]).read_text().splitlines():
        builder = builder.config(*line.split(None, 1))
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for part in (words, tables, files):
        part(spark)
    spark.stop()
    print("spark: all right", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
