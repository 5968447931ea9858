// Objects: attributes, limits, ranges, conditions, copy, rename, delete.
#include "api/s3/headers.h"
#include "api/s3/payload.h"
#include "api/s3/xml_in.h"
#include "storage/digest/digest.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

class Objects : public S3Test {};

TEST_F(Objects, AttributesComeBackVerbatim) {
  const Headers stored{{"content-type", "text/plain; charset=x"},
                       {"cache-control", "no-store"},
                       {"content-disposition", "attachment; filename=\"a b\""},
                       {"content-language", "de, fr"},
                       {"content-encoding", "br,  gzip"},
                       {"expires", "whenever"},
                       {"x-amz-meta-one", "1"},
                       {"x-amz-meta-two", "2 "}};
  ASSERT_EQ(put("k", "v", stored).status, 200);
  const Reply reply = head("k");
  for (const http::Header& h : stored) {
    EXPECT_EQ(reply.header(h.name), h.value) << h.name;
  }
  EXPECT_EQ(reply.header("accept-ranges"), "bytes");
  EXPECT_EQ(reply.content_length, 1U);
  ASSERT_EQ(put("plain", "v").status, 200);
  EXPECT_EQ(head("plain").header("content-type"), "binary/octet-stream");
}

TEST_F(Objects, SmallReadsAndEarlyEnds) {
  Body slow{std::string(5000, 's')};
  slow.slice = 7;
  ASSERT_EQ(send("PUT", "/bucket/k", {}, slow).status, 200);
  EXPECT_EQ(get("k").body, slow.text);
  Body cut{"short"};
  cut.claimed = 6;
  const Reply reply = send("PUT", "/bucket/cut", {}, cut);
  EXPECT_EQ(code(reply), "IncompleteBody");
  EXPECT_EQ(get("cut").status, 404);
}

TEST_F(Objects, LimitsAtAndAbove) {
  EXPECT_EQ(put(std::string(1024, 'k'), "v").status, 200);
  const Reply key = put(std::string(1025, 'k'), "v");
  EXPECT_EQ(code(key), "KeyTooLongError");
  EXPECT_EQ(text(key.body, "MaxSizeAllowed"), "1024");
  EXPECT_EQ(put("m", "v", {{"x-amz-meta-ab", std::string(2046, 'm')}}).status, 200);
  const Reply meta = put("m", "v", {{"x-amz-meta-ab", std::string(2047, 'm')}});
  EXPECT_EQ(code(meta), "MetadataTooLarge");
  EXPECT_EQ(text(meta.body, "Size"), "2049");
  Body huge{"v"};
  huge.claimed = kMaxPutBytes + 1;
  EXPECT_EQ(code(send("PUT", "/bucket/huge", {}, huge)), "EntityTooLarge");
  huge.claimed = kMaxPutBytes;
  EXPECT_EQ(code(send("PUT", "/bucket/huge", {}, huge)), "IncompleteBody");
}

TEST_F(Objects, BucketNames) {
  for (const std::string& good :
       std::vector<std::string>{"abc", "a.b-c", "1a2", std::string(63, 'a')}) {
    EXPECT_EQ(send("PUT", "/" + good).status, 200) << good;
  }
  for (const std::string& bad :
       std::vector<std::string>{"ab", std::string(64, 'a'), "Abc", "a..b", "a.-b", "a-.b", "-abc",
                                "abc-", "192.168.5.4", "a_b", "xn--abc", "abc-s3alias"}) {
    EXPECT_EQ(code(send("PUT", "/" + bad)), "InvalidBucketName") << bad;
  }
}

