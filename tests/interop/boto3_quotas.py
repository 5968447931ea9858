"""Run by both boto3s against a bucket of 8 KiB and four objects; leaves 8 KiB in two of them."""

import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = os.environ["BUCKET"]
KIB = 1024


def refused(call, **arguments):
    """The call must end with QuotaExceeded."""
    try:
        call(Bucket=BUCKET, **arguments)
    except ClientError as error:
        told = error.response
        assert told["Error"]["Code"] == "QuotaExceeded", told
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 403, told
        assert "quota of" in told["Error"]["Message"], told
        return
    raise AssertionError(f"{call} was not refused")


def main():
    s3 = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"],
                      config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"a" * 6 * KIB)
    refused(s3.put_object, Key="b", Body=b"b" * 3 * KIB)
    refused(s3.copy_object, Key="c", CopySource={"Bucket": BUCKET, "Key": "a"})
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"a" * 5 * KIB)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="m")["UploadId"]
    refused(s3.upload_part, Key="m", UploadId=upload, PartNumber=1, Body=b"m" * 4 * KIB)
    part = s3.upload_part(Bucket=BUCKET, Key="m", UploadId=upload, PartNumber=1, Body=b"m" * 3 * KIB)
    refused(s3.put_object, Key="b", Body=b"b")
    s3.complete_multipart_upload(Bucket=BUCKET, Key="m", UploadId=upload,
                                 MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    for key in ("x", "y"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    refused(s3.put_object, Key="z", Body=b"")
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "x"}, {"Key": "y"}]})
    print(f"boto3 {boto3.__version__}: quotas are met")


main()
