// ACLs and OwnershipControls where objects belong to the bucket's owner: what says nothing new is
// accepted, all else refused. ACLs that count are in account_test.cpp.
#include "storage/base/async.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

class Acls : public S3Test {};

TEST_F(Acls, WhatSaysNothingNewIsAccepted) {
  ASSERT_EQ(put("k", "v", {{"x-amz-acl", "bucket-owner-full-control"}}).status, 200);
  for (const char* target : {"/bucket?acl", "/bucket/k?acl"}) {
    const Reply acl = send("GET", target);
    EXPECT_EQ(text(acl.body, "Permission"), "FULL_CONTROL");
    EXPECT_EQ(send("PUT", target, {}, {acl.body}).status, 200) << target;
    EXPECT_EQ(send("PUT", target, {{"x-amz-acl", "private"}}).status, 200);
    EXPECT_EQ(code(send("PUT", target, {{"x-amz-acl", "public-read"}})),
              "AccessControlListNotSupported");
    EXPECT_EQ(code(send("PUT", target, {{"x-amz-acl", "magic"}})), "InvalidArgument");
    EXPECT_EQ(code(send("PUT", target, {{"x-amz-grant-read", "id=x"}})), "InvalidArgument");
    EXPECT_EQ(code(send("PUT", target, {{"x-amz-grant-read", "id=" + config.owner_id}})),
              "AccessControlListNotSupported");
    EXPECT_EQ(code(send("PUT", target, {{"x-amz-acl", "private"}}, {acl.body})),
              "UnexpectedContent");
    EXPECT_EQ(code(send("PUT", target)), "MissingSecurityHeader");
    const std::string owner = config.owner_id;
    std::string other = acl.body;
    other.replace(other.rfind(owner), 4, "0000");
    EXPECT_EQ(code(send("PUT", target, {}, {other})), "InvalidArgument");  // nobody's id
    other = acl.body;
    other.replace(other.find(owner), 4, "0000");
    EXPECT_EQ(code(send("PUT", target, {}, {other})), "AccessDenied");  // it is not his to give
    other = acl.body;
    other.replace(other.find("FULL_CONTROL"), 12, "READ");
    EXPECT_EQ(code(send("PUT", target, {}, {other})), "AccessControlListNotSupported");
    other.replace(other.find("READ"), 4, "RULE");
    EXPECT_EQ(code(send("PUT", target, {}, {other})), "MalformedACLError");
    EXPECT_EQ(code(send("PUT", target, {}, {"<x/>"})), "MalformedACLError");
    EXPECT_EQ(code(send("PUT", target, {}, {"<AccessControlPolicy/>"})), "MalformedACLError");
    EXPECT_EQ(
        send("PUT", target, {}, {"<AccessControlPolicy><AccessControlList/></AccessControlPolicy>"})
            .status,
        200);  // it is his all the same
    EXPECT_EQ(text(send("GET", target).body, "Permission"), "FULL_CONTROL");
  }
  EXPECT_EQ(code(send("GET", "/bucket/absent?acl")), "NoSuchKey");
  EXPECT_EQ(code(send("PUT", "/bucket/absent?acl", {{"x-amz-acl", "private"}})), "NoSuchKey");
  EXPECT_EQ(code(send("PUT", "/absent?acl", {{"x-amz-acl", "private"}})), "NoSuchBucket");
  EXPECT_EQ(code(put("k", "w", {{"x-amz-acl", "public-read"}})), "AccessControlListNotSupported");
  EXPECT_EQ(code(put("k", "w", {{"x-amz-grant-full-control", "id=x"}})), "InvalidArgument");
  EXPECT_EQ(code(send("PUT", "/new", {{"x-amz-acl", "public-read"}})),
            "InvalidBucketAclWithObjectOwnership");
  EXPECT_EQ(get("k").body, "v");
}

