// Error documents as they are on the wire, and every sub-resource that is never configured.
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

class Errors : public S3Test {};

TEST_F(Errors, GoldenNoSuchKey) {
  EXPECT_EQ(get("no%20key").body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>"
            "<Key>no key</Key><Resource>/bucket/no%20key</Resource>"
            "<RequestId>0123456789ABCDEF</RequestId><HostId>box-1</HostId></Error>");
}

TEST_F(Errors, GoldenNoSuchBucket) {
  const Reply reply = send("GET", "/none");
  EXPECT_EQ(reply.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message>"
            "<BucketName>none</BucketName><Resource>/none</Resource>"
            "<RequestId>0123456789ABCDEF</RequestId><HostId>box-1</HostId></Error>");
  EXPECT_EQ(reply.header("content-type"), "application/xml");
  EXPECT_EQ(reply.header("x-amz-request-id"), "0123456789ABCDEF");
  EXPECT_EQ(reply.header("x-amz-id-2"), "box-1");
}

TEST_F(Errors, GoldenUnsupportedHeader) {
  EXPECT_EQ(put("k", "v", {{"x-amz-mfa", "device 123456"}}).body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Error><Code>NotImplemented</Code><Message>A header you provided implies "
            "functionality that is not implemented</Message>"
            "<Header>x-amz-mfa</Header><Resource>/bucket/k</Resource>"
            "<RequestId>0123456789ABCDEF</RequestId><HostId>box-1</HostId></Error>");
}

TEST_F(Errors, AnonymousIsDenied) {
  const Headers nobody{{"x-test-anonymous", "1"}};
  for (const std::string target : {"/", "/bucket", "/bucket/k", "/bucket?acl"}) {
    const Reply reply = send("GET", target, nobody);
    EXPECT_EQ(reply.status, 403) << target;
    EXPECT_EQ(code(reply), "AccessDenied");
  }
  EXPECT_EQ(code(send("GET", "/none/k", nobody)), "NoSuchBucket");  // as AWS says it
}

TEST_F(Errors, RoutingNeverFallsThrough) {
  ASSERT_EQ(put("k", "v").status, 200);
  EXPECT_EQ(send("DELETE", "/bucket/k?acl").status, 405);
  EXPECT_EQ(send("PUT", "/bucket/k?uploads", {}, {"x"}).status, 405);
  EXPECT_EQ(send("PUT", "/bucket/k?session", {}, {"x"}).status, 405);
  EXPECT_EQ(send("DELETE", "/bucket?versions").status, 405);
  EXPECT_EQ(send("PATCH", "/bucket/k").status, 405);
  EXPECT_EQ(send("POST", "/bucket/k").status, 405);
  EXPECT_EQ(put("k?partNumber=1", "x").status, 400);
  EXPECT_EQ(get("k").body, "v");
}

TEST_F(Errors, FeaturesThatAreNotThereAreRefused) {
  for (const std::string name :
       {"x-amz-bucket-object-lock-enabled", "x-amz-server-side-encryption-something", "x-amz-mfa",
        "x-amz-object-something-new"}) {
    EXPECT_EQ(put("k", "v", {{name, "value"}}).status, 501) << name;
  }
  // The first is what AWS's SDK for C++ sends with everything; AWS ignores what it does not know.
  for (const std::string name : {"x-amz-api-version", "x-amz-something-new"}) {
    EXPECT_EQ(put("k", "v", {{name, "2006-03-01"}}).status, 200) << name;
  }
  EXPECT_EQ(put("k", "v", {{"x-amz-storage-class", "GLACIER"}}).status, 501);
  EXPECT_EQ(code(put("k", "v", {{"x-amz-storage-class", "MAGIC"}})), "InvalidStorageClass");
  EXPECT_EQ(put("k", "v", {{"x-amz-expected-bucket-owner", "111122223333"}}).status, 403);
  EXPECT_EQ(put("k", "v", {{"x-amz-expected-bucket-owner", config.owner_id}}).status, 200);
}

TEST_F(Errors, BadTargets) {
  for (const std::string target : {"/bucket/%zz", "/bucket/%00", "/bucket/%ff", "bucket/k"}) {
    const Reply reply = send("GET", target);
    EXPECT_EQ(reply.status, 400) << target;
    EXPECT_EQ(code(reply), "InvalidURI") << target;
  }
}

