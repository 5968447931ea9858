// Requests that botocore signed and bodies it framed (make_vectors.py), accepted as they are and
// refused after any change.
#include <gtest/gtest.h>

#include <fstream>

#include "auth/aws_chunked.h"
#include "auth/crypto.h"
#include "auth/target.h"
#include "storage/digest/text.h"
#include "tests/unit/auth/support.h"

namespace outcrop::auth::test {
namespace {

struct Vector {
  std::string kind, body, sha256;
  std::int64_t time = 0;
  http::Request request;
};

std::string from_base64(std::string_view text) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) {
      break;
    }
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  return out;
}

void take_field(Vector& vector, const std::string& name, const std::string& value) {
  if (name == "time") {
    vector.time = std::stoll(value);
  } else if (name == "secure") {
    vector.request.secure = value == "1";
  } else if (name == "method") {
    vector.request.method = value;
  } else if (name == "target") {
    vector.request.target = value;
  } else if (name == "body") {
    vector.body = from_base64(value);
  } else if (name == "sha256") {
    vector.sha256 = value;
  } else if (name == "header") {
    const std::size_t colon = value.find(':');
    vector.request.headers.push_back({value.substr(0, colon), value.substr(colon + 1)});
  }
}

struct VectorFile {
  Credential credential;
  std::vector<Vector> vectors;
};

VectorFile load_vectors() {
  VectorFile file;
  std::ifstream in(AUTH_TEST_DIR "/botocore_vectors.txt");
  for (std::string line; std::getline(in, line);) {
    const std::size_t blank = line.find(' ');
    const std::string name = line.substr(0, blank);
    const std::string value = blank == std::string::npos ? "" : line.substr(blank + 1);
    if (name == "access") {
      file.credential.access_key = value;
    } else if (name == "secret") {
      file.credential.secret_key = value;
    } else if (name == "vector") {
      file.vectors.push_back({.kind = value, .body = {}, .sha256 = {}, .request = {}});
    } else if (!file.vectors.empty()) {
      take_field(file.vectors.back(), name, value);
    }
  }
  return file;
}

class BotocoreVectors : public testing::Test {
 protected:
  void SetUp() override { ASSERT_GT(x_file.vectors.size(), 200U); }

  std::expected<Authentication, AuthFailure> run(const Vector& vector) {
    x_clock.set(vector.time);
    return x_authenticator.authenticate(vector.request);
  }

  VectorFile x_file = load_vectors();
  StaticKeyStore x_keys{{x_file.credential}};
  FixedClock x_clock{0};
  Authenticator x_authenticator{x_keys, x_clock, {}};
};

// RFC 2202, section 3.
TEST(HmacSha1, Vectors) {
  const auto hex = [](std::string_view key, std::string_view message) {
    const auto mac = hmac_sha1(key, message);
    return digest::to_hex(std::as_bytes(std::span(mac)));
  };
  EXPECT_EQ(hex(std::string(20, '\x0b'), "Hi There"), "b617318655057264e28bc0b6fb378c8ef146be00");
  EXPECT_EQ(hex("Jefe", "what do ya want for nothing?"),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hex(std::string(80, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

TEST_F(BotocoreVectors, AreAccepted) {
  for (const Vector& vector : x_file.vectors) {
    const auto result = run(vector);
    ASSERT_TRUE(result) << vector.kind << " " << vector.request.target << "\n"
                        << result.error().message << "\n"
                        << result.error().canonical_request;
    EXPECT_EQ(result->principal.access_key, x_file.credential.access_key);
    EXPECT_EQ(result->presigned, vector.kind.starts_with("presigned"));
  }
}

TEST_F(BotocoreVectors, TargetsAreReadable) {
  const std::vector<std::string> domains{"s3.example.net"};
  for (const Vector& vector : x_file.vectors) {
    const auto target =
        split_target(vector.request.target, *vector.request.header("host"), domains);
    ASSERT_TRUE(target) << vector.request.target;
    EXPECT_EQ(target->bucket, "bucket");
  }
}

/// Another method, path, query, or value of any signed header: never accepted.
TEST_F(BotocoreVectors, AreRefusedAfterAnyChange) {
  for (const Vector& original : x_file.vectors) {
    const auto refused = [&](const Vector& changed) {
      const auto result = run(changed);
      return !result;
    };
    Vector v = original;
    v.request.method = "POST" == v.request.method ? "PUT" : "POST";
    EXPECT_TRUE(refused(v)) << v.kind;

    v = original;
    v.request.target.insert(v.request.target.find_first_of("?") == std::string::npos
                                ? v.request.target.size()
                                : v.request.target.find('?'),
                            "x");
    EXPECT_TRUE(refused(v)) << v.kind;

    v = original;
    v.request.target += v.request.target.find('?') == std::string::npos ? "?acl" : "&acl";
    EXPECT_TRUE(refused(v)) << v.kind;

    for (std::size_t i = 0; i < original.request.headers.size(); ++i) {
      const std::string& name = original.request.headers[i].name;
      if (name != "host" && name != "content-type" && !name.starts_with("x-amz-")) {
        continue;
      }
      v = original;
      std::string& value = v.request.headers[i].value;
      value.push_back(value.ends_with('0') ? '1' : '0');
      if (name != "content-type" || value.empty() || original.kind != "delete-many") {
        EXPECT_TRUE(refused(v)) << v.kind << " " << name;
      }
    }
  }
}

TEST_F(BotocoreVectors, AuthorizationIsRefusedAfterAnyFlip) {
  const Vector& original = x_file.vectors.front();
  Vector v = original;
  std::string* value = nullptr;
  for (http::Header& header : v.request.headers) {
    value = header.name == "authorization" ? &header.value : value;
  }
  ASSERT_NE(value, nullptr);
  const std::string intact = *value;
  for (std::size_t i = 0; i < intact.size(); ++i) {
    for (const char c : {'0', 'z', '/', ';', ' ', ','}) {
      *value = intact;
      (*value)[i] = c;
      const bool only_blank =
          intact[i] == c || (intact[i] == ' ' && c == ',') || (intact[i] == ',' && c == ' ');
      if (!only_blank) {
        EXPECT_FALSE(run(v)) << *value;
      }
    }
  }
}

TEST_F(BotocoreVectors, StreamingBodiesDecode) {
  int bodies = 0;
  for (const Vector& vector : x_file.vectors) {
    if (vector.body.empty()) {
      continue;
    }
    ++bodies;
    const auto result = run(vector);
    ASSERT_TRUE(result);
    auto options = chunk_options(vector.request, *result);
    ASSERT_TRUE(options);
    const std::uint64_t length = options->decoded_length;
    ChunkDecoder decoder(*std::move(options));
    std::string payload;
    decoder.push(as_bytes(vector.body), [&](ConstBytes run) { payload += as_text(run); });
    decoder.end_of_input();
    ASSERT_EQ(decoder.need(), ChunkDecoder::Need::nothing)
        << vector.kind << " " << to_string(decoder.error());
    EXPECT_EQ(payload.size(), length);
    EXPECT_TRUE(vector.sha256.empty() || to_hex(sha256(payload)) == vector.sha256);
  }
  EXPECT_GT(bodies, 20);
}

}  // namespace
}  // namespace outcrop::auth::test
