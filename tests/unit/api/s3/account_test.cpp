// Accounts and ACLs: whose buckets and objects are, and what others may do with them.
#include "auth/access/acl.h"
#include "storage/base/async.h"
#include "tests/unit/api/s3/account_fixture.h"

namespace outcrop::s3::test {
namespace {

TEST_F(Accounts, ABucketIsItsMakers) {
  ASSERT_EQ(status("PUT", "/lab1", "lab"), 200);
  EXPECT_EQ(status("PUT", "/lab1/k", "lab", {}, "v"), 200);
  for (const std::string who : {"shop", ""}) {
    EXPECT_EQ(status("GET", "/lab1", who), 403);
    EXPECT_EQ(status("GET", "/lab1/k", who), 403);
    EXPECT_EQ(status("PUT", "/lab1/k", who, {}, "w"), 403);
    EXPECT_EQ(status("DELETE", "/lab1/k", who), 403);
    EXPECT_EQ(status("DELETE", "/lab1", who), 403);
    EXPECT_EQ(status("GET", "/lab1?acl", who), 403);
    EXPECT_EQ(status("PUT", "/lab1?acl", who, {{"x-amz-acl", "public-read"}}), 403);
    EXPECT_EQ(status("PUT", "/lab1?policy", who, {}, "{}"), 403);
    EXPECT_EQ(status("GET", "/nobody/k", who), 404) << who;
  }
  EXPECT_EQ(code(send("PUT", "/lab1", as("shop"))), "BucketAlreadyExists");
  EXPECT_EQ(status("PUT", "/lab1", "lab"), 200);
  EXPECT_EQ(texts(send("GET", "/", as("lab")).body, "Name"), Names{"lab1"});
  EXPECT_EQ(texts(send("GET", "/", as("shop")).body, "Name"), Names{});
  EXPECT_EQ(texts(send("GET", "/").body, "Name"), (Names{"bucket", "lab1"}));  // the server's root
  EXPECT_EQ(get("../lab1/k").status, 404);
  EXPECT_EQ(send("GET", "/lab1/k").body, "v");
  EXPECT_EQ(text(send("GET", "/lab1", as("lab")).body, "DisplayName"), "lab");
  EXPECT_EQ(status("GET", "/lab1", "lab", {{"x-amz-expected-bucket-owner", "111111111111"}}), 200);
  EXPECT_EQ(status("GET", "/lab1", "lab", {{"x-amz-expected-bucket-owner", "222222222222"}}), 403);
}

TEST_F(Accounts, UsersOfTheFirstAccountHaveNoPartInOthersBuckets) {
  add_user("alice", {R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",
                        "Resource":"*"}})"});
  add_user("bob", {});
  ASSERT_EQ(status("PUT", "/lab1", "lab"), 200);
  ASSERT_EQ(status("PUT", "/lab1/k", "lab", {{"x-amz-acl", "public-read"}}, "v"), 200);
  ASSERT_EQ(status("PUT", "/lab1/p", "lab", {}, "v"), 200);
  EXPECT_EQ(status("GET", "/lab1/p", "alice"), 403);
  EXPECT_EQ(status("GET", "/lab1/k", "alice"), 200);
  EXPECT_EQ(status("GET", "/lab1/k", "bob"), 403);  // his own account does not let him
  EXPECT_EQ(status("GET", "/lab1/k", ""), 200);
  const std::string policy = R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
      "Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"s3:GetObject",
      "Resource":"arn:aws:s3:::lab1/p"}})";
  ASSERT_EQ(status("PUT", "/lab1?policy", "lab", {}, policy), 204);
  EXPECT_EQ(status("GET", "/lab1/p", "shop"), 200);
  EXPECT_EQ(status("GET", "/lab1/p", "alice"), 403);
  EXPECT_EQ(status("GET", "/lab1/k", "shop"), 200);  // by its ACL, as before
}

