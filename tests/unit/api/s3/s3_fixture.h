// Requests through the whole handler, on a reference namespace, with a body reader that hands out
// as few or as many bytes as a test wants.
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/s3/bucket_settings.h"
#include "api/s3/handler.h"
#include "auth/identity/state.h"
#include "auth/keys/vault.h"
#include "storage/base/clock.h"
#include "tests/support/mem_meta_store.h"
#include "tests/support/reference_namespace.h"

namespace outcrop::s3::test {

class StillClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return seconds * 1'000'000'000; }
  std::int64_t steady_ns() const override { return 0; }
  std::int64_t seconds = 1'795'303'176;  // Sat, 21 Nov 2026 23:19:36 GMT
};

struct Body {
  std::string text;
  std::size_t slice = 16 * 1024;              ///< most bytes one read gives
  bool length_known = true;                   ///< Content-Length, or Transfer-Encoding: chunked
  std::optional<std::uint64_t> claimed = {};  ///< a Content-Length that is not text.size()
  bool kept_back = false;                     ///< the client waits for 100 Continue
  std::function<void()> before_read = {};     ///< once: what happens while the body is on its way
};

struct Reply {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  std::optional<std::uint64_t> content_length;  ///< of a HEAD answer
  bool close = false;
  bool has(const std::string& name) const { return headers.contains(name); }
  std::string header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? std::string() : at->second;
  }
};

/// All texts between <tag> and </tag>.
std::vector<std::string> texts(const std::string& xml, const std::string& tag);
std::string text(const std::string& xml, const std::string& tag);  ///< the first, or "(none)"
std::string code(const Reply& reply);                              ///< <Code>
std::string base64(std::string_view raw);
std::string digest_text(digest::Algorithm algorithm, std::string_view payload);  ///< base64

using Headers = std::vector<http::Header>;
using Callers = std::map<std::string, auth::IdentityPtr>;

struct Observed {
  OpId op;
  int status;
  std::uint64_t in, out;
};

class S3Test : public ::testing::Test {
 protected:
  S3Test();
  /// With `config` as it is now.
  http::Handler new_handler();
  /// As the root key; "x-test-user: NAME", "x-test-anonymous: 1" and "x-test-presigned: 1" change
  /// who is asking; "x-test-secure: 1" is a request over TLS.
  Reply send(std::string method, std::string target, Headers headers = {}, Body body = {});
  Reply put(const std::string& key, std::string payload, Headers headers = {});
  Reply get(const std::string& key, Headers headers = {});
  Reply head(const std::string& key, Headers headers = {});
  /// An aws-chunked body with a trailer, unsigned.
  Reply put_streaming(const std::string& key,
                      const std::string& payload,
                      const std::string& trailer,
                      const std::string& value,
                      Headers more = {});
  std::string start_upload(const std::string& key, Headers headers = {});
  Reply put_part(const std::string& key,
                 const std::string& id,
                 int number,
                 std::string payload,
                 Headers headers = {});
  Reply complete(const std::string& key,
                 const std::string& id,
                 const std::vector<std::pair<int, std::string>>& parts,
                 Headers headers = {});

  /// A caller of that name ("x-test-user") with these policies, and at most what `session` allows.
  void add_user(const std::string& name,
                const std::vector<std::string>& policies,
                const std::string& session = {});

  StillClock clock;
  outcrop::test::MemMetaStore meta;
  Callers callers;
  testing::ReferenceNamespace ns;
  std::vector<Observed> observed;
  std::unique_ptr<access::AccessTable> access;
  std::unique_ptr<SettingsTable> settings;
  SeededRandom random{5};
  std::unique_ptr<keys::Vault> vault;
  S3Config config;
  http::Handler handler;
};

Reply send_with(const http::Handler& handler,
                std::string method,
                std::string target,
                Headers headers,
                Body body);

}  // namespace outcrop::s3::test
