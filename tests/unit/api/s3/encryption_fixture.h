// Keys and headers of encrypted objects.
#pragma once
#include <string>

#include "api/s3/encryption_rule.h"
#include "storage/base/async.h"
#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {

inline const std::string kSse = "x-amz-server-side-encryption";
inline const std::string kSource = "x-amz-copy-source-server-side-encryption";
inline const std::string kArn = "arn:aws:kms:us-east-1:000000000000:";

class EncryptionTest : public S3Test {
 protected:
  EncryptionTest() {
    config.sse_c_over_http = true;
    handler = new_handler();
    EXPECT_TRUE(run_sync(vault->create("testkey-1")));
    EXPECT_TRUE(run_sync(vault->create("testkey-2")));
  }

  static Headers managed() { return {{kSse, "AES256"}}; }
  static Headers kms(const std::string& id = "testkey-1") {
    return {{kSse, "aws:kms"}, {kSse + "-aws-kms-key-id", id}};
  }
  static Headers client(char letter = 'a', const std::string& prefix = kSse) {
    return client_key(std::string(32, letter), prefix);
  }
  static Headers client_key(const std::string& raw, const std::string& prefix = kSse) {
    return {{prefix + "-customer-algorithm", "AES256"},
            {prefix + "-customer-key", base64(raw)},
            {prefix + "-customer-key-md5", md5_of(raw)}};
  }
  static std::string md5_of(const std::string& raw) {
    return digest_text(digest::Algorithm::md5, raw);
  }
  static Headers join(Headers a, const Headers& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  Reply put_rule(const std::string& by_default, const std::string& more = "") {
    return send("PUT", "/bucket?encryption", {},
                {"<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>" +
                 by_default + "</ApplyServerSideEncryptionByDefault>" + more +
                 "</Rule></ServerSideEncryptionConfiguration>"});
  }
  /// "AES256", "aws:kms NAME", "C" or "": what the headers of an answer say.
  static std::string mode_of(const Reply& reply) {
    if (reply.has(kSse + "-customer-algorithm")) {
      return "C";
    }
    const std::string key = reply.header(kSse + "-aws-kms-key-id");
    return reply.header(kSse) + (key.empty() ? "" : " " + key);
  }
  bool is_sealed(const std::string& key) {
    return !run_sync(ns.stat("bucket", key)).value().attributes.envelope.empty();
  }
};

}  // namespace outcrop::s3::test