TEST_F(Errors, ObserverSeesEveryRequest) {
  put("k", "12345");
  get("k");
  get("absent");
  ASSERT_EQ(observed.size(), 3U);
  EXPECT_EQ(observed[0].op, OpId::put_object);
  EXPECT_EQ(observed[0].in, 5U);
  EXPECT_EQ(observed[1].op, OpId::get_object);
  EXPECT_EQ(observed[1].out, 5U);
  EXPECT_EQ(observed[2].status, 404);
  EXPECT_EQ(op_name(observed[2].op), "GetObject");
}

struct Unconfigured {
  std::string target;
  int status;
  std::string expected;  ///< a code, or a part of the document
};

class UnconfiguredTest : public S3Test, public ::testing::WithParamInterface<Unconfigured> {};

TEST_P(UnconfiguredTest, AnswersAsAws) {
  ASSERT_EQ(put("k", "v").status, 200);
  const Reply reply = send("GET", GetParam().target);
  EXPECT_EQ(reply.status, GetParam().status) << reply.body;
  EXPECT_NE(reply.body.find(GetParam().expected), std::string::npos) << reply.body;
  std::string absent = GetParam().target;
  absent.replace(1, 6, "absent");
  EXPECT_EQ(code(send("GET", absent)), "NoSuchBucket");
}

INSTANTIATE_TEST_SUITE_P(
    All,
    UnconfiguredTest,
    ::testing::Values(
        Unconfigured{"/bucket?policy", 404, ">NoSuchBucketPolicy<"},
        Unconfigured{"/bucket?policyStatus", 404, ">NoSuchBucketPolicy<"},
        Unconfigured{"/bucket?cors", 404, ">NoSuchCORSConfiguration<"},
        Unconfigured{"/bucket?lifecycle", 404, ">NoSuchLifecycleConfiguration<"},
        Unconfigured{"/bucket?website", 404, ">NoSuchWebsiteConfiguration<"},
        Unconfigured{"/bucket?tagging", 404, ">NoSuchTagSet<"},
        Unconfigured{"/bucket?replication", 404, ">ReplicationConfigurationNotFoundError<"},
        Unconfigured{"/bucket?object-lock", 404, ">ObjectLockConfigurationNotFoundError<"},
        Unconfigured{"/bucket?publicAccessBlock", 200,
                     "<RestrictPublicBuckets>true</RestrictPublicBuckets>"},
        Unconfigured{"/bucket?ownershipControls", 200, ">BucketOwnerEnforced<"},
        Unconfigured{"/bucket?encryption", 404, ">ServerSideEncryptionConfigurationNotFoundError<"},
        Unconfigured{"/bucket?versioning", 200, "<VersioningConfiguration"},
        Unconfigured{"/bucket?logging", 200, "<BucketLoggingStatus"},
        Unconfigured{"/bucket?notification", 200, "<NotificationConfiguration"},
        Unconfigured{"/bucket?accelerate", 200, "<AccelerateConfiguration"},
        Unconfigured{"/bucket?requestPayment", 200, "<Payer>BucketOwner</Payer>"},
        Unconfigured{"/bucket?acl", 200, "<Permission>FULL_CONTROL</Permission>"},
        Unconfigured{"/bucket?analytics", 200, "<IsTruncated>false</IsTruncated>"},
        Unconfigured{"/bucket?inventory&id=x", 404, ">NoSuchConfiguration<"},
        Unconfigured{"/bucket?metrics", 200, "<ListMetricsConfigurationsResult"},
        Unconfigured{"/bucket?intelligent-tiering&id=x", 404, ">NoSuchConfiguration<"},
        Unconfigured{"/bucket/k?acl", 200, "<Permission>FULL_CONTROL</Permission>"},
        Unconfigured{"/bucket/k?tagging", 200, "<TagSet></TagSet>"},
        Unconfigured{"/bucket/k?retention", 400, ">InvalidRequest<"},
        Unconfigured{"/bucket/k?legal-hold", 400, ">InvalidRequest<"}));

TEST_F(Errors, SettingsAreNotImplementedAndNothingIsThereToDelete) {
  for (const std::string sub : {"website", "replication"}) {
    EXPECT_EQ(send("PUT", "/bucket?" + sub, {}, {"<x/>"}).status, 501) << sub;
    EXPECT_EQ(send("DELETE", "/bucket?" + sub).status, 204) << sub;
    EXPECT_EQ(send("DELETE", "/absent?" + sub).status, 404) << sub;
  }
  for (const std::string sub : {"logging", "notification", "accelerate", "requestPayment"}) {
    EXPECT_EQ(send("PUT", "/bucket?" + sub, {}, {"<x/>"}).status, 501) << sub;
  }
  EXPECT_EQ(send("HEAD", "/bucket").status, 200);
}

}  // namespace
}  // namespace outcrop::s3::test
