"""What tools look at before they change anything (Terraform, Pulumi): every reading of a fresh bucket, as AWS has it."""

from __future__ import annotations

from context import Context, equal

# Query -> status, error code, and what the body has. From the API reference of S3, and AWS's answers for a new bucket.
FRESH: dict[str, tuple[int, str, str]] = {
    "abac": (405, "MethodNotAllowed", ""),  # not known here; AWS: 200 Disabled
    "accelerate": (200, "", "AccelerateConfiguration"),
    "acl": (200, "", "<Permission>FULL_CONTROL</Permission>"),
    "analytics": (200, "", "<IsTruncated>false</IsTruncated>"),
    "analytics&id=a": (404, "NoSuchConfiguration", ""),
    "cors": (404, "NoSuchCORSConfiguration", ""),
    "encryption": (404, "ServerSideEncryptionConfigurationNotFoundError", ""),  # AWS since 2023: 200 AES256
    "intelligent-tiering": (200, "", "<IsTruncated>false</IsTruncated>"),
    "intelligent-tiering&id=a": (404, "NoSuchConfiguration", ""),
    "inventory": (200, "", "<IsTruncated>false</IsTruncated>"),
    "inventory&id=a": (404, "NoSuchConfiguration", ""),
    "lifecycle": (404, "NoSuchLifecycleConfiguration", ""),
    "location": (200, "", "LocationConstraint"),
    "logging": (200, "", "BucketLoggingStatus"),
    "metadataConfiguration": (405, "MethodNotAllowed", ""),
    "metadataTable": (405, "MethodNotAllowed", ""),
    "metrics": (200, "", "<IsTruncated>false</IsTruncated>"),
    "metrics&id=a": (404, "NoSuchConfiguration", ""),
    "notification": (200, "", "NotificationConfiguration"),
    "object-lock": (404, "ObjectLockConfigurationNotFoundError", ""),
    "ownershipControls": (200, "", "<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>"),
    "policy": (404, "NoSuchBucketPolicy", ""),
    "policyStatus": (404, "NoSuchBucketPolicy", ""),
    "publicAccessBlock": (200, "", "<BlockPublicPolicy>true</BlockPublicPolicy>"),
    "replication": (404, "ReplicationConfigurationNotFoundError", ""),
    "requestPayment": (200, "", "<Payer>BucketOwner</Payer>"),
    "tagging": (404, "NoSuchTagSet", ""),
    "versioning": (200, "", "VersioningConfiguration"),
    "website": (404, "NoSuchWebsiteConfiguration", ""),
    "versions": (200, "", "ListVersionsResult"),
    "uploads": (200, "", "ListMultipartUploadsResult"),
    "list-type=2": (200, "", "<KeyCount>0</KeyCount>"),
}


def readings_of_a_fresh_bucket(context: Context) -> None:
    """every get-bucket-* of a new bucket: status and code as AWS, and NoSuchBucket where there is none"""
    client = context.server().client()
    client.create_bucket("fresh")
    got = {}
    for query, (status, _, part) in FRESH.items():
        parameters = dict((p + "=").split("=")[:2] for p in query.split("&"))
        answer = client.call("GET", "fresh", query=parameters)
        inside = part if part.encode() in answer.body else answer.body.decode()
        got[query] = (answer.status, answer.code, inside if status == 200 else "")
        absent = client.call("GET", "no-such-bucket-here", query=parameters)
        want = (405, "MethodNotAllowed") if status == 405 else (404, "NoSuchBucket")
        equal(f"{query} of no bucket", (absent.status, absent.code), want)
    for query, want in FRESH.items():
        equal(query, got[query], want)
    equal("head", client.call("HEAD", "fresh").status, 200)
    equal("head of none", client.call("HEAD", "no-such-bucket-here").status, 404)
    equal("delete", client.call("DELETE", "fresh").status, 204)


SCENARIOS = [readings_of_a_fresh_bucket]
