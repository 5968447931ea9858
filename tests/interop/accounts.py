"""Accounts of one server: made with the outcrop tool, strangers to each other, and what ACLs let through."""

from __future__ import annotations

import json

from administration import Tool
from context import Context, equal
from s3client import Credentials, S3Client
from server import Server


def accounts_and_acls(context: Context) -> None:
    """outcrop account; buckets of one account, what it lets another do by ACL, and both after a restart"""
    with Server(context.binary, drives=1, scratch=context.scratch) as server:
        tool = Tool(context, server)
        made = {}
        for name in ("lab", "shop"):
            done = tool.admin("account", "create", name, "--email", f"{name}@example.com", "--json")
            equal(f"account create {name}", done.returncode, 0)
            made[name] = json.loads(done.stdout)
        equal("the same name", tool.admin("account", "create", "LAB").returncode, 1)
        listed = json.loads(tool.admin("account", "list", "--json").stdout)["accounts"]
        equal("accounts", sorted(a["name"] for a in listed), ["lab", "shop"])
        assert all("secret_key" not in a for a in listed), listed

        def client(name: str) -> S3Client:
            keys = Credentials(made[name]["access_key"], made[name]["secret_key"])
            return S3Client("127.0.0.1", server.s3_port, keys)

        lab, shop = client("lab"), client("shop")
        ownership = {"x-amz-object-ownership": "ObjectWriter"}
        equal("bucket", lab.call("PUT", "lab-data", headers=ownership).status, 200)
        equal("object", lab.call("PUT", "lab-data", "k", body=b"v").status, 200)
        equal("a stranger", shop.call("GET", "lab-data", "k").status, 403)
        equal("his bucket", shop.call("PUT", "lab-data").status, 409)
        grant = {"x-amz-grant-read": f'id="{made["shop"]["canonical_id"]}"'}
        equal("grant", lab.call("PUT", "lab-data", "k", query={"acl": ""}, headers=grant).status, 200)
        public = {"x-amz-acl": "public-read"}
        equal("public", lab.call("PUT", "lab-data", "k", query={"acl": ""}, headers=public).status, 403)
        server.restart()
        lab, shop = client("lab"), client("shop")
        equal("who was granted it", shop.call("GET", "lab-data", "k").body, b"v")
        equal("nothing else", shop.call("PUT", "lab-data", "k", body=b"w").status, 403)
        key = json.loads(tool.admin("account", "create-key", made["lab"]["id"], "--json").stdout)
        equal("two keys", tool.admin("account", "create-key", made["lab"]["id"]).returncode, 1)
        old = made["lab"]["access_key"]
        equal("remove the first", tool.admin("account", "remove-key", made["lab"]["id"], old).returncode, 0)
        equal("the first", lab.call("GET", "lab-data", "k").status, 403)
        made["lab"] |= key
        lab = client("lab")
        equal("the second", lab.call("GET", "lab-data", "k").body, b"v")
        equal("with buckets", tool.admin("account", "remove", made["lab"]["id"]).returncode, 1)
        equal("without", tool.admin("account", "remove", made["shop"]["id"]).returncode, 0)
        equal("its key", shop.call("GET", "lab-data", "k").status, 403)
        equal("delete object", lab.call("DELETE", "lab-data", "k").status, 204)
        equal("delete bucket", lab.call("DELETE", "lab-data").status, 204)
        equal("then", tool.admin("account", "remove", made["lab"]["id"]).returncode, 0)


SCENARIOS = [accounts_and_acls]