TEST_F(Accounts, CannedAclsOfBuckets) {
  struct Case {
    const char* acl;
    Names grants;
    int list, put, anonymous_list, anonymous_put;
  };
  for (const Case& c :
       {Case{"private", {"a", "a:FULL_CONTROL"}, 403, 403, 403, 403},
        Case{"public-read", {"a", "AllUsers:READ", "a:FULL_CONTROL"}, 200, 403, 200, 403},
        Case{"public-read-write",
             {"a", "AllUsers:READ", "AllUsers:WRITE", "a:FULL_CONTROL"},
             200,
             200,
             200,
             200},
        Case{"authenticated-read",
             {"a", "AuthenticatedUsers:READ", "a:FULL_CONTROL"},
             200,
             403,
             403,
             403},
        Case{"log-delivery-write",
             {"a", "LogDelivery:WRITE", "LogDelivery:READ_ACP", "a:FULL_CONTROL"},
             403,
             403,
             403,
             403}}) {
    for (const bool later : {false, true}) {
      const std::string bucket = std::string("/") + c.acl + (later ? "1" : "2");
      ASSERT_EQ(status("PUT", bucket, "lab", later ? Headers{} : Headers{{"x-amz-acl", c.acl}}),
                200);
      if (later) {
        ASSERT_EQ(status("PUT", bucket + "?acl", "lab", {{"x-amz-acl", c.acl}}), 200);
      }
      EXPECT_EQ(grants(bucket + "?acl", "lab"), c.grants) << c.acl;
      EXPECT_EQ(status("GET", bucket, "shop"), c.list) << c.acl;
      EXPECT_EQ(status("PUT", bucket + "/k", "shop", {}, "v"), c.put) << c.acl;
      EXPECT_EQ(status("GET", bucket, ""), c.anonymous_list) << c.acl;
      EXPECT_EQ(status("PUT", bucket + "/l", "", {}, "v"), c.anonymous_put) << c.acl;
      EXPECT_EQ(status("GET", bucket + "?acl", "shop"), 403) << c.acl;
    }
  }
}

TEST_F(Accounts, ObjectsBelongToWhoWroteThem) {
  ASSERT_EQ(status("PUT", "/open", "lab", {{"x-amz-acl", "public-read-write"}}), 200);
  ASSERT_EQ(status("PUT", "/open/k", "shop", {}, "v"), 200);
  EXPECT_EQ(grants("/open/k?acl", "shop"), (Names{"b", "b:FULL_CONTROL"}));
  EXPECT_EQ(status("GET", "/open/k", "lab"), 403);  // the bucket is his, the object is not
  EXPECT_EQ(status("GET", "/open/k?acl", "lab"), 403);
  EXPECT_EQ(status("PUT", "/open/k?acl", "lab", {{"x-amz-acl", "public-read"}}), 403);
  EXPECT_EQ(status("GET", "/open/k", "shop"), 200);
  EXPECT_EQ(status("GET",
                   "/open/k"
                   "?acl",
                   "shop"),
            200);
  EXPECT_EQ(status("GET", "/open/absent", "shop"), 404);  // who may list gets to hear it
  EXPECT_EQ(status("PUT", "/open/k", "shop", {{"x-amz-acl", "bucket-owner-read"}}, "v"), 200);
  EXPECT_EQ(grants("/open/k?acl", "shop"), (Names{"b", "b:FULL_CONTROL", "a:READ"}));
  EXPECT_EQ(status("GET", "/open/k", "lab"), 200);
  EXPECT_EQ(status("GET", "/open/k?acl", "lab"), 403);
  EXPECT_EQ(status("PUT", "/open/k?acl", "shop", {{"x-amz-acl", "bucket-owner-full-control"}}),
            200);
  EXPECT_EQ(grants("/open/k?acl", "lab"), (Names{"b", "b:FULL_CONTROL", "a:FULL_CONTROL"}));
  EXPECT_EQ(send("GET", "/open/k").body, "v");  // the server's root user
  EXPECT_EQ(status("DELETE", "/open/k", "lab"), 204);
  // Where the bucket's owner is preferred, full control hands the object over.
  const std::string preferred =
      "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule>"
      "</OwnershipControls>";
  ASSERT_EQ(status("PUT", "/open?ownershipControls", "lab", {}, preferred), 200);
  ASSERT_EQ(status("PUT", "/open/k", "shop", {{"x-amz-acl", "bucket-owner-full-control"}}, "v"),
            200);
  EXPECT_EQ(grants("/open/k?acl", "lab"), (Names{"a", "a:FULL_CONTROL"}));
  EXPECT_EQ(status("GET", "/open/k", "shop"), 403);
  ASSERT_EQ(status("PUT", "/open/l", "shop", {}, "v"), 200);
  EXPECT_EQ(grants("/open/l?acl", "shop"), (Names{"b", "b:FULL_CONTROL"}));
}

