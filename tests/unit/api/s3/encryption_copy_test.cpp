// Copies from every mode of encryption to every other, by object and by part.
#include "tests/unit/api/s3/encryption_fixture.h"

namespace outcrop::s3::test {
namespace {

struct Mode {
  const char* name;
  Headers write, read, source;
};

class EncryptionCopies : public EncryptionTest {
 protected:
  static std::vector<Mode> modes(char letter, const std::string& kms_key) {
    return {{"plain", {}, {}, {}},
            {"s3", managed(), {}, {}},
            {"kms", kms(kms_key), {}, {}},
            {"c", client(letter), client(letter), client(letter, kSource)}};
  }
  static Headers from(const std::string& key) { return {{"x-amz-copy-source", "/bucket/" + key}}; }
  std::string etag(const std::string& key) { return run_sync(ns.stat("bucket", key)).value().etag; }
};

TEST_F(EncryptionCopies, FromEveryModeToEveryOther) {
  const std::string payload(3000, 'p');
  const std::string md5 =
      digest::to_hex(as_bytes(digest::Digest::of(digest::Algorithm::md5, as_bytes(payload))));
  for (const Mode& source : modes('a', "testkey-1")) {
    ASSERT_EQ(put("source", payload, source.write).status, 200);
    for (const Mode& target : modes('b', "testkey-2")) {
      SCOPED_TRACE(std::string(source.name) + " to " + target.name);
      const Reply copied = put("copy", "", join(join(from("source"), source.source), target.write));
      ASSERT_EQ(copied.status, 200) << copied.body;
      const Reply read = get("copy", target.read);
      EXPECT_EQ(read.body, payload);
      EXPECT_EQ(mode_of(read), mode_of(copied));
      EXPECT_EQ(mode_of(copied) == "", std::string(target.name) == "plain");
      EXPECT_EQ(is_sealed("copy"), std::string(target.name) != "plain");
      if (target.write.size() < 2) {
        EXPECT_EQ(etag("copy"), md5) << "clients verify it";
      }
      if (!source.read.empty() && !target.read.empty()) {
        EXPECT_EQ(get("copy", source.read).status, 403) << "another key";
      }
    }
  }
}

TEST_F(EncryptionCopies, SourcesNeedTheirKey) {
  ASSERT_EQ(put("c", "v", client()).status, 200);
  ASSERT_EQ(put("s3", "v", managed()).status, 200);
  EXPECT_EQ(code(put("copy", "", from("c"))), "InvalidRequest");
  EXPECT_EQ(code(put("copy", "", join(from("c"), client('b', kSource)))), "AccessDenied");
  EXPECT_EQ(code(put("copy", "", join(from("s3"), client('a', kSource)))), "InvalidRequest");
  EXPECT_EQ(code(put("copy", "", join(from("c"), client()))), "InvalidRequest")
      << "the copy's key is not the source's";
  EXPECT_EQ(put("copy", "", join(from("c"), client('a', kSource))).status, 200);
  EXPECT_EQ(get("copy").body, "v");
}

TEST_F(EncryptionCopies, ADisabledKeyCopiesNothing) {
  ASSERT_EQ(put("k", "v", kms()).status, 200);
  ASSERT_TRUE(run_sync(vault->set_enabled("testkey-1", false)));
  EXPECT_EQ(code(put("copy", "", from("k"))), "KMS.DisabledException");
  EXPECT_EQ(code(put("copy", "", join(from("k"), kms("testkey-2")))), "KMS.DisabledException");
}

/// To itself with another encryption is a change, as AWS has it.
TEST_F(EncryptionCopies, OntoItself) {
  ASSERT_EQ(put("k", "v", {{"x-amz-meta-a", "1"}}).status, 200);
  EXPECT_EQ(code(put("k", "", from("k"))), "InvalidRequest");
  EXPECT_EQ(mode_of(put("k", "", join(from("k"), kms("testkey-1")))), "aws:kms testkey-1");
  EXPECT_EQ(get("k").body, "v");
  const std::string before = etag("k");
  EXPECT_EQ(mode_of(put("k", "", join(from("k"), kms("testkey-2")))), "aws:kms testkey-2");
  EXPECT_EQ(etag("k"), before) << "by reference, in a new envelope";
  ASSERT_TRUE(run_sync(vault->set_enabled("testkey-1", false)));
  const Reply read = get("k");
  EXPECT_EQ(read.body, "v");
  EXPECT_EQ(read.header("x-amz-meta-a"), "1");
}

/// A copy is encrypted as its own request says; what the source was does not count.
TEST_F(EncryptionCopies, WithNewMetadata) {
  ASSERT_EQ(put("k", "v", managed()).status, 200);
  const Headers replace{{"x-amz-metadata-directive", "REPLACE"}, {"x-amz-meta-a", "2"}};
  EXPECT_EQ(mode_of(put("k", "", join(from("k"), join(replace, managed())))), "AES256");
  EXPECT_EQ(get("k").header("x-amz-meta-a"), "2");
  EXPECT_EQ(mode_of(put("k", "", join(from("k"), replace))), "");
  EXPECT_FALSE(is_sealed("k"));
  EXPECT_EQ(get("k").body, "v");
}

TEST_F(EncryptionCopies, KeepChecksumsAndTags) {
  const Headers more{{"x-amz-checksum-crc32", digest_text(digest::Algorithm::crc32, "v")},
                     {"x-amz-tagging", "a=1"}};
  ASSERT_EQ(put("k", "v", more).status, 200);
  ASSERT_EQ(put("copy", "", join(from("k"), managed())).status, 200);
  const ns::ObjectInfo info = run_sync(ns.stat("bucket", "copy")).value();
  EXPECT_EQ(info.attributes.tags, (ns::StringPairs{{"a", "1"}}));
  EXPECT_EQ(info.checksum.value, digest::Digest::of(digest::Algorithm::crc32, as_bytes("v")));
  ASSERT_EQ(put("bare", "v").status, 200);
  ASSERT_EQ(put("copy", "", join(from("bare"), managed())).status, 200);
  EXPECT_EQ(run_sync(ns.stat("bucket", "copy")).value().checksum.algorithm,
            digest::Algorithm::none);
}

TEST_F(EncryptionCopies, PartsFromEveryModeToEveryOther) {
  const std::string payload = std::string(1500, 'p') + std::string(1500, 'q');
  for (const Mode& source : modes('a', "testkey-1")) {
    ASSERT_EQ(put("source", payload, source.write).status, 200);
    for (const Mode& target : modes('b', "testkey-2")) {
      SCOPED_TRACE(std::string(source.name) + " to " + target.name);
      const std::string id = start_upload("copy", target.write);
      const std::string part = "copy?partNumber=1&uploadId=" + id;
      const Headers asked = join(from("source"), source.source);
      const Headers range{{"x-amz-copy-source-range", "bytes=1000-2000"}};
      if (!target.read.empty()) {
        EXPECT_EQ(put(part, "", asked).status, 400) << "the upload's key";
        EXPECT_EQ(put(part, "", join(asked, client('z'))).status, 400);
      }
      const Reply copied = put(part, "", join(join(asked, range), target.read));
      ASSERT_EQ(copied.status, 200) << copied.body;
      const std::string tag = texts(copied.body, "ETag").front();
      const std::string quoted = "&quot;";
      std::string plain_tag = tag;
      for (auto at = plain_tag.find(quoted); at != std::string::npos; at = plain_tag.find(quoted)) {
        plain_tag.erase(at, quoted.size());
      }
      const Reply done = complete("copy", id, {{1, plain_tag}});
      ASSERT_EQ(done.status, 200) << done.body;
      EXPECT_EQ(get("copy", target.read).body, payload.substr(1000, 1001));
      EXPECT_EQ(mode_of(get("copy", target.read)), mode_of(copied));
    }
  }
}

TEST_F(EncryptionCopies, RenameKeepsTheEnvelope) {
  ASSERT_EQ(put("k", "v", client()).status, 200);
  ASSERT_EQ(send("PUT", "/bucket/r?renameObject", {{"x-amz-rename-source", "k"}}).status, 200);
  EXPECT_EQ(get("r", client()).body, "v");
  EXPECT_EQ(get("r").status, 400);
}

TEST_F(EncryptionCopies, OfVersions) {
  ASSERT_EQ(send("PUT", "/bucket?versioning", {},
                 {"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"})
                .status,
            200);
  const std::string first = put("k", "one", client()).header("x-amz-version-id");
  const std::string second = put("k", "two", kms()).header("x-amz-version-id");
  EXPECT_EQ(get("k").body, "two");
  EXPECT_EQ(get("k?versionId=" + first).status, 400);
  EXPECT_EQ(get("k?versionId=" + first, client()).body, "one");
  EXPECT_EQ(mode_of(head("k?versionId=" + second)), "aws:kms testkey-1");
  const Headers old =
      join({{"x-amz-copy-source", "/bucket/k?versionId=" + first}}, client('a', kSource));
  EXPECT_EQ(put("copy", "", join(old, managed())).status, 200);
  EXPECT_EQ(get("copy").body, "one");
}

}  // namespace
}  // namespace outcrop::s3::test
