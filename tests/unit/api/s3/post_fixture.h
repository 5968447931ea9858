// Forms of browsers, as text, and who they are from: one root key.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/post_signature.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {

inline constexpr std::string_view kSecret = "secret";
inline const std::string kAnyKey = R"(,["starts-with","$key",""])";

class OneKey final : public auth::KeyStore {
 public:
  std::optional<auth::Credential> find(std::string_view key) const override {
    return key == "ROOT" ? std::optional(auth::Credential{"ROOT", std::string(kSecret), true})
                         : std::nullopt;
  }
  std::optional<auth::Credential> find_session(std::string_view key,
                                               std::string_view token) const override {
    return key == "SESSION" && token.starts_with("token")
               ? std::optional(auth::Credential{.access_key = "SESSION",
                                                .secret_key = std::string(kSecret),
                                                .root = true,
                                                .expired = token == "token-over"})
               : std::nullopt;
  }
};

using Fields = std::vector<std::pair<std::string, std::string>>;

/// A form with the boundary XX.
inline std::string form(const Fields& fields,
                        const std::string& file,
                        const std::string& filename = "photo.png",
                        const std::string& after = "") {
  std::string out;
  for (const auto& [name, value] : fields) {
    out += "--XX\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  }
  out += "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + filename +
         "\"\r\nContent-Type: image/png\r\n\r\n" + file + "\r\n";
  return out + after + "--XX--\r\n";
}

class PostTest : public S3Test {
 protected:
  PostTest() {
    config.authenticate_post = [this](const auth::PostSignature& f) {
      return auth::authenticate_post(keys, f, 1);
    };
    handler = new_handler();
  }
  /// A body as it is; nobody signed the request around it.
  Reply post(const std::string& body, std::size_t slice = 16 * 1024) {
    return send("POST", "/bucket",
                {{"content-type", "multipart/form-data; boundary=XX"}, {"x-test-anonymous", "1"}},
                {body, slice});
  }
  OneKey keys;
};

}  // namespace outcrop::s3::test
