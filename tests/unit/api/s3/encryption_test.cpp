// Server-side encryption on requests: what each header asks for, what is answered, and AWS's words
// for every misuse.
#include "tests/unit/api/s3/encryption_fixture.h"

#include "api/s3/encryption.h"
#include "api/s3/op_table.h"

namespace outcrop::s3::test {
namespace {

using Encryption = EncryptionTest;

TEST_F(Encryption, EachModeIsStoredAndTold) {
  const Reply managed_put = put("s3", "payload", managed());
  EXPECT_EQ(mode_of(managed_put), "AES256");
  EXPECT_EQ(managed_put.header("etag"), put("plain", "payload").header("etag")) << "the MD5";
  const Reply kms_put = put("kms", "payload", kms());
  EXPECT_EQ(mode_of(kms_put), "aws:kms testkey-1");
  EXPECT_NE(kms_put.header("etag"), managed_put.header("etag"));
  EXPECT_EQ(kms_put.header("etag").size(), managed_put.header("etag").size());
  const Reply client_put = put("c", "payload", client());
  EXPECT_EQ(mode_of(client_put), "C");
  EXPECT_EQ(client_put.header(kSse + "-customer-key-md5"), md5_of(std::string(32, 'a')));
  EXPECT_NE(client_put.header("etag"), managed_put.header("etag"));
  EXPECT_EQ(mode_of(put("plain", "payload")), "");
  for (const std::string key : {"s3", "kms", "c", "plain"}) {
    const Headers headers = key == "c" ? client() : Headers();
    for (const Reply& reply : {get(key, headers), head(key, headers)}) {
      EXPECT_EQ(reply.status, 200) << key << reply.body;
      EXPECT_EQ(mode_of(reply), key == "s3"    ? "AES256"
                                : key == "kms" ? "aws:kms testkey-1"
                                : key == "c"   ? "C"
                                               : "");
    }
    EXPECT_EQ(get(key, headers).body, "payload");
    EXPECT_EQ(get(key, join(headers, {{"range", "bytes=3-5"}})).body, "loa");
    EXPECT_EQ(is_sealed(key), key != "plain");
  }
}

TEST_F(Encryption, NothingIsAppended) {
  put("k", "v", managed());
  const auto append = [&](const std::string& key, const std::string& at, Headers headers = {}) {
    return code(put(key, "more", join(headers, {{"x-amz-write-offset-bytes", at}})));
  };
  EXPECT_EQ(append("k", "1"), "NotImplemented");
  EXPECT_EQ(append("k", "1", managed()), "NotImplemented");
  EXPECT_EQ(append("new", "0", managed()), "NotImplemented");
  EXPECT_EQ(get("k").body, "v");
  EXPECT_EQ(get("new").status, 404);
}

TEST_F(Encryption, KeysAreNamedInManyWays) {
  EXPECT_EQ(mode_of(put("k", "v", kms(kArn + "key/testkey-2"))),
            "aws:kms " + kArn + "key/testkey-2");
  EXPECT_EQ(mode_of(get("k")), "aws:kms " + kArn + "key/testkey-2");
  const std::string unnamed = mode_of(put("k", "v", kms(kArn + "alias/aws/s3")));
  EXPECT_TRUE(unnamed.starts_with("aws:kms " + kArn + "key/")) << unnamed;
  EXPECT_EQ(vault->keys()->size(), 3U);
  EXPECT_EQ(mode_of(put("k", "v", kms("alias/aws/s3"))), unnamed) << "one default key";
  EXPECT_EQ(mode_of(put("k", "v", {{kSse, "aws:kms"}})), unnamed);
  EXPECT_EQ(get("k").body, "v");
  const std::string id = unnamed.substr(unnamed.rfind('/') + 1);
  ASSERT_TRUE(run_sync(vault->set_enabled(id, false)));
  const Reply disabled = put("k", "v", {{kSse, "aws:kms"}});
  EXPECT_EQ(text(disabled.body, "Message"), kArn + "key/" + id + " is disabled.");
  ASSERT_TRUE(run_sync(vault->set_enabled(id, true)));
  EXPECT_EQ(code(put("k", "v", kms("nobody"))), "KMS.NotFoundException");
  EXPECT_EQ(code(put("k", "v", kms("arn:aws:kms:eu-west-1:000000000000:key/testkey-1"))),
            "KMS.NotFoundException");
  EXPECT_EQ(code(put("k", "v", kms(std::string(2049, 'k')))), "KMS.NotFoundException");
}

TEST_F(Encryption, ADisabledKeyNeitherWritesNorReads) {
  ASSERT_EQ(put("k", "v", kms()).status, 200);
  ASSERT_TRUE(run_sync(vault->set_enabled("testkey-1", false)));
  EXPECT_EQ(code(put("k2", "v", kms())), "KMS.DisabledException");
  const Reply refused = get("k");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(code(refused), "KMS.DisabledException");
  EXPECT_EQ(text(refused.body, "Message"), kArn + "key/testkey-1 is disabled.");
  EXPECT_EQ(head("k").status, 200) << "the key is not asked for";
  EXPECT_EQ(head("k", {{"x-amz-checksum-mode", "ENABLED"}}).status, 400);
  ASSERT_TRUE(run_sync(vault->remove("testkey-1")));
  EXPECT_EQ(code(get("k")), "KMS.NotFoundException");
}

TEST_F(Encryption, ContextAndBucketKey) {
  const std::string context = base64(R"({"team":"red"})");
  const Headers more{{kSse + "-context", context}, {kSse + "-bucket-key-enabled", "true"}};
  const Reply made = put("k", "v", join(kms(), more));
  EXPECT_EQ(made.header(kSse + "-context"), context);
  EXPECT_EQ(made.header(kSse + "-bucket-key-enabled"), "true");
  const Reply read = get("k");
  EXPECT_EQ(read.body, "v");
  EXPECT_EQ(read.header(kSse + "-bucket-key-enabled"), "true");
  EXPECT_FALSE(read.has(kSse + "-context")) << "told to who made it";
  for (const std::string& bad :
       {std::string("no base64!"), base64("text"), base64(R"({"a":1})"), base64("[]"),
        base64(R"({"a":")" + std::string(keys::kMaxContextBytes, 'x') + "\"}")}) {
    EXPECT_EQ(code(put("k", "v", join(kms(), {{kSse + "-context", bad}}))), "InvalidArgument");
  }
  EXPECT_EQ(code(put("k", "v", join(kms(), {{kSse + "-bucket-key-enabled", "1"}}))),
            "InvalidArgument");
}

TEST_F(Encryption, WhatContradictsItselfIsRefused) {
  const Headers kms_key{{kSse + "-aws-kms-key-id", "testkey-1"}};
  for (const Headers& bad :
       {join(managed(), client()), join(kms(), client()), join(managed(), kms_key), kms_key,
        join(client(), kms_key), Headers{{kSse, "aes:kms"}}, Headers{{kSse, ""}},
        Headers{{kSse + "-context", base64("{}")}}}) {
    const Reply reply = put("k", "v", bad);
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(code(reply), "InvalidArgument") << bad.front().name << reply.body;
  }
  EXPECT_EQ(code(put("k", "v", {{kSse, "aws:kms:dsse"}})), "NotImplemented");
  EXPECT_EQ(get("k").status, 404);
}

TEST_F(Encryption, ClientKeysAreCheckedBeforeTheyCount) {
  const std::string algorithm = kSse + "-customer-algorithm", key = kSse + "-customer-key",
                    md5 = kSse + "-customer-key-md5", raw(32, 'a');
  struct Case {
    Headers headers;
    std::string code, message;
  };
  const auto all = [&](const std::string& a, const std::string& k, const std::string& m) {
    return Headers{{algorithm, a}, {key, k}, {md5, m}};
  };
  const std::string no_key = "an appropriate secret key.",
                    invalid = "The secret key was invalid for the specified algorithm.";
  for (const Case& c :
       {Case{{{algorithm, "AES256"}}, "InvalidArgument", no_key},
        Case{{{key, base64(raw)}, {md5, md5_of(raw)}}, "InvalidArgument", "encryption algorithm."},
        Case{{{algorithm, "AES256"}, {key, base64(raw)}}, "InvalidArgument", "MD5 of the secret"},
        Case{all("AES128", base64(raw), md5_of(raw)), "InvalidEncryptionAlgorithmError", ""},
        Case{all("AES256", "", md5_of(raw)), "InvalidArgument", no_key},
        Case{all("AES256", "####", md5_of(raw)), "InvalidArgument", invalid},
        Case{all("AES256", base64(raw), md5_of("b")), "InvalidArgument", "calculated MD5 hash"},
        Case{client_key("short"), "InvalidArgument", invalid},
        Case{client_key(raw + "x"), "InvalidArgument", invalid}}) {
    const Reply reply = put("k", "v", c.headers);
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(code(reply), c.code) << reply.body;
    EXPECT_NE(text(reply.body, "Message").find(c.message), std::string::npos) << reply.body;
    EXPECT_EQ(reply.body.find(base64(raw)), std::string::npos) << "no key is told";
  }
  EXPECT_EQ(get("k").status, 404);
}

TEST_F(Encryption, OnlyTheClientsKeyReads) {
  ASSERT_EQ(put("c", "payload", client()).status, 200);
  for (const std::string target : {"/bucket/c", "/bucket/c?attributes"}) {
    const Headers more{{"x-amz-object-attributes", "ETag"}};
    const Reply none = send("GET", target, more);
    EXPECT_EQ(none.status, 400);
    EXPECT_EQ(code(none), "InvalidRequest");
    EXPECT_NE(none.body.find("a form of Server Side Encryption"), std::string::npos);
    EXPECT_EQ(send("GET", target, join(more, client())).status, 200);
    const Reply wrong = send("GET", target, join(more, client('b')));
    EXPECT_EQ(wrong.status, 403);
    EXPECT_EQ(code(wrong), "AccessDenied");
    EXPECT_EQ(send("GET", target, join(more, client_key("short"))).status, 403);
  }
  EXPECT_EQ(head("c").status, 400);
  EXPECT_EQ(head("c", client('b')).status, 403);
  EXPECT_EQ(head("c", client()).status, 200);
  Headers without_md5 = client();
  without_md5.pop_back();
  EXPECT_EQ(get("c", without_md5).body, "payload") << "as AWS";
  EXPECT_EQ(get("c", join(without_md5, {{kSse + "-customer-key-md5", md5_of("b")}})).status, 400);
}

TEST_F(Encryption, ReadersNameNothingButTheirKey) {
  ASSERT_EQ(put("s3", "v", managed()).status, 200);
  ASSERT_EQ(put("plain", "v").status, 200);
  for (const std::string key : {"s3", "plain"}) {
    EXPECT_EQ(code(get(key, managed())), "InvalidArgument");
    EXPECT_EQ(code(get(key, kms())), "InvalidArgument");
    EXPECT_EQ(head(key, managed()).status, 400);
    const Reply reply = get(key, client());
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(code(reply), "InvalidRequest");
    EXPECT_NE(reply.body.find("not applicable to this object"), std::string::npos);
    EXPECT_EQ(head(key, client()).status, 400);
  }
  EXPECT_EQ(send("DELETE", "/bucket/s3", managed()).status, 501);
  EXPECT_EQ(send("GET", "/bucket", client()).status, 501);
  EXPECT_EQ(put("k", "v", client('a', kSource)).status, 501);
}

TEST_F(Encryption, ClientKeysComeOverTls) {
  config.sse_c_over_http = false;
  handler = new_handler();
  const Headers secure{{"x-test-secure", "1"}};
  const Reply refused = put("c", "v", client());
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(code(refused), "InvalidRequest");
  EXPECT_NE(refused.body.find("over a secure connection"), std::string::npos);
  ASSERT_EQ(put("c", "v", join(client(), secure)).status, 200);
  EXPECT_EQ(get("c", client()).status, 400);
  EXPECT_EQ(get("c", join(client(), secure)).body, "v");
  EXPECT_EQ(put("s3", "v", managed()).status, 200) << "no key comes with it";
  Headers copy = join(client('a', kSource), {{"x-amz-copy-source", "/bucket/c"}});
  EXPECT_EQ(put("copy", "", copy).status, 400);
}

TEST_F(Encryption, ClientKeysAreNoPartOfUrls) {
  const std::string query =
      "?x-amz-server-side-encryption-customer-algorithm=AES256"
      "&x-amz-server-side-encryption-customer-key=" +
      std::string(43, 'Y') + "%3D";
  const Reply reply = send("PUT", "/bucket/k" + query, {{"x-test-presigned", "1"}}, {"v"});
  EXPECT_EQ(code(reply), "InvalidRequest");
  EXPECT_NE(reply.body.find("must be a header"), std::string::npos) << reply.body;
  EXPECT_EQ(mode_of(send("PUT", "/bucket/k?x-amz-server-side-encryption=AES256",
                         {{"x-test-presigned", "1"}}, {"v"})),
            "AES256");
}

TEST_F(Encryption, UploadsKeepWhatTheyBeganWith) {
  for (const Headers& asked : {managed(), kms(), client()}) {
    const bool own = asked.size() == 3;
    const Headers key = own ? client() : Headers();
    const Reply begun = send("POST", "/bucket/m?uploads", asked);
    const std::string id = text(begun.body, "UploadId");
    EXPECT_NE(mode_of(begun), "");
    const Reply one = put_part("m", id, 1, std::string(20, 'x'), key);
    const Reply two = put_part("m", id, 2, "tail", key);
    ASSERT_EQ(one.status, 200) << one.body;
    EXPECT_EQ(mode_of(one), mode_of(begun));
    EXPECT_EQ(put_part("m", id, 1, std::string(20, 'x'), key).header("etag"), one.header("etag"))
        << "a part that is sent again, as after a timeout, is the same part";
    EXPECT_EQ(
        one.header("etag") == "\"" +
                                  [] {
                                    return digest::to_hex(as_bytes(digest::Digest::of(
                                        digest::Algorithm::md5, as_bytes(std::string(20, 'x')))));
                                  }() +
                                  "\"",
        asked.size() == 1)
        << "MD5 for SSE-S3 alone";
    const Reply done = complete("m", id, {{1, one.header("etag")}, {2, two.header("etag")}});
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(mode_of(done), mode_of(begun));
    EXPECT_TRUE(text(done.body, "ETag").ends_with("-2&quot;") ||
                text(done.body, "ETag").ends_with("-2\""))
        << done.body;
    EXPECT_EQ(get("m", key).body, std::string(20, 'x') + "tail");
    EXPECT_EQ(get("m?partNumber=2", key).body, "tail");
    EXPECT_EQ(get("m", join(key, {{"range", "bytes=18-21"}})).body, "xxta");
  }
}

TEST_F(Encryption, PartsOfAClientsUploadNeedItsKey) {
  const std::string id = start_upload("m", client());
  const Reply none = put_part("m", id, 1, "x");
  EXPECT_EQ(none.status, 400);
  EXPECT_NE(none.body.find("upload initiate requested encryption"), std::string::npos) << none.body;
  const Reply wrong = put_part("m", id, 1, "x", client('b'));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.body.find("did not match the ones used originally"), std::string::npos);
  const Reply part = put_part("m", id, 1, "x", client());
  EXPECT_EQ(complete("m", id, {{1, part.header("etag")}}, client('b')).status, 400);
  EXPECT_EQ(complete("m", id, {{1, part.header("etag")}}).status, 200) << "without checksums";

