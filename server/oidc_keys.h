// The keys of identity providers: fetched in the background, kept in memory, and a copy of them in
// state_dir/oidc, with which a box starts that cannot reach the provider. Whoever asks for keys
// gets what is there and never waits.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "auth/oidc/key_source.h"
#include "server/oidc_fetch.h"
#include "storage/base/async.h"
#include "storage/base/clock.h"

namespace outcrop::server {

/// Where the keys of one provider are.
struct OidcSource {
  std::string issuer;
  std::string jwks;  ///< a file, or a URL; empty: where the provider's discovery document says
  FetchTrust trust{};
};

class OidcKeys final : public oidc::KeySource {
 public:
  /// Keys that were fetched are fetched again after this; what failed, after the other.
  static constexpr std::chrono::seconds kRefresh = std::chrono::hours(1);
  static constexpr std::chrono::seconds kRetry = std::chrono::minutes(1);

  /// Borrowed, but for the functions; outlives this.
  struct Parts {
    BlockingPool& pool;
    const Clock& clock;
    std::string folder;  ///< of the copies; made when it is needed
    std::function<Task<std::string>(std::string url, FetchTrust trust)> fetch;
    std::function<std::vector<OidcSource>()> sources;      ///< of now
    std::chrono::seconds least = std::chrono::minutes(5);  ///< between two fetches, whoever asks
    bool plain_http = false;
  };
  explicit OidcKeys(Parts parts) : x_parts(std::move(parts)) {}

  oidc::KeySetPtr keys(const std::string& issuer) override;
  bool refresh(const std::string& issuer) override;

  /// Fetches what is due, all of it side by side. Called again and again, on one worker; ok always:
  /// what fails is logged, once until it is well again.
  Task<> pass();

 private:
  struct Entry {
    oidc::KeySetPtr keys;
    std::int64_t tried_ns = 0;  ///< on the steady clock
    bool tried = false, failed = false, wanted = false;
  };
  Task<> update(OidcSource source);
  Task<std::string> text_of(const OidcSource& source);
  Task<oidc::KeySetPtr> parse(std::string text);
  Task<> read_copy(const std::string& issuer);
  bool is_due(const Entry& entry) const;
  std::string copy_of(const std::string& issuer) const;

  const Parts x_parts;
  std::mutex x_mutex;
  std::map<std::string, Entry> x_entries;  ///< by issuer
};

}  // namespace outcrop::server
