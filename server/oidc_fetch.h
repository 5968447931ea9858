// What a server on the network answers to a GET: the keys of identity providers, and where they
// are. HTTP/1.1 over TLS, one connection for each; no redirects, no proxies, bounded in size and
// time. Nothing blocks: names are resolved by Asio's own thread.
#pragma once
#include <boost/asio/ip/address.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "auth/oidc/issuer.h"
#include "storage/base/async.h"

namespace outcrop::server {

inline constexpr std::size_t kMaxFetchBytes = 256 << 10;
inline constexpr std::chrono::seconds kFetchTimeout{10};

/// Whom to believe, and whom to talk to.
struct FetchTrust {
  std::string ca_file{};  ///< PEM; empty: the authorities of the system
  /// SHA-1, in hex, of certificates that a server may show although no authority vouches for it.
  std::vector<std::string> thumbprints{};
  /// Not to this machine, to its neighbours, and to private networks: for URLs that somebody gave
  /// over the network.
  bool public_only = false;
};

/// Whether the address is of the public Internet.
bool is_public(const asio::ip::address& address);

class OidcFetcher {
 public:
  /// `pool` reads the authorities from the disk.
  explicit OidcFetcher(BlockingPool& pool);
  ~OidcFetcher();
  /// The body of a 200 answer. Errors: invalid_argument (`url`), timed_out, cancelled (with what
  /// went wrong), entity_too_large. On the caller's worker.
  Task<std::string> get(std::string url, FetchTrust trust);
  /// Ends what is under way, and whatever begins later. Any thread.
  void stop();

 private:
  struct Connection;
  Task<std::string> talk(Connection& connection, const oidc::Url& url, const FetchTrust& trust);

  BlockingPool& x_pool;
  std::mutex x_mutex;
  bool x_stopped = false;
  std::vector<std::weak_ptr<Connection>> x_open;
};

}  // namespace outcrop::server