  const std::string summed =
      start_upload("m", join(client(), {{"x-amz-checksum-algorithm", "CRC32"}}));
  const Reply second = put_part("m", summed, 1, "x", client());
  const std::vector<std::pair<int, std::string>> parts{{1, second.header("etag")}};
  EXPECT_EQ(complete("m", summed, parts).status, 400);
  EXPECT_EQ(complete("m", summed, parts, client()).status, 200);
}

/// What parts say of other modes is the upload's to say: clients send it with every part.
TEST_F(Encryption, PartsAreToldApartWhereNoMd5IsComputed) {
  config.fast_etags = true;
  handler = new_handler();
  for (const auto& [mode, again] :
       {std::pair(Headers(), Headers()), std::pair(managed(), Headers()),
        std::pair(kms(), Headers()), std::pair(client(), client())}) {
    const std::string id = start_upload("k", mode);
    const Reply one = put_part("k", id, 1, "one", again);
    const Reply two = put_part("k", id, 1, "two", again);
    ASSERT_EQ(two.status, 200) << two.body;
    EXPECT_NE(one.header("etag"), two.header("etag"));
    EXPECT_EQ(code(complete("k", id, {{1, one.header("etag")}}, again)), "InvalidPart");
    EXPECT_EQ(complete("k", id, {{1, two.header("etag")}}, again).status, 200);
    EXPECT_EQ(get("k", again).body, "two");
  }
}