TEST_F(Accounts, GrantsByHeaderAndDocument) {
  const std::string lab(64, 'a'), shop(64, 'b');
  ASSERT_EQ(status("PUT", "/lab1", "lab"), 200);
  const Headers many{{"x-amz-grant-read", "id=\"" + shop +
                                              "\", uri=\"http://acs.amazonaws.com/groups/"
                                              "global/AuthenticatedUsers\""},
                     {"x-amz-grant-write-acp", "emailAddress=shop@example.com"},
                     {"x-amz-grant-full-control", "id=" + lab}};
  ASSERT_EQ(status("PUT", "/lab1/k", "lab", many, "v"), 200);
  EXPECT_EQ(grants("/lab1/k?acl", "lab"),
            (Names{"a", "AuthenticatedUsers:READ", "b:READ", "b:WRITE_ACP", "a:FULL_CONTROL"}));
  EXPECT_EQ(status("GET", "/lab1/k", "shop"), 200);
  EXPECT_EQ(status("GET", "/lab1/k", ""), 403);
  EXPECT_EQ(status("GET", "/lab1/k?acl", "shop"), 403);
  const auto document = [&](const std::string& owner, const std::string& grantee,
                            const std::string& permission) {
    return "<AccessControlPolicy><Owner><ID>" + owner +
           "</ID></Owner><AccessControlList><Grant><Grantee>" + grantee + "</Grantee><Permission>" +
           permission + "</Permission></Grant></AccessControlList></AccessControlPolicy>";
  };
  const std::string to_shop = "<ID>" + shop + "</ID>";
  EXPECT_EQ(status("PUT", "/lab1/k?acl", "shop", {}, document(lab, to_shop, "READ_ACP")), 200);
  EXPECT_EQ(grants("/lab1/k?acl", "shop"), (Names{"a", "b:READ_ACP"}));
  EXPECT_EQ(status("GET", "/lab1/k", "shop"), 403);
  EXPECT_EQ(status("GET", "/lab1/k", "lab"),
            200);  // his account may do everything with what is its
  EXPECT_EQ(status("PUT", "/lab1/k?acl", "shop", {}, document(lab, to_shop, "READ")), 403);
  for (const auto& [grantee, error] : std::map<std::string, std::string>{
           {"<ID>" + std::string(64, 'c') + "</ID>", "InvalidArgument"},
           {"<URI>http://acs.amazonaws.com/groups/global/Friends</URI>", "InvalidArgument"},
           {"<EmailAddress>who@example.com</EmailAddress>", "UnresolvableGrantByEmailAddress"},
           {"", "MalformedACLError"}}) {
    EXPECT_EQ(code(send("PUT", "/lab1?acl", as("lab"), {document(lab, grantee, "READ")})), error);
  }
  EXPECT_EQ(code(send("PUT", "/lab1?acl", as("lab"), {document(shop, to_shop, "READ")})),
            "AccessDenied");
  EXPECT_EQ(code(send("PUT", "/lab1?acl",
                      as("lab", {{"x-amz-acl", "private"}, {"x-amz-grant-read", "id=" + shop}}))),
            "InvalidRequest");
  EXPECT_EQ(code(send("PUT", "/lab1?acl", as("lab", {{"x-amz-grant-read", "name=shop"}}))),
            "InvalidArgument");
  std::string limit = "id=" + shop;
  for (std::size_t i = 1; i < access::kMaxGrants; ++i) {
    limit += ",id=" + shop;
  }
  EXPECT_EQ(status("PUT", "/lab1?acl", "lab", {{"x-amz-grant-read", limit}}), 200);
  EXPECT_EQ(status("PUT", "/lab1?acl", "lab", {{"x-amz-grant-read", limit + ",id=" + shop}}), 400);
  EXPECT_EQ(status("GET", "/lab1", "shop"), 200);
  EXPECT_EQ(status("GET", "/lab1", ""), 403);
}