TEST_F(Objects, DeleteBucket) {
  ASSERT_EQ(put("k", "v").status, 200);
  EXPECT_EQ(code(send("DELETE", "/bucket")), "BucketNotEmpty");
  ASSERT_EQ(send("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ(send("DELETE", "/bucket").status, 204);
  EXPECT_EQ(send("HEAD", "/bucket").status, 404);
}

TEST_F(Objects, ReadConditionsInTheirOrder) {
  ASSERT_EQ(put("k", "v").status, 200);
  const std::string etag = head("k").header("etag");
  const std::string before = "Sat, 21 Nov 2026 23:19:35 GMT";
  const std::string at = "Sat, 21 Nov 2026 23:19:36 GMT";
  EXPECT_EQ(get("k", {{"if-match", "\"x\", " + etag}}).status, 200);
  EXPECT_EQ(get("k", {{"if-match", "\"x\""}}).status, 412);
  EXPECT_EQ(get("k", {{"if-match", "W/" + etag}}).status, 412);
  EXPECT_EQ(get("k", {{"if-match", etag}, {"if-unmodified-since", before}}).status, 200);
  EXPECT_EQ(get("k", {{"if-unmodified-since", before}}).status, 412);
  EXPECT_EQ(get("k", {{"if-unmodified-since", at}}).status, 200);
  EXPECT_EQ(get("k", {{"if-modified-since", at}}).status, 304);
  EXPECT_EQ(get("k", {{"if-modified-since", before}}).status, 200);
  EXPECT_EQ(get("k", {{"if-modified-since", "no date"}}).status, 200);
  EXPECT_EQ(get("k", {{"if-none-match", "\"x\""}, {"if-modified-since", at}}).status, 200);
  EXPECT_EQ(head("k", {{"if-none-match", "*"}}).status, 304);
  EXPECT_EQ(get("k", {{"range", "bytes=0-0"}, {"if-range", "\"x\""}}).status, 200);
  EXPECT_EQ(get("k", {{"range", "bytes=0-0"}, {"if-range", etag}}).status, 206);
}

TEST_F(Objects, SignedResponseOverrides) {
  ASSERT_EQ(put("k", "v", {{"content-type", "a/b"}}).status, 200);
  const Reply reply =
      get("k?response-content-type=c%2Fd&response-content-disposition=inline&response-expires=x");
  EXPECT_EQ(reply.header("content-type"), "c/d");
  EXPECT_EQ(reply.header("content-disposition"), "inline");
  EXPECT_EQ(reply.header("expires"), "x");
  EXPECT_EQ(get("k?response-content-type=a%0d%0ax:y").status, 400);
}

TEST_F(Objects, VersionIdNullIsTheObject) {
  ASSERT_EQ(put("k", "v").status, 200);
  EXPECT_EQ(get("k?versionId=null").body, "v");
  EXPECT_EQ(get("k?versionId=null").header("x-amz-version-id"), "null");
  EXPECT_EQ(code(get("k?versionId=abc")), "InvalidArgument");
  EXPECT_EQ(send("DELETE", "/bucket/k?versionId=abc").status, 400);
  EXPECT_EQ(send("DELETE", "/bucket/k?versionId=null").status, 204);
}

TEST_F(Objects, Copy) {
  ASSERT_EQ(put("dir/a%20b", "v", {{"x-amz-meta-a", "1"}, {"content-type", "x/y"}}).status, 200);
  for (const std::string source :
       {"bucket/dir/a%20b", "/bucket/dir/a%20b", "/bucket/dir%2Fa%20b?versionId=null"}) {
    const Reply copied = send("PUT", "/bucket/c", {{"x-amz-copy-source", source}});
    ASSERT_EQ(copied.status, 200) << copied.body;
    EXPECT_NE(copied.body.find("<ETag>&quot;"), std::string::npos);
    EXPECT_EQ(get("c").body, "v");
    EXPECT_EQ(head("c").header("x-amz-meta-a"), "1");
  }
  const Headers replace{{"x-amz-copy-source", "bucket/c"},
                        {"x-amz-metadata-directive", "REPLACE"},
                        {"x-amz-meta-b", "2"}};
  const Headers itself{{"x-amz-copy-source", "bucket/c"}};
  EXPECT_EQ(code(send("PUT", "/bucket/c", itself)), "InvalidRequest");
  ASSERT_EQ(send("PUT", "/bucket/c", replace).status, 200);
  EXPECT_EQ(head("c").header("x-amz-meta-b"), "2");
  EXPECT_FALSE(head("c").has("x-amz-meta-a"));
  EXPECT_EQ(code(send("PUT", "/bucket/d", {{"x-amz-copy-source", "bucket/none"}})), "NoSuchKey");
  EXPECT_EQ(code(send("PUT", "/bucket/d", {{"x-amz-copy-source", "bucket"}})), "InvalidArgument");
  EXPECT_EQ(code(send("PUT", "/bucket/d",
                      {{"x-amz-copy-source", "bucket/c"}, {"x-amz-metadata-directive", "MERGE"}})),
            "InvalidArgument");
}

TEST_F(Objects, CopyWithANewChecksumReadsTheSource) {
  const std::string payload(2500, 'c');
  ASSERT_EQ(put("k", payload).status, 200);
  const Headers headers{{"x-amz-copy-source", "bucket/k"}, {"x-amz-checksum-algorithm", "SHA256"}};
  const Reply copied = send("PUT", "/bucket/c", headers);
  const auto expected = digest_text(digest::Algorithm::sha256, payload);
  EXPECT_EQ(text(copied.body, "ChecksumSHA256"), expected);
  EXPECT_EQ(get("c").body, payload);
  EXPECT_EQ(head("c").header("etag"), head("k").header("etag"));
  EXPECT_EQ(head("c", {{"x-amz-checksum-mode", "ENABLED"}}).header("x-amz-checksum-sha256"),
            expected);
}

TEST_F(Objects, RenameOfKeysAndDirectories) {
  ASSERT_EQ(put("dir/a", "1").status, 200);
  ASSERT_EQ(put("dir/sub/b", "2").status, 200);
  const auto rename = [&](const std::string& from, const std::string& to) {
    return send("PUT", "/bucket/" + to + "?renameObject", {{"x-amz-rename-source", from}});
  };
  ASSERT_EQ(rename("/bucket/dir/a", "moved").status, 200);
  EXPECT_EQ(get("moved").body, "1");
  ASSERT_EQ(rename("dir/", "new/").status, 200);
  EXPECT_EQ(get("new/sub/b").body, "2");
  EXPECT_EQ(get("dir/sub/b").status, 404);
  EXPECT_EQ(rename("absent", "x").status, 404);
  EXPECT_EQ(rename("new/", "x").status, 400);
  EXPECT_EQ(rename("new/", "new/sub/").status, 400);
}

TEST_F(Objects, DeleteObjects) {
  for (const std::string key : {"a", "b&c", "d"}) {
    ASSERT_EQ(put(key, "v").status, 200);
  }
  const auto erase = [&](const std::string& xml) {
    return send("POST", "/bucket?delete",
                {{"content-md5", digest_text(digest::Algorithm::md5, xml)}}, {xml});
  };
  const Reply reply = erase(
      "<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;c</Key></Object>"
      "<Object><Key>none</Key></Object>"
      "<Object><Key>d</Key><ETag>\"no\"</ETag></Object>"
      "<Object><Key>d</Key><VersionId>v7</VersionId></Object></Delete>");
  EXPECT_EQ(texts(reply.body, "Deleted").size(), 3U);
  EXPECT_EQ(texts(reply.body, "Code"),
            (std::vector<std::string>{"PreconditionFailed", "NoSuchVersion"}));
  EXPECT_EQ(get("d").status, 200);
  for (const char* wrong :
       {"<Size>2</Size>", "<LastModifiedTime>Sat, 21 Nov 2015 23:19:36 GMT</LastModifiedTime>"}) {
    EXPECT_EQ(
        code(erase("<Delete><Object><Key>d</Key>" + std::string(wrong) + "</Object></Delete>")),
        "PreconditionFailed");
  }
  EXPECT_EQ(code(erase("<Delete><Object><Key>d</Key><Size>x</Size></Object></Delete>")),
            "MalformedXML");
  ASSERT_EQ(put("e", "v").status, 200);
  EXPECT_EQ(texts(erase("<Delete><Object><Key>e</Key><Size>1</Size><LastModifiedTime>" +
                        head("e").header("last-modified") + "</LastModifiedTime></Object></Delete>")
                      .body,
                  "Deleted")
                .size(),
            1U);
  const Reply quiet = erase("<Delete><Quiet>true</Quiet><Object><Key>d</Key></Object></Delete>");
  EXPECT_EQ(texts(quiet.body, "Deleted").size(), 0U);
  EXPECT_EQ(get("d").status, 404);
  std::string most = "<Delete>";
  for (std::size_t i = 0; i < kMaxDeleteKeys; ++i) {
    most += "<Object><Key>" + std::to_string(i) + "</Key></Object>";
  }
  EXPECT_EQ(texts(erase(most + "</Delete>").body, "Deleted").size(), kMaxDeleteKeys);
  EXPECT_EQ(code(erase(most + "<Object><Key>x</Key></Object></Delete>")), "MalformedXML");
}

TEST_F(Objects, ConditionalDelete) {
  ASSERT_EQ(put("k", "v").status, 200);
  EXPECT_EQ(send("DELETE", "/bucket/k", {{"if-match", "\"x\""}}).status, 412);
  EXPECT_EQ(send("DELETE", "/bucket/k", {{"if-match", head("k").header("etag")}}).status, 204);
  EXPECT_EQ(code(send("DELETE", "/bucket/k", {{"if-match", "*"}})), "NoSuchKey");
  ASSERT_EQ(put("k", "value").status, 200);
  const std::string size = "x-amz-if-match-size", time = "x-amz-if-match-last-modified-time";
  const std::string now = head("k").header("last-modified");
  for (const auto& [name, value] :
       Headers{{size, "4"}, {size, "6"}, {time, "Sat, 21 Nov 2015 23:19:36 GMT"}}) {
    EXPECT_EQ(send("DELETE", "/bucket/k", {{name, value}}).status, 412) << value;
  }
  for (const auto& [name, value] : Headers{{size, "x"}, {size, "-1"}, {time, "today"}}) {
    EXPECT_EQ(send("DELETE", "/bucket/k", {{name, value}}).status, 400) << value;
  }
  EXPECT_EQ(get("k").body, "value");
  EXPECT_EQ(send("DELETE", "/bucket/k", {{size, "5"}, {time, now}}).status, 204);
  EXPECT_EQ(get("k").status, 404);
}

}  // namespace
}  // namespace outcrop::s3::test