TEST_F(Encryption, PartsDoNotSayHow) {
  const std::string id = start_upload("m", kms("testkey-1"));
  const Reply part = put_part("m", id, 1, "x", kms("not-there"));
  EXPECT_EQ(mode_of(part), "aws:kms testkey-1");
  EXPECT_EQ(complete("m", id, {{1, part.header("etag")}}, kms("not-there")).status, 200);
  EXPECT_EQ(mode_of(get("m")), "aws:kms testkey-1");
  const std::string plain = start_upload("p");
  EXPECT_EQ(code(put_part("p", plain, 1, "x", client())), "InvalidRequest");
  const Reply ok = put_part("p", plain, 1, "x", managed());
  EXPECT_EQ(mode_of(ok), "") << "nothing is said that is not so";
}

TEST_F(Encryption, ChecksumsAreOfThePlaintext) {
  const std::string sum = digest_text(digest::Algorithm::crc32, "payload");
  for (const Headers& asked : {managed(), kms(), client()}) {
    const Headers key = asked.size() == 3 ? client() : Headers();
    const Headers summed =
        join(asked, {{"x-amz-checksum-crc32", sum}, {"content-md5", md5_of("payload")}});
    EXPECT_EQ(put("k", "payload", summed).header("x-amz-checksum-crc32"), sum);
    EXPECT_EQ(code(put("k", "other", summed)), "BadDigest");
    EXPECT_EQ(
        get("k", join(key, {{"x-amz-checksum-mode", "ENABLED"}})).header("x-amz-checksum-crc32"),
        sum);
  }
}