TEST_F(Accounts, CopiesAndUploadsHaveAnAclOfTheirOwn) {
  ASSERT_EQ(status("PUT", "/lab1", "lab"), 200);
  ASSERT_EQ(status("PUT", "/shop1", "shop"), 200);
  ASSERT_EQ(status("PUT", "/lab1/k", "lab", {{"x-amz-acl", "public-read"}}, "v"), 200);
  const Headers from_lab{{"x-amz-copy-source", "/lab1/k"}};
  ASSERT_EQ(status("PUT", "/shop1/c", "shop", from_lab), 200);
  EXPECT_EQ(grants("/shop1/c?acl", "shop"), (Names{"b", "b:FULL_CONTROL"}));
  EXPECT_EQ(status("GET", "/shop1/c", "lab"), 403);
  EXPECT_EQ(status("PUT", "/lab1/c", "lab", {{"x-amz-copy-source", "/shop1/c"}}), 403);
  Headers open = from_lab;
  open.push_back({"x-amz-acl", "public-read"});
  ASSERT_EQ(status("PUT", "/shop1/c", "shop", open), 200);
  EXPECT_EQ(status("GET", "/shop1/c", ""), 200);
  ASSERT_EQ(status("PUT", "/lab1/k?acl", "lab", {{"x-amz-acl", "private"}}), 200);
  EXPECT_EQ(status("PUT", "/shop1/d", "shop", from_lab), 403);
  const Reply started =
      send("POST", "/shop1/m?uploads", as("shop", {{"x-amz-acl", "authenticated-read"}}));
  const std::string upload = "/shop1/m?uploadId=" + text(started.body, "UploadId");
  EXPECT_EQ(text(send("GET", "/shop1?uploads", as("shop")).body, "DisplayName"), "shop");
  const Reply part = send("PUT", upload + "&partNumber=1", as("shop"), {"0123456789"});
  EXPECT_EQ(status("POST", upload, "shop", {},
                   "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" +
                       part.header("etag") + "</ETag></Part></CompleteMultipartUpload>"),
            200);
  EXPECT_EQ(status("GET", "/shop1/m", "lab"), 200);
  EXPECT_EQ(status("GET", "/shop1/m", ""), 403);
}

TEST_F(Accounts, TheBlockOfPublicAccess) {
  ASSERT_EQ(status("PUT", "/lab1", "lab", {{"x-amz-acl", "public-read"}}), 200);
  ASSERT_EQ(status("PUT", "/lab1/k", "lab", {{"x-amz-acl", "public-read"}}, "v"), 200);
  const auto block = [&](const std::string& part) {
    return status("PUT", "/lab1?publicAccessBlock", "lab", {},
                  "<PublicAccessBlockConfiguration><" + part + ">true</" + part +
                      "></PublicAccessBlockConfiguration>");
  };
  ASSERT_EQ(block("BlockPublicAcls"), 200);
  EXPECT_EQ(status("GET", "/lab1/k", ""), 200);
  for (const char* acl : {"public-read", "public-read-write", "authenticated-read"}) {
    EXPECT_EQ(status("PUT", "/lab1/k", "lab", {{"x-amz-acl", acl}}, "w"), 403);
    EXPECT_EQ(status("PUT", "/lab1?acl", "lab", {{"x-amz-acl", acl}}), 403);
    EXPECT_EQ(status("PUT", "/lab1/k?acl", "lab", {{"x-amz-acl", acl}}), 403);
  }
  EXPECT_EQ(status("PUT", "/lab1/k", "lab", {{"x-amz-acl", "private"}}, "v"), 200);
  ASSERT_EQ(send("DELETE", "/lab1?publicAccessBlock", as("lab")).status, 204);
  ASSERT_EQ(status("PUT", "/lab1/k", "lab", {{"x-amz-acl", "public-read"}}, "v"), 200);
  EXPECT_EQ(text(send("GET", "/lab1?policyStatus", as("lab")).body, "IsPublic"), "true");
  ASSERT_EQ(block("IgnorePublicAcls"), 200);
  EXPECT_EQ(text(send("GET", "/lab1?policyStatus", as("lab")).body, "IsPublic"), "false");
  EXPECT_EQ(status("GET", "/lab1/k", ""), 403);
  EXPECT_EQ(status("GET", "/lab1", "shop"), 403);
  EXPECT_EQ(status("GET", "/lab1/k", "lab"), 200);
}