TEST_F(Acls, OwnershipControls) {
  const auto controls = [&](const std::string& ownership) {
    return send("PUT", "/bucket?ownershipControls", {},
                {"<OwnershipControls><Rule><ObjectOwnership>" + ownership +
                 "</ObjectOwnership></Rule></OwnershipControls>"});
  };
  const auto current = [&] { return send("GET", "/bucket?ownershipControls"); };
  EXPECT_EQ(text(current().body, "ObjectOwnership"), "BucketOwnerEnforced");
  EXPECT_EQ(send("DELETE", "/bucket?ownershipControls").status, 204);
  EXPECT_EQ(code(current()), "OwnershipControlsNotFoundError");
  access = run_sync(access::AccessTable::open(
                        meta, {{"bucket", run_sync(ns.get_bucket("bucket")).value().root}},
                        policy::PublicAccessBlock{}))
               .value();
  config.access = access.get();
  handler = new_handler();
  EXPECT_EQ(code(current()), "OwnershipControlsNotFoundError");
  EXPECT_EQ(send("PUT", "/bucket?acl", {{"x-amz-acl", "public-read"}}).status, 200);
  EXPECT_EQ(code(controls("BucketOwnerEnforced")), "InvalidBucketAclWithObjectOwnership");
  EXPECT_EQ(send("PUT", "/bucket?acl", {{"x-amz-acl", "private"}}).status, 200);
  for (const char* ownership : {"ObjectWriter", "BucketOwnerPreferred"}) {
    EXPECT_EQ(controls(ownership).status, 200);
    EXPECT_EQ(text(current().body, "ObjectOwnership"), ownership);
  }
  EXPECT_EQ(code(controls("Mine")), "MalformedXML");
  EXPECT_EQ(code(send("PUT", "/bucket?ownershipControls", {}, {"<OwnershipControls/>"})),
            "MalformedXML");
  EXPECT_EQ(controls("BucketOwnerEnforced").status, 200);
  EXPECT_EQ(text(current().body, "ObjectOwnership"), "BucketOwnerEnforced");
  EXPECT_EQ(code(send("DELETE", "/absent?ownershipControls")), "NoSuchBucket");
}

// `private` changes nothing, and is refused all the same where somebody chose to have no ACLs.
TEST_F(Acls, PrivateWhereNoAclsWereChosen) {
  const std::string kPrivate = "private", kOwner = "bucket-owner-full-control";
  const auto made = [&](const std::string& bucket, const std::string& acl) {
    const Headers headers{{"x-amz-acl", acl}};
    ASSERT_EQ(send("PUT", "/" + bucket + "/k", {}, {"v"}).status, 200);
    const std::string want = acl == kPrivate ? "AccessControlListNotSupported" : "(none)";
    EXPECT_EQ(code(send("PUT", "/" + bucket + "/k", headers, {"v"})), want);
    EXPECT_EQ(code(send("POST", "/" + bucket + "/k?uploads", headers)), want);
    EXPECT_EQ(code(send("PUT", "/" + bucket + "/k2",
                        {{"x-amz-acl", acl}, {"x-amz-copy-source", "/" + bucket + "/k"}})),
              want);
    EXPECT_EQ(code(send("PUT", "/" + bucket + "/k?acl", headers)), want);
    EXPECT_EQ(code(send("PUT", "/" + bucket + "?acl", headers)), want);
    const std::string document = send("GET", "/" + bucket + "/k?acl").body;
    EXPECT_EQ(send("PUT", "/" + bucket + "/k?acl", {}, {document}).status, 200);
  };
  ASSERT_EQ(send("PUT", "/chosen",
                 {{"x-amz-object-ownership", "BucketOwnerEnforced"}, {"x-amz-acl", kPrivate}})
                .status,
            200);
  made("chosen", kPrivate);
  made("chosen", kOwner);
  EXPECT_EQ(put("k", "v", {{"x-amz-acl", kPrivate}}).status, 200);
  ASSERT_EQ(send("PUT", "/bucket?ownershipControls", {},
                 {"<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced"
                  "</ObjectOwnership></Rule></OwnershipControls>"})
                .status,
            200);
  made("bucket", kPrivate);
  // Other changes, and a start, leave that as it is.
  ASSERT_EQ(send("PUT", "/bucket?policy", {},
                 {R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*",
                     "Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/secret"}})"})
                .status,
            204);
  made("bucket", kPrivate);
  access = run_sync(access::AccessTable::open(
                        meta, {{"bucket", run_sync(ns.get_bucket("bucket")).value().root}},
                        policy::PublicAccessBlock{}))
               .value();
  config.access = access.get();
  handler = new_handler();
  made("bucket", kPrivate);
  ASSERT_EQ(send("DELETE", "/bucket?ownershipControls").status, 204);
  EXPECT_EQ(put("k", "v", {{"x-amz-acl", kPrivate}}).status, 200);
}

}  // namespace
}  // namespace outcrop::s3::test