TEST_F(Encryption, BucketsHaveADefault) {
  EXPECT_EQ(code(send("GET", "/bucket?encryption")),
            "ServerSideEncryptionConfigurationNotFoundError");
  EXPECT_EQ(send("DELETE", "/bucket?encryption").status, 204);
  ASSERT_EQ(put_rule("<SSEAlgorithm>AES256</SSEAlgorithm>").status, 200);
  const Reply rule = send("GET", "/bucket?encryption");
  EXPECT_EQ(text(rule.body, "SSEAlgorithm"), "AES256");
  EXPECT_EQ(text(rule.body, "BucketKeyEnabled"), "false");
  EXPECT_TRUE(run_sync(ns.get_bucket("bucket")).value().sealing);
  EXPECT_EQ(mode_of(put("k", "v")), "AES256");
  EXPECT_EQ(get("k").body, "v");
  EXPECT_EQ(mode_of(put("k", "v", kms())), "aws:kms testkey-1") << "the request says it";
  EXPECT_EQ(mode_of(put("k", "v", client())), "C");
  EXPECT_EQ(mode_of(send("POST", "/bucket/m?uploads")), "AES256");
  EXPECT_EQ(
      mode_of(put("copy", "", join(client('a', kSource), {{"x-amz-copy-source", "/bucket/k"}}))),
      "AES256");

  ASSERT_EQ(put_rule("<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>testkey-2"
                     "</KMSMasterKeyID>",
                     "<BucketKeyEnabled>true</BucketKeyEnabled>")
                .status,
            200);
  EXPECT_EQ(text(send("GET", "/bucket?encryption").body, "KMSMasterKeyID"), "testkey-2");
  const Reply made = put("k", "v");
  EXPECT_EQ(mode_of(made), "aws:kms testkey-2");
  EXPECT_EQ(made.header(kSse + "-bucket-key-enabled"), "true");
  EXPECT_FALSE(
      put("k", "v", {{kSse + "-bucket-key-enabled", "false"}}).has(kSse + "-bucket-key-enabled"));
  ASSERT_EQ(put_rule("<SSEAlgorithm>aws:kms</SSEAlgorithm>").status, 200);
  EXPECT_TRUE(mode_of(put("k", "v")).starts_with("aws:kms " + kArn + "key/"));

  ASSERT_EQ(send("DELETE", "/bucket?encryption").status, 204);
  EXPECT_FALSE(run_sync(ns.get_bucket("bucket")).value().sealing);
  EXPECT_EQ(mode_of(put("k", "v")), "");
}