TEST_F(Accounts, AnExplicitDenyWinsOverAnAcl) {
  ASSERT_EQ(status("PUT", "/lab1", "lab", {{"x-amz-acl", "public-read-write"}}), 200);
  ASSERT_EQ(status("PUT", "/lab1/k", "shop", {{"x-amz-acl", "public-read"}}, "v"), 200);
  const auto policy = [](const std::string& effect) {
    return R"({"Version":"2012-10-17","Statement":{"Effect":")" + effect +
           R"(","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::lab1/*"}})";
  };
  ASSERT_EQ(status("PUT", "/lab1?policy", "lab", {}, policy("Deny")), 204);
  for (const std::string who : {"lab", "shop", ""}) {
    EXPECT_EQ(status("GET", "/lab1/k", who), 403) << who;
  }
  ASSERT_EQ(status("PUT", "/lab1?policy", "lab", {}, policy("Allow")), 204);
  ASSERT_EQ(status("PUT", "/lab1/k?acl", "shop", {{"x-amz-acl", "private"}}), 200);
  EXPECT_EQ(status("GET", "/lab1/k", ""), 403);  // it is not the bucket's to give
  EXPECT_EQ(status("GET", "/lab1/k", "shop"), 200);
}

TEST_F(Accounts, EnforcedOwnershipMakesAclsVoid) {
  ASSERT_EQ(status("PUT", "/lab1", "lab"), 200);
  ASSERT_EQ(status("PUT", "/lab1/k", "lab", {{"x-amz-acl", "public-read"}}, "v"), 200);
  EXPECT_EQ(status("GET", "/lab1/k", ""), 200);
  const std::string enforced =
      "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"
      "</OwnershipControls>";
  ASSERT_EQ(status("PUT", "/lab1?ownershipControls", "lab", {}, enforced), 200);
  EXPECT_EQ(status("GET", "/lab1/k", ""), 403);
  EXPECT_EQ(grants("/lab1/k?acl", "lab"), (Names{"a", "a:FULL_CONTROL"}));
  EXPECT_EQ(code(send("PUT", "/lab1/k", as("lab", {{"x-amz-acl", "public-read"}}), {"v"})),
            "AccessControlListNotSupported");
  EXPECT_EQ(
      status("PUT", "/new1", "lab",
             {{"x-amz-object-ownership", "BucketOwnerEnforced"}, {"x-amz-acl", "public-read"}}),
      400);
  EXPECT_EQ(status("PUT", "/new1", "lab", {{"x-amz-object-ownership", "Mine"}}), 400);
}

// Which us-east-1 alone lets one do, and which changes the ACL and nothing else.
TEST_F(Accounts, ABucketThatIsMadeAgain) {
  ASSERT_EQ(status("PUT", "/lab1", "lab", {{"x-amz-acl", "public-read"}}), 200);
  ASSERT_EQ(status("PUT", "/lab1/k", "lab", {{"x-amz-acl", "public-read"}}, "v"), 200);
  const Names open{"a", "AllUsers:READ", "a:FULL_CONTROL"}, closed{"a", "a:FULL_CONTROL"};
  EXPECT_EQ(code(send("PUT", "/lab1", as("shop"))), "BucketAlreadyExists");
  EXPECT_EQ(grants("/lab1?acl", "lab"), open);
  EXPECT_EQ(status("PUT", "/lab1", "lab"), 200);
  EXPECT_EQ(grants("/lab1?acl", "lab"), closed);
  EXPECT_EQ(status("GET", "/lab1/k", ""), 200);  // by an ACL of its own
  EXPECT_EQ(status("PUT", "/lab1", "lab", {{"x-amz-acl", "public-read"}}), 200);
  EXPECT_EQ(grants("/lab1?acl", "lab"), open);

  const std::string keep = R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*",
      "Action":"s3:PutBucketAcl","Resource":"arn:aws:s3:::lab1"}})";
  ASSERT_EQ(status("PUT", "/lab1?policy", "lab", {}, keep), 204);
  EXPECT_EQ(status("PUT", "/lab1", "lab"), 403);
  EXPECT_EQ(grants("/lab1?acl", "lab"), open);
  EXPECT_EQ(status("PUT", "/lab1", "lab", {{"x-amz-acl", "public-read"}}), 200) << "as it is";
  ASSERT_EQ(status("DELETE", "/lab1?policy", "lab"), 204);

  const auto block = [&](const char* on) {
    return status("PUT", "/lab1?publicAccessBlock", "lab", {},
                  std::string("<PublicAccessBlockConfiguration><BlockPublicAcls>") + on +
                      "</BlockPublicAcls></PublicAccessBlockConfiguration>");
  };
  EXPECT_EQ(status("PUT", "/lab1", "lab"), 200);
  ASSERT_EQ(block("true"), 200);
  EXPECT_EQ(status("PUT", "/lab1", "lab", {{"x-amz-acl", "public-read"}}), 403);
  EXPECT_EQ(grants("/lab1?acl", "lab"), closed);
}

