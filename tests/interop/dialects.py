"""The dialect of Ceph's gateway: signatures, roles and presigned URLs as software that was made for it has them."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable

from context import Context, equal, run
from sdk_clients import _distribution_python, _newest_python
from server import Server

# Signs S3 for no region, and asks for a role by an ARN without an account. The last line is a URL.
SUITE = """
import boto3, json, os
from botocore.config import Config
from botocore.exceptions import ClientError
def client(service, region="us-east-1", **more):
    return boto3.client(service, endpoint_url=os.environ["ENDPOINT"], region_name=region, **more)
def keys(made):
    return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made.get("SessionToken")}
def answer(call, **arguments):
    try:
        call(**arguments)
        return "done"
    except ClientError as error:
        return error.response["Error"]["Code"]
iam = client("iam")
iam.create_user(UserName="ann")
trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam:::user/ann"}, "Action": "sts:AssumeRole"}}
print(iam.create_role(RoleName="maker", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"])
iam.put_role_policy(RoleName="maker", PolicyName="p", PolicyDocument=json.dumps(
    {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}))
ann = client("sts", **keys(iam.create_access_key(UserName="ann")["AccessKey"]))
try:
    role = keys(ann.assume_role(RoleArn="arn:aws:iam:::role/maker", RoleSessionName="work")["Credentials"])
except ClientError as error:
    print(error.response["Error"]["Code"])
    role = keys(ann.assume_role(RoleArn="arn:aws:iam::000000000000:role/maker", RoleSessionName="work")["Credentials"])
print(answer(client("s3", "", **role).create_bucket, Bucket="mine"))
signer = client("s3", config=Config(signature_version="s3v4"))
print(signer.generate_presigned_url("list_objects", Params={"Bucket": "shared"}, ExpiresIn=700000))
"""


def _answers(context: Context, python: str, dialect: str) -> list[str | int]:
    """What SUITE is answered, and the status of its URL."""
    with Server(context.binary, drives=1, scratch=context.scratch,
                extra_config=f'[s3]\ndialect = "{dialect}"') as server:
        server.client().create_bucket("shared")
        keys = server.credentials()
        environment = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key,
                       "ENDPOINT": server.endpoint}
        *lines, url = run([python, "-c", SUITE], environment, timeout_seconds=120).splitlines()
        try:
            with urllib.request.urlopen(url, timeout=10) as reply:
                return [*lines, reply.status]
        except urllib.error.HTTPError as error:
            return [*lines, error.code]


def dialect_of_rgw(context: Context) -> None:
    """boto3, old and new, signs for no region and has a role by an ARN without an account, if that is asked for"""
    for python in (_distribution_python(), _newest_python(context)):
        equal("rgw", _answers(context, python, "rgw"), ["arn:aws:iam:::role/maker", "done", 403])
        equal("aws", _answers(context, python, "aws"),
              ["arn:aws:iam::000000000000:role/maker", "AccessDenied", "AuthorizationHeaderMalformed", 400])


SCENARIOS: list[Callable[[Context], None]] = [dialect_of_rgw]