TEST_F(Encryption, RulesThatMakeNoSense) {
  EXPECT_EQ(code(put_rule("<SSEAlgorithm>AES128</SSEAlgorithm>")), "MalformedXML");
  EXPECT_EQ(code(put_rule("")), "MalformedXML");
  EXPECT_EQ(code(put_rule("<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm>")), "NotImplemented");
  EXPECT_EQ(code(put_rule("<SSEAlgorithm>AES256</SSEAlgorithm>", "<BlockedEncryptionTypes/>")),
            "NotImplemented");
  EXPECT_EQ(code(put_rule("<SSEAlgorithm>AES256</SSEAlgorithm>"
                          "<KMSMasterKeyID>testkey-1</KMSMasterKeyID>")),
            "InvalidArgument");
  EXPECT_EQ(code(put_rule("<SSEAlgorithm>aws:kms</SSEAlgorithm>"
                          "<KMSMasterKeyID>nobody</KMSMasterKeyID>")),
            "KMS.NotFoundException");
  for (const std::string text :
       {"<x/>", "<ServerSideEncryptionConfiguration/>",
        "<ServerSideEncryptionConfiguration><Rule/></ServerSideEncryptionConfiguration>",
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
        "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule><Rule/>"
        "</ServerSideEncryptionConfiguration>"}) {
    EXPECT_EQ(code(send("PUT", "/bucket?encryption", {}, {text})), "MalformedXML") << text;
  }
  EXPECT_FALSE(run_sync(ns.get_bucket("bucket")).value().sealing);
}

