#!/usr/bin/env python3
"""IAM and STS by boto3: renames, AWS's policies, and what Terraform calls for its aws_iam_ resources."""

from __future__ import annotations

import json
import sys
from typing import Any

import boto3
from boto3_checks import Checks
from boto3_suite import ENDPOINT, expect_error
from botocore.config import Config

AWS = "arn:aws:iam::aws:policy/"
ACCOUNT = "arn:aws:iam::000000000000:"


def document(action: str, resource: str = "*", **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": resource} | more]})


def client(service: str, key: dict[str, str] | None = None) -> Any:
    keys = {} if key is None else {"aws_access_key_id": key["AccessKeyId"],
                                   "aws_secret_access_key": key["SecretAccessKey"]}
    return boto3.client(service, endpoint_url=ENDPOINT, **keys, config=Config(
        retries={"max_attempts": 0}, read_timeout=60, s3={"addressing_style": "path"}))


class Identity(Checks):
    """Every check removes what it made."""

    subject = "identity"

    def __init__(self) -> None:
        super().__init__()
        self.iam = client("iam")

    def _user(self, name: str) -> dict[str, str]:
        self.iam.create_user(UserName=name)
        return dict(self.iam.create_access_key(UserName=name)["AccessKey"])

    def _remove(self, name: str) -> None:
        """As Terraform does with force_destroy."""
        iam = self.iam
        for page in iam.get_paginator("list_groups_for_user").paginate(UserName=name):
            for group in page["Groups"]:
                iam.remove_user_from_group(UserName=name, GroupName=group["GroupName"])
        for page in iam.get_paginator("list_access_keys").paginate(UserName=name):
            for key in page["AccessKeyMetadata"]:
                iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        assert iam.list_ssh_public_keys(UserName=name)["SSHPublicKeys"] == []
        assert iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"] == []
        assert iam.list_mfa_devices(UserName=name)["MFADevices"] == []
        expect_error("NoSuchEntity", 404, iam.delete_login_profile, UserName=name)
        assert iam.list_signing_certificates(UserName=name)["Certificates"] == []
        assert iam.list_service_specific_credentials(UserName=name)["ServiceSpecificCredentials"] == []
        iam.delete_user(UserName=name)

    def check_a_user_as_terraform_makes_him(self) -> None:
        iam = self.iam
        made = iam.create_user(UserName="tf-user", Path="/tf/", Tags=[])["User"]
        assert iam.get_user(UserName="tf-user")["User"] == made
        assert iam.list_user_tags(UserName="tf-user")["Tags"] == []
        key = iam.create_access_key(UserName="tf-user")["AccessKey"]
        used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
        assert used["UserName"] == "tf-user" and used["AccessKeyLastUsed"]["ServiceName"] == "N/A", used
        client("sts", key).get_caller_identity()
        used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
        assert used["ServiceName"] == "sts" and "LastUsedDate" in used, used
        iam.put_user_policy(UserName="tf-user", PolicyName="p", PolicyDocument=document("s3:*"))
        assert iam.get_user_policy(UserName="tf-user", PolicyName="p")["PolicyDocument"]["Statement"]
        iam.attach_user_policy(UserName="tf-user", PolicyArn=AWS + "AmazonS3ReadOnlyAccess")
        attached = iam.list_attached_user_policies(UserName="tf-user")["AttachedPolicies"]
        assert attached == [{"PolicyName": "AmazonS3ReadOnlyAccess", "PolicyArn": AWS + "AmazonS3ReadOnlyAccess"}]
        iam.update_user(UserName="tf-user", NewUserName="tf-user", NewPath="/")
        iam.update_user(UserName="tf-user", NewUserName="tf-renamed", NewPath="/")
        expect_error("NoSuchEntity", 404, iam.get_user, UserName="tf-user")
        assert iam.get_user(UserName="TF-Renamed")["User"]["UserId"] == made["UserId"]
        iam.put_user_permissions_boundary(UserName="tf-renamed", PermissionsBoundary=AWS + "ReadOnlyAccess")
        bound = iam.get_user(UserName="tf-renamed")["User"]["PermissionsBoundary"]
        assert bound["PermissionsBoundaryArn"] == AWS + "ReadOnlyAccess", bound
        iam.delete_user_permissions_boundary(UserName="tf-renamed")
        assert "PermissionsBoundary" not in iam.get_user(UserName="tf-renamed")["User"]
        iam.detach_user_policy(UserName="tf-renamed", PolicyArn=AWS + "AmazonS3ReadOnlyAccess")
        iam.delete_user_policy(UserName="tf-renamed", PolicyName="p")
        self._remove("tf-renamed")

    def check_tags_as_terraform_sets_them(self) -> None:
        """With default_tags every resource is made with some; a change removes old ones and adds new ones."""
        iam = self.iam
        tags = [{"Key": "Environment", "Value": "test"}, {"Key": "owner", "Value": "ä team"}]
        user = iam.create_user(UserName="tf-tagged", Tags=tags)["User"]
        role = iam.create_role(RoleName="tf-tagged", AssumeRolePolicyDocument=document(
            "sts:AssumeRole", Principal={"AWS": "*"}).replace('"Resource": "*", ', ""), Tags=tags)["Role"]
        policy = iam.create_policy(PolicyName="tf-tagged", PolicyDocument=document("s3:*"), Tags=tags)["Policy"]
        provider = iam.create_open_id_connect_provider(Url="https://tf.example.com", ClientIDList=["c"],
                                                           ThumbprintList=["0" * 40], Tags=tags)
        arn = provider["OpenIDConnectProviderArn"]
        shown = [user, role, policy, provider, iam.get_user(UserName="tf-tagged")["User"],
                 iam.get_role(RoleName="tf-tagged")["Role"], iam.get_policy(PolicyArn=policy["Arn"])["Policy"],
                 iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)]
        assert all(one["Tags"] == tags for one in shown), shown
        named = {"user": {"UserName": "tf-tagged"}, "role": {"RoleName": "tf-tagged"},
                 "policy": {"PolicyArn": policy["Arn"]},
                 "open_id_connect_provider": {"OpenIDConnectProviderArn": arn}}
        for kind, name in named.items():
            getattr(iam, f"untag_{kind}")(**name, TagKeys=["owner"])
            getattr(iam, f"tag_{kind}")(**name, Tags=[{"Key": "environment", "Value": "prod"}, {"Key": "b", "Value": ""}])
            listed = getattr(iam, f"list_{kind}_tags")(**name)["Tags"]
            assert listed == [{"Key": "b", "Value": ""}, {"Key": "environment", "Value": "prod"}], listed
        expect_error("InvalidInput", 400, iam.tag_user, UserName="tf-tagged", Tags=[
            {"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}])
        expect_error("LimitExceeded", 409, iam.tag_user, UserName="tf-tagged", Tags=[
            {"Key": str(n), "Value": ""} for n in range(49)])
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        iam.delete_policy(PolicyArn=policy["Arn"])
        iam.delete_role(RoleName="tf-tagged")
        iam.delete_user(UserName="tf-tagged")

    def check_what_tags_let_through(self) -> None:
        key = self._user("tagged-alice")
        self.s3.put_object(Bucket=self.bucket, Key="red/k", Body=b"v")
        self.iam.put_user_policy(UserName="tagged-alice", PolicyName="p", PolicyDocument=document(
            "s3:GetObject", f"arn:aws:s3:::{self.bucket}/${{aws:PrincipalTag/team}}/*"))
        trust = document("*", Principal={"AWS": "000000000000"}).replace('"Resource": "*", ', "").replace(
            '"Action": "*"', '"Action": ["sts:AssumeRole", "sts:TagSession"]')
        self.iam.create_role(RoleName="tagged-role", AssumeRolePolicyDocument=trust)
        self.iam.put_role_policy(RoleName="tagged-role", PolicyName="p", PolicyDocument=document(
            "s3:GetObject", f"arn:aws:s3:::{self.bucket}/${{aws:PrincipalTag/team}}/*"))
        mine = client("s3", key)
        expect_error("AccessDenied", 403, mine.get_object, Bucket=self.bucket, Key="red/k")
        self.iam.tag_user(UserName="tagged-alice", Tags=[{"Key": "Team", "Value": "red"}])
        assert mine.get_object(Bucket=self.bucket, Key="red/k")["Body"].read() == b"v"
        self.iam.put_user_policy(UserName="tagged-alice", PolicyName="p", PolicyDocument=document("sts:*"))
        made = client("sts", key).assume_role(
            RoleArn=ACCOUNT + "role/tagged-role", RoleSessionName="work", Tags=[{"Key": "team", "Value": "red"}],
            TransitiveTagKeys=["team"])["Credentials"]
        session = boto3.client("s3", endpoint_url=ENDPOINT, aws_access_key_id=made["AccessKeyId"],
                               aws_secret_access_key=made["SecretAccessKey"],
                               aws_session_token=made["SessionToken"],
                               config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}))
        assert session.get_object(Bucket=self.bucket, Key="red/k")["Body"].read() == b"v"
        self.iam.delete_role_policy(RoleName="tagged-role", PolicyName="p")
        self.iam.delete_role(RoleName="tagged-role")
        self.iam.delete_user_policy(UserName="tagged-alice", PolicyName="p")
        self._remove("tagged-alice")

    def check_what_a_boundary_lets_through(self) -> None:
        iam = self.iam
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"v")
        limit = iam.create_policy(PolicyName="bound-limit", PolicyDocument=document("s3:GetObject"))["Policy"]["Arn"]
        key = self._user("bound-alice")
        iam.put_user_policy(UserName="bound-alice", PolicyName="p", PolicyDocument=document("s3:*"))
        mine = client("s3", key)
        mine.put_object(Bucket=self.bucket, Key="k", Body=b"v")
        iam.put_user_permissions_boundary(UserName="bound-alice", PermissionsBoundary=limit)
        assert mine.get_object(Bucket=self.bucket, Key="k")["Body"].read() == b"v"
        expect_error("AccessDenied", 403, mine.put_object, Bucket=self.bucket, Key="k", Body=b"v")
        policy = json.loads(document("s3:PutObject", f"arn:aws:s3:::{self.bucket}/*",
                                     Principal={"AWS": "*"}))
        self.s3.delete_public_access_block(Bucket=self.bucket)
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        expect_error("AccessDenied", 403, mine.put_object, Bucket=self.bucket, Key="k", Body=b"v")
        policy["Statement"][0]["Principal"]["AWS"] = ACCOUNT + "user/bound-alice"
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        mine.put_object(Bucket=self.bucket, Key="k", Body=b"w")
        self.s3.delete_bucket_policy(Bucket=self.bucket)
        assert iam.get_policy(PolicyArn=limit)["Policy"]["PermissionsBoundaryUsageCount"] == 1
        expect_error("DeleteConflict", 409, iam.delete_policy, PolicyArn=limit)
        role = iam.create_role(RoleName="bound-role", PermissionsBoundary=limit, AssumeRolePolicyDocument=document(
            "sts:AssumeRole", Principal={"AWS": "*"}).replace('"Resource": "*", ', ""))["Role"]
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == limit, role
        bound = iam.list_entities_for_policy(PolicyArn=limit, PolicyUsageFilter="PermissionsBoundary")
        assert len(bound["PolicyUsers"]) == 1 and len(bound["PolicyRoles"]) == 1, bound
        iam.delete_role(RoleName="bound-role")
        iam.delete_user_permissions_boundary(UserName="bound-alice")
        mine.put_object(Bucket=self.bucket, Key="k", Body=b"v")
        iam.delete_policy(PolicyArn=limit)
        iam.delete_user_policy(UserName="bound-alice", PolicyName="p")
        self._remove("bound-alice")

    def check_what_simulations_say(self) -> None:
        iam = self.iam
        self._user("sim-alice")
        arn = ACCOUNT + "user/sim-alice"
        iam.put_user_policy(UserName="sim-alice", PolicyName="p", PolicyDocument=document(
            "s3:Get*", "arn:aws:s3:::b/*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
        iam.attach_user_policy(UserName="sim-alice", PolicyArn=AWS + "AWSDenyAll")
        keys = iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)["ContextKeyNames"]
        assert keys == ["aws:SourceIp"], keys
        ask: dict[str, Any] = {"PolicySourceArn": arn, "ActionNames": ["s3:GetObject"],
                               "ResourceArns": ["arn:aws:s3:::b/k", "arn:aws:s3:::c/k"]}
        results = iam.simulate_principal_policy(**ask)["EvaluationResults"]
        assert [r["EvalDecision"] for r in results] == ["explicitDeny"] * 2, results
        assert results[0]["MatchedStatements"][0]["SourcePolicyId"] == "AWSDenyAll", results
        assert results[0]["MatchedStatements"][0]["StartPosition"]["Line"] == 1, results
        iam.detach_user_policy(UserName="sim-alice", PolicyArn=AWS + "AWSDenyAll")
        ask["ContextEntries"] = [{"ContextKeyName": "aws:SourceIp", "ContextKeyType": "ip",
                                  "ContextKeyValues": ["10.1.1.1"]}]
        results = [r for page in iam.get_paginator("simulate_principal_policy").paginate(
            **ask, PaginationConfig={"PageSize": 1}) for r in page["EvaluationResults"]]
        assert [r["EvalDecision"] for r in results] == ["allowed", "implicitDeny"], results
        assert results[0]["ResourceSpecificResults"][0]["EvalResourceDecision"] == "allowed", results
        custom = iam.simulate_custom_policy(
            PolicyInputList=[document("s3:*")], ActionNames=["s3:PutObject"],
            PermissionsBoundaryPolicyInputList=[document("s3:Get*")])["EvaluationResults"][0]
        assert custom["EvalDecision"] == "implicitDeny", custom
        assert not custom["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"], custom
        expect_error("InvalidInput", 400, iam.simulate_custom_policy, PolicyInputList=["{}"], ActionNames=["s3:Get"])
        iam.delete_user_policy(UserName="sim-alice", PolicyName="p")
        self._remove("sim-alice")

    def check_a_group_as_terraform_makes_it(self) -> None:
        iam = self.iam
        self._user("tf-member")
        iam.create_group(GroupName="tf-group", Path="/")
        iam.add_user_to_group(GroupName="tf-group", UserName="tf-member")
        iam.update_group(GroupName="tf-group", NewGroupName="tf-crew", NewPath="/x/")
        group = iam.get_group(GroupName="tf-crew")
        assert group["Group"]["Arn"] == ACCOUNT + "group/x/tf-crew", group
        assert [u["UserName"] for u in group["Users"]] == ["tf-member"]
        self._remove("tf-member")
        iam.delete_group(GroupName="tf-crew")

    def check_a_policy_as_terraform_changes_it(self) -> None:
        iam = self.iam
        arn = iam.create_policy(PolicyName="tf-policy", Path="/", Description="",
                                PolicyDocument=document("s3:GetObject"))["Policy"]["Arn"]
        assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == []
        for number in range(2, 8):
            versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
            if len(versions) == 5:
                expect_error("LimitExceeded", 409, iam.create_policy_version, PolicyArn=arn,
                             PolicyDocument=document("s3:PutObject"))
                oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: int(v["VersionId"][1:]))
                iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
            made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("s3:*", f"arn:aws:s3:::b{number}"),
                                             SetAsDefault=False)["PolicyVersion"]
            assert made["VersionId"] == f"v{number}" and not made["IsDefaultVersion"], made
            iam.set_default_policy_version(PolicyArn=arn, VersionId=made["VersionId"])
            policy = iam.get_policy(PolicyArn=arn)["Policy"]
            shown = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
            assert shown["Document"]["Statement"][0]["Resource"] == f"arn:aws:s3:::b{number}", shown
        expect_error("DeleteConflict", 409, iam.delete_policy, PolicyArn=arn)
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=arn)

    def check_a_role_as_terraform_makes_it(self) -> None:
        iam = self.iam
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT + "user/tf-trusted"}}]}
        key = self._user("tf-trusted")
        iam.create_role(RoleName="tf-role", Path="/", AssumeRolePolicyDocument=json.dumps(trust),
                        MaxSessionDuration=3600)
        role = iam.get_role(RoleName="tf-role")["Role"]
        assert role["AssumeRolePolicyDocument"] == trust, role
        assert iam.list_role_policies(RoleName="tf-role")["PolicyNames"] == []
        assert iam.list_role_tags(RoleName="tf-role")["Tags"] == []
        iam.attach_role_policy(RoleName="tf-role", PolicyArn=AWS + "AmazonS3FullAccess")
        entities = iam.list_entities_for_policy(PolicyArn=AWS + "AmazonS3FullAccess")
        assert [r["RoleName"] for r in entities["PolicyRoles"]] == ["tf-role"], entities
        iam.update_role_description(RoleName="tf-role", Description="new")
        iam.update_role(RoleName="tf-role", MaxSessionDuration=7200)
        iam.update_assume_role_policy(RoleName="tf-role", PolicyDocument=json.dumps(trust))
        iam.update_user(UserName="tf-trusted", NewUserName="tf-still-trusted")
        shown = iam.get_role(RoleName="tf-role")["Role"]["AssumeRolePolicyDocument"]
        assert shown["Statement"][0]["Principal"]["AWS"] == ACCOUNT + "user/tf-still-trusted", shown
        client("sts", key).assume_role(RoleArn=role["Arn"], RoleSessionName="work")
        assert iam.list_instance_profiles_for_role(RoleName="tf-role")["InstanceProfiles"] == []
        iam.detach_role_policy(RoleName="tf-role", PolicyArn=AWS + "AmazonS3FullAccess")
        iam.delete_role(RoleName="tf-role")
        self._remove("tf-still-trusted")

    def check_a_bucket_policy_means_the_user_and_not_his_name(self) -> None:
        key = self._user("bp-alice")
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"v")
        mine = client("s3", key)
        policy = json.loads(document("s3:GetObject", f"arn:aws:s3:::{self.bucket}/*",
                                     Principal={"AWS": ACCOUNT + "user/bp-alice"}))
        expect_error("MalformedPolicy", 400, self.s3.put_bucket_policy, Bucket=self.bucket,
                     Policy=json.dumps(policy).replace("bp-alice", "bp-nobody"))
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        assert mine.get_object(Bucket=self.bucket, Key="k")["Body"].read() == b"v"
        self.iam.update_user(UserName="bp-alice", NewUserName="bp-bob")
        assert mine.get_object(Bucket=self.bucket, Key="k")["Body"].read() == b"v"
        shown = json.loads(self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"])
        assert shown["Statement"][0]["Principal"]["AWS"] == ACCOUNT + "user/bp-bob", shown
        other = client("s3", self._user("bp-alice"))
        expect_error("AccessDenied", 403, other.get_object, Bucket=self.bucket, Key="k")
        for name in ("bp-alice", "bp-bob"):
            self._remove(name)
        self.s3.delete_bucket_policy(Bucket=self.bucket)

    def check_what_a_policy_of_aws_lets_through(self) -> None:
        key = self._user("aws-reader")
        mine = client("s3", key)
        expect_error("AccessDenied", 403, mine.list_objects_v2, Bucket=self.bucket)
        self.iam.attach_user_policy(UserName="aws-reader", PolicyArn=AWS + "AmazonS3ReadOnlyAccess")
        assert mine.list_objects_v2(Bucket=self.bucket)["KeyCount"] == 0
        expect_error("AccessDenied", 403, mine.put_object, Bucket=self.bucket, Key="k", Body=b"")
        self.iam.attach_user_policy(UserName="aws-reader", PolicyArn=AWS + "AmazonS3FullAccess")
        mine.put_object(Bucket=self.bucket, Key="k", Body=b"")
        expect_error("AccessDenied", 403, client("iam", key).list_users)
        expect_error("AccessDenied", 403, self.iam.delete_policy, PolicyArn=AWS + "AmazonS3FullAccess")
        local = [p["PolicyName"] for page in self.iam.get_paginator("list_policies").paginate(Scope="Local")
                 for p in page["Policies"]]
        ours = [p["PolicyName"] for page in self.iam.get_paginator("list_policies").paginate(
            Scope="AWS", PaginationConfig={"PageSize": 3}) for p in page["Policies"]]
        assert "AdministratorAccess" in ours and "AdministratorAccess" not in local, (ours, local)
        details = [u for page in self.iam.get_paginator("get_account_authorization_details").paginate(Filter=["User"])
                   for u in page["UserDetailList"] if u["UserName"] == "aws-reader"]
        assert len(details) == 1 and len(details[0]["AttachedManagedPolicies"]) == 2, details
        for name in ("AmazonS3ReadOnlyAccess", "AmazonS3FullAccess"):
            self.iam.detach_user_policy(UserName="aws-reader", PolicyArn=AWS + name)
        self._remove("aws-reader")


if __name__ == "__main__":
    sys.exit(Identity().run())
