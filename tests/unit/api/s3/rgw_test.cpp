// Where Ceph's gateway answers otherwise than AWS: each difference in both dialects.
#include "api/s3/rgw.h"

#include "tests/unit/api/s3/encryption_fixture.h"

namespace outcrop::s3::test {
namespace {

class Rgw : public EncryptionTest {
 protected:
  void use(Dialect dialect) {
    config.dialect = dialect;
    handler = new_handler();
  }
  /// What `ask` is answered with by each.
  struct Answers {
    Reply aws, rgw;
  };
  Answers both(const std::function<Reply()>& ask) {
    Answers out;
    use(Dialect::aws);
    out.aws = ask();
    use(Dialect::rgw);
    out.rgw = ask();
    return out;
  }
  void expect_codes(const std::function<Reply()>& ask,
                    const std::string& aws,
                    const std::string& rgw) {
    const Answers answers = both(ask);
    EXPECT_EQ(code(answers.aws), aws);
    EXPECT_EQ(code(answers.rgw), rgw);
  }
  Reply erase(const std::string& key, Headers headers = {}) {
    return send("DELETE", "/bucket/" + key, std::move(headers));
  }
  std::string erase_all(const std::string& object) {
    const std::string document = "<Delete><Object>" + object + "</Object></Delete>";
    const Reply reply =
        send("POST", "/bucket?delete",
             {{"content-md5", digest_text(digest::Algorithm::md5, document)}}, {document});
    return text(reply.body, "Code");
  }
  void enable_versions() {
    ASSERT_EQ(send("PUT", "/bucket?versioning", {},
                   {"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"})
                  .status,
              200);
  }
};

TEST_F(Rgw, PartsThatThereAreNot) {
  put("one", "body");
  expect_codes([&] { return send("GET", "/bucket/one?partNumber=2"); }, "InvalidPartNumber",
               "InvalidPart");
  EXPECT_EQ(send("GET", "/bucket/one?partNumber=2").status, 400);
  put("sealed", "body", client());
  expect_codes([&] { return send("GET", "/bucket/sealed?partNumber=2"); }, "InvalidRequest",
               "InvalidPart");
}

TEST_F(Rgw, OtherClientKeys) {
  put("sealed", "body", client('a'));
  const Answers answers = both([&] { return get("sealed", client('b')); });
  EXPECT_EQ(code(answers.aws), "AccessDenied");
  EXPECT_EQ(answers.aws.status, 403);
  EXPECT_EQ(code(answers.rgw), "InvalidArgument");
  EXPECT_EQ(answers.rgw.status, 400);
  EXPECT_EQ(get("sealed", client('a')).body, "body");
}

TEST_F(Rgw, CompletionsNeedTheClientsKey) {
  const std::string id = start_upload("k", client());
  const std::string etag = put_part("k", id, 1, "body", client()).header("etag");
  use(Dialect::rgw);
  EXPECT_EQ(code(complete("k", id, {{1, etag}})), "InvalidRequest");
  use(Dialect::aws);
  EXPECT_EQ(complete("k", id, {{1, etag}}).status, 200);
}

TEST_F(Rgw, KmsWithoutAKey) {
  const Answers answers = both([&] { return put("k", "body", {{kSse, "aws:kms"}}); });
  EXPECT_EQ(answers.aws.status, 200);
  EXPECT_EQ(code(answers.rgw), "InvalidArgument");
  EXPECT_EQ(put("k", "body", kms()).status, 200);
}

TEST_F(Rgw, ChecksumsOfTheWrongLength) {
  expect_codes([&] { return put("k", "body", {{"x-amz-checksum-sha256", "bad"}}); },
               "InvalidRequest", "BadDigest");
}

TEST_F(Rgw, TooManyTags) {
  std::string tags;
  for (int i = 0; i < 11; ++i) {
    tags += "<Tag><Key>" + std::to_string(i) + "</Key><Value/></Tag>";
  }
  put("k", "body");
  expect_codes(
      [&] {
        return send("PUT", "/bucket/k?tagging", {},
                    {"<Tagging><TagSet>" + tags + "</TagSet></Tagging>"});
      },
      "BadRequest", "InvalidTag");
}

TEST_F(Rgw, StatusOfNoPolicy) {
  const Answers answers = both([&] { return send("GET", "/bucket?policyStatus"); });
  EXPECT_EQ(code(answers.aws), "NoSuchBucketPolicy");
  EXPECT_EQ(text(answers.rgw.body, "IsPublic"), "false");
  EXPECT_EQ(code(send("GET", "/absent?policyStatus")), "NoSuchBucket");
}

TEST_F(Rgw, StrangersHaveNoBuckets) {
  const Answers answers = both([&] { return send("GET", "/", {{"x-test-anonymous", "1"}}); });
  EXPECT_EQ(code(answers.aws), "AccessDenied");
  EXPECT_EQ(answers.rgw.status, 200);
  EXPECT_FALSE(answers.rgw.body.contains("bucket"));
  add_user("nobody", {});
  EXPECT_EQ(code(send("GET", "/", {{"x-test-user", "nobody"}, {"authorization", "signed"}})),
            "AccessDenied");
}

TEST_F(Rgw, NoTorrents) {
  put("k", "body");
  expect_codes([&] { return send("GET", "/bucket/k?torrent"); }, "NotImplemented", "NoSuchKey");
}

TEST_F(Rgw, NoKeyIsNoMarker) {
  const Answers answers = both([&] { return head("absent"); });
  EXPECT_FALSE(answers.aws.has("x-amz-delete-marker"));
  EXPECT_EQ(answers.rgw.status, 404);
  EXPECT_EQ(answers.rgw.header("x-amz-delete-marker"), "false");
  enable_versions();
  put("k", "body");
  erase("k");
  EXPECT_EQ(head("k").header("x-amz-delete-marker"), "true");
}

TEST_F(Rgw, DeletesOfWhatIsGoneSucceedWhateverTheirConditions) {
  expect_codes([&] { return erase("absent", {{"if-match", "\"bad\""}}); }, "NoSuchKey", "(none)");
  EXPECT_EQ(erase("absent", {{"if-match", "*"}}).status, 204);
  EXPECT_EQ(erase_all("<Key>absent</Key><ETag>bad</ETag>"), "(none)");
  put("k", "body");
  EXPECT_EQ(code(erase("k", {{"if-match", "\"bad\""}})), "PreconditionFailed");
  EXPECT_EQ(get("k").status, 200);
  EXPECT_EQ(erase("k", {{"if-match", put("k", "new").header("etag")}}).status, 204);
  EXPECT_EQ(get("k").status, 404);
}

TEST_F(Rgw, ConditionsOfDeletesAreAboutMarkersToo) {
  enable_versions();
  put("k", "body");
  erase("k");
  expect_codes([&] { return erase("k", {{"if-match", "\"bad\""}}); }, "NoSuchKey",
               "PreconditionFailed");
  EXPECT_EQ(code(erase("k", {{"x-amz-if-match-size", "9"}})), "PreconditionFailed");
  EXPECT_EQ(erase_all("<Key>k</Key><Size>9</Size>"), "PreconditionFailed");
  const Reply again = erase("k", {{"if-match", "*"}});
  EXPECT_EQ(again.status, 204);
  EXPECT_EQ(again.header("x-amz-delete-marker"), "true");
}

TEST_F(Rgw, PartsThatAreListedTwice) {
  const std::string id = start_upload("k");
  const std::string first = put_part("k", id, 1, "first").header("etag");
  const std::string last = put_part("k", id, 1, "last").header("etag");
  expect_codes([&] { return complete("k", id, {{1, first}, {1, last}}); }, "InvalidPartOrder",
               "(none)");
  EXPECT_EQ(get("k").body, "last");
}

TEST_F(Rgw, OnesOwnBucketWithAnotherAcl) {
  config.object_ownership = access::Ownership::writer;
  access = run_sync(access::AccessTable::open(meta, {}, policy::PublicAccessBlock{})).value();
  config.access = access.get();
  const auto ask = [&] { return send("PUT", "/mine", {{"x-amz-acl", "public-read"}}); };
  use(Dialect::rgw);
  ASSERT_EQ(send("PUT", "/mine").status, 200);
  EXPECT_EQ(send("PUT", "/mine").status, 200);
  EXPECT_EQ(code(ask()), "BucketAlreadyExists");
  use(Dialect::aws);
  EXPECT_EQ(ask().status, 200);
}

TEST_F(Rgw, PrefixesOfListingsAreNotEncoded) {
  const Answers answers =
      both([&] { return send("GET", "/bucket?prefix=%0Aa%26&encoding-type=url"); });
  EXPECT_EQ(text(answers.aws.body, "Prefix"), "%0Aa%26");
  EXPECT_EQ(text(answers.rgw.body, "Prefix"), "&#xa;a&amp;");
}

TEST_F(Rgw, WhatABucketHolds) {
  put("a", "12345");
  put("b", "1234");
  const Answers answers = both([&] { return send("HEAD", "/bucket?read-stats=true"); });
  EXPECT_FALSE(answers.aws.has("x-rgw-object-count"));
  EXPECT_EQ(answers.rgw.header("x-rgw-object-count"), "2");
  EXPECT_EQ(answers.rgw.header("x-rgw-bytes-used"), "9");
  EXPECT_FALSE(send("HEAD", "/bucket").has("x-rgw-object-count"));
}

}  // namespace
}  // namespace outcrop::s3::test