/// Where nobody can say any more whether the bucket encrypts, nothing is stored in the clear.
TEST_F(Encryption, ADamagedDefaultIsNoPermission) {
  ASSERT_EQ(put_rule("<SSEAlgorithm>AES256</SSEAlgorithm>").status, 200);
  const ns::BucketInfo bucket = run_sync(ns.get_bucket("bucket")).value();
  meta::Batch batch;
  batch.put(bucket_settings_key(bucket.root), "garbage");
  ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
  settings = run_sync(SettingsTable::open(meta, {{"bucket", bucket.root}})).value();
  config.settings = settings.get();
  handler = new_handler();
  EXPECT_EQ(put("k", "v").status, 500);
  EXPECT_EQ(put("k", "v", managed()).status, 200) << "the request says it";
  const std::string tags =
      "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
  ASSERT_EQ(send("PUT", "/bucket?tagging", {}, {tags}).status, 204);
  EXPECT_EQ(put("k", "v").status, 500) << "tags say nothing of encryption";
  EXPECT_EQ(send("GET", "/bucket?encryption").status, 500);
  settings = run_sync(SettingsTable::open(meta, {{"bucket", bucket.root}})).value();
  config.settings = settings.get();
  handler = new_handler();
  EXPECT_EQ(put("k", "v").status, 500) << "also after a restart";
  ASSERT_EQ(send("DELETE", "/bucket?encryption").status, 204);
  EXPECT_EQ(put("k", "v").status, 200);
}

TEST_F(Encryption, PoliciesAskForIt) {
  add_user("alice", {R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})"});
  const auto deny = [&](const std::string& condition) {
    return send("PUT", "/bucket?policy", {},
                {R"({"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",)"
                 R"("Resource":"arn:aws:s3:::bucket/*","Condition":)" +
                 condition + "}}"});
  };
  const auto try_put = [&](Headers headers) {
    headers.push_back({"x-test-user", "alice"});
    return put("k", "v", std::move(headers)).status;
  };
  ASSERT_EQ(deny(R"({"Null":{"s3:x-amz-server-side-encryption":"true"}})").status, 204);
  EXPECT_EQ(try_put({}), 403);
  EXPECT_EQ(try_put(managed()), 200);
  EXPECT_EQ(try_put(client()), 403);
  ASSERT_EQ(
      deny(R"({"StringNotEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"testkey-2"}})")
          .status,
      204);
  EXPECT_EQ(try_put(kms("testkey-1")), 403);
  EXPECT_EQ(try_put(kms("testkey-2")), 200);
  ASSERT_EQ(
      deny(R"({"Null":{"s3:x-amz-server-side-encryption-customer-algorithm":"true"}})").status,
      204);
  EXPECT_EQ(try_put(managed()), 403);
  EXPECT_EQ(try_put(client()), 200);
}

/// The headers come with CreateMultipartUpload; its parts are decided on as if they had them.
TEST_F(Encryption, PoliciesAskUploadsForTheirParts) {
  add_user("alice", {R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})"});
  const Headers alice{{"x-test-user", "alice"}};
  const std::string plain = start_upload("p", alice);
  ASSERT_EQ(send("PUT", "/bucket?policy", {},
                 {R"({"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",)"
                  R"("Resource":"arn:aws:s3:::bucket/*","Condition":{"StringNotEquals":)"
                  R"({"s3:x-amz-server-side-encryption":"aws:kms"}}}})"})
                .status,
            204);
  EXPECT_EQ(put_part("p", plain, 1, "x", alice).status, 403);
  EXPECT_EQ(put_part("p", plain, 1, "x", join(alice, kms())).status, 403)
      << "a part's header changes nothing";
  const std::string id = start_upload("m", join(alice, kms()));
  const Reply part = put_part("m", id, 1, "x", alice);
  ASSERT_EQ(part.status, 200) << part.body;
  EXPECT_EQ(complete("m", id, {{1, part.header("etag")}}, alice).status, 200);
}

}  // namespace
}  // namespace outcrop::s3::test