TEST_F(Accounts, WhatABucketThatIsMadeAgainIsNot) {
  ASSERT_EQ(status("PUT", "/lab1", "lab"), 200);
  const auto again = [&](const std::string& name, const std::string& value) {
    const Reply reply = send("PUT", "/lab1", as("lab", {{name, value}}));
    return reply.status == 200 ? "ok" : code(reply);
  };
  EXPECT_EQ(again("x-amz-object-ownership", "ObjectWriter"), "ok");
  EXPECT_EQ(again("x-amz-object-ownership", "BucketOwnerEnforced"), "BucketAlreadyOwnedByYou");
  EXPECT_EQ(again("x-amz-bucket-object-lock-enabled", "true"), "BucketAlreadyOwnedByYou");
  EXPECT_EQ(again("x-amz-bucket-object-lock-enabled", "false"), "ok");
  EXPECT_EQ(grants("/lab1?acl", "lab"), (Names{"a", "a:FULL_CONTROL"}));
  ASSERT_EQ(status("PUT", "/locked", "lab", {{"x-amz-bucket-object-lock-enabled", "true"}}), 200);
  EXPECT_EQ(status("PUT", "/locked", "lab", {{"x-amz-bucket-object-lock-enabled", "true"}}), 200);
  EXPECT_EQ(status("PUT", "/locked", "lab"), 200);
  EXPECT_TRUE(run_sync(ns.get_bucket("locked")).value().lock.enabled);
  const Headers enforced{{"x-amz-object-ownership", "BucketOwnerEnforced"}};
  ASSERT_EQ(status("PUT", "/shut", "lab", enforced), 200);
  EXPECT_EQ(code(send("PUT", "/shut", as("lab", {{"x-amz-acl", "public-read"}}))),
            "InvalidBucketAclWithObjectOwnership");
  EXPECT_EQ(status("PUT", "/shut", "lab"), 200);
}

TEST(Acl, RecordsAreCanonicalAndBounded) {
  access::Acl acl = access::canned_acl("public-read-write", "owner", "owner").value();
  const std::string kept = access::encode(acl);
  EXPECT_EQ(access::decode_acl(kept).value(), acl);
  EXPECT_EQ(access::encode(access::decode_acl(kept).value()), kept);
  EXPECT_FALSE(access::decode_acl(""));
  EXPECT_FALSE(access::decode_acl(kept + "x"));
  for (std::size_t n = 0; n < kept.size(); ++n) {
    EXPECT_FALSE(access::decode_acl(std::string_view(kept).substr(0, n))) << n;
  }
  std::string wrong = kept;
  wrong.back() = 7;
  EXPECT_FALSE(access::decode_acl(wrong));
  acl.grants.assign(access::kMaxGrants, {{.id = std::string(64, 'f')}, access::Permission::read});
  EXPECT_LE(access::encode(acl).size(), access::kMaxAclBytes);
  EXPECT_TRUE(access::decode_acl(access::encode(acl)));
  acl.grants.push_back(acl.grants.back());
  EXPECT_FALSE(access::decode_acl(access::encode(acl)));
}

}  // namespace
}  // namespace outcrop::s3::test
