#include "server/oidc_fetch.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "storage/digest/text.h"

namespace outcrop::server {
namespace {

namespace ssl = asio::ssl;
namespace http = boost::beast::http;
using boost::system::error_code;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         Executor>;

constexpr std::size_t kMaxHead = 16 << 10;
constexpr std::size_t kMaxAddresses = 8;

bool in_v4(const asio::ip::address_v4& address, std::uint32_t network, unsigned bits) {
  return (address.to_uint() ^ network) >> (32 - bits) == 0;
}

/// RFC 6890: this network, private, shared, loopback, link-local, protocol assignments, benchmarks,
/// multicast and above.
constexpr std::pair<std::uint32_t, unsigned> kInside[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
    {0xac100000, 12}, {0xc0000000, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xe0000000, 3}};

bool is_public_v4(const asio::ip::address_v4& a) {
  return std::ranges::none_of(kInside,
                              [&](const auto& net) { return in_v4(a, net.first, net.second); });
}

/// Of the certificates that were shown, one is trusted by its fingerprint alone.
bool pinned(X509* certificate, const std::vector<std::string>& thumbprints) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (certificate == nullptr || X509_digest(certificate, EVP_sha1(), digest.data(), &size) != 1) {
    return false;
  }
  const std::string hex = digest::to_hex(std::as_bytes(std::span(digest).first(size)));
  return std::ranges::any_of(thumbprints, [&](const std::string& one) {
    return std::ranges::equal(one, hex, {}, [](unsigned char c) { return std::tolower(c); });
  });
}

/// The chain ends without an authority: the one thing that a thumbprint makes good. Signatures,
/// times and names are checked all the same.
bool only_unknown(int error) {
  return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
         error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
         error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
         error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
}

Result<void> set_up(ssl::context& context, const FetchTrust& trust, const std::string& host) {
  SSL_CTX* const ctx = context.native_handle();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  error_code ec;
  if (trust.ca_file.empty()) {
    context.set_default_verify_paths(ec);
  } else {
    context.load_verify_file(trust.ca_file, ec);
  }
  if (ec) {
    return fail(Errc::cancelled, "authorities of TLS cannot be read: " + ec.message());
  }
  context.set_verify_mode(ssl::verify_peer);
  context.set_verify_callback(
      [host, thumbprints = trust.thumbprints](bool good, ssl::verify_context& verify) {
        X509_STORE_CTX* const at = verify.native_handle();
        if (!good && !(only_unknown(X509_STORE_CTX_get_error(at)) &&
                       pinned(X509_STORE_CTX_get_current_cert(at), thumbprints))) {
          return false;
        }
        return X509_STORE_CTX_get_error_depth(at) > 0 ||
               ssl::host_name_verification(host)(true, verify);
      });
  return ok();
}

std::unexpected<Error> failure(const std::string& what, const error_code& ec) {
  return fail(ec == http::error::body_limit ? Errc::entity_too_large : Errc::cancelled,
              what + ": " + ec.message());
}

template <class Stream>
Task<std::string> exchange(Stream& stream, const oidc::Url& url) {
  http::request<http::empty_body> request(http::verb::get,
                                          url.path.empty() ? "/" : std::string(url.path), 11);
  request.set(http::field::host, std::string(url.authority));
  request.set(http::field::accept, "application/json");
  request.set(http::field::connection, "close");
  request.set(http::field::user_agent, "outcrop");
  error_code ec;
  co_await http::async_write(stream, request, asio::redirect_error(use_async, ec));
  if (ec) {
    co_return failure("request", ec);
  }
  boost::beast::flat_buffer buffer(kMaxHead + kMaxFetchBytes);
  http::response_parser<http::string_body> parser;
  parser.header_limit(kMaxHead);
  parser.body_limit(kMaxFetchBytes);
  co_await http::async_read(stream, buffer, parser, asio::redirect_error(use_async, ec));
  // Whoever closes without close_notify after a whole message has said all of it.
  if (ec && !parser.is_done()) {
    co_return failure("answer", ec);
  }
  if (parser.get().result() != http::status::ok) {
    co_return fail(Errc::cancelled, "answered " + std::to_string(parser.get().result_int()));
  }
  co_return std::move(parser.get().body());
}

}  // namespace

bool is_public(const asio::ip::address& address) {
  if (address.is_v4()) {
    return is_public_v4(address.to_v4());
  }
  const asio::ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    return is_public_v4(asio::ip::make_address_v4(asio::ip::v4_mapped, v6));
  }
  // Global unicast is 2000::/3. NAT64 and 6to4 reach into IPv4, so they are not taken for public.
  const auto bytes = v6.to_bytes();
  return (bytes[0] & 0xe0) == 0x20 && !(bytes[0] == 0x20 && bytes[1] == 0x02);
}

/// Held by get() alone; the timer and stop() close it from outside, on its worker.
struct OidcFetcher::Connection {
  explicit Connection(Executor ex) : socket(ex), resolver(ex), timer(ex) {}
  void close() {
    error_code ignored;
    closed = true;
    resolver.cancel();
    socket.close(ignored);
    timer.cancel();
  }

  Socket socket;
  Resolver resolver;
  Timer timer;
  bool closed = false;
};

OidcFetcher::OidcFetcher(BlockingPool& pool) : x_pool(pool) {}
OidcFetcher::~OidcFetcher() = default;

void OidcFetcher::stop() {
  const std::lock_guard lock(x_mutex);
  x_stopped = true;
  for (const std::weak_ptr<Connection>& weak : x_open) {
    if (const std::shared_ptr<Connection> connection = weak.lock()) {
      asio::post(connection->socket.get_executor(), [connection] { connection->close(); });
    }
  }
}

Task<std::string> OidcFetcher::get(std::string text, FetchTrust trust) {
  const std::optional<oidc::Url> url = oidc::split_url(text);
  if (!url) {
    co_return fail(Errc::invalid_argument, "not a URL to fetch: " + text);
  }
  const auto connection = std::make_shared<Connection>(co_await asio::this_coro::executor);
  {
    const std::lock_guard lock(x_mutex);
    if (x_stopped) {
      co_return fail(Errc::cancelled, "stopping");
    }
    std::erase_if(x_open, [](const std::weak_ptr<Connection>& weak) { return weak.expired(); });
    x_open.push_back(connection);
  }
  connection->timer.expires_after(kFetchTimeout);
  connection->timer.async_wait([weak = std::weak_ptr(connection)](const error_code& ec) {
    const std::shared_ptr<Connection> open = weak.lock();
    if (!ec && open) {
      open->close();
    }
  });
  Result<std::string> out = co_await talk(*connection, *url, trust);
  connection->timer.cancel();
  if (!out && connection->closed) {
    co_return fail(Errc::timed_out, "no answer in time");
  }
  co_return out;
}

Task<std::string> OidcFetcher::talk(Connection& connection,
                                    const oidc::Url& url,
                                    const FetchTrust& trust) {
  const std::string host(url.host);
  error_code ec;
  const auto found = co_await connection.resolver.async_resolve(
      host, std::to_string(url.port), asio::redirect_error(use_async, ec));
  if (ec) {
    co_return failure("resolving " + host, ec);
  }
  // Checked and used is one and the same address: no second look that could give another one.
  ec = asio::error::host_unreachable;
  std::size_t tried = 0;
  for (const auto& entry : found) {
    if (connection.closed || ++tried > kMaxAddresses) {
      break;
    }
    if (trust.public_only && !is_public(entry.endpoint().address())) {
      co_return fail(Errc::cancelled, host +
                                          " is not at a public address; name the provider in the "
                                          "configuration (auth.oidc) to allow that");
    }
    error_code ignored;
    connection.socket.close(ignored);
    co_await connection.socket.async_connect(entry.endpoint(), asio::redirect_error(use_async, ec));
    if (!ec) {
      break;
    }
  }
  if (ec || connection.closed) {
    co_return failure("connecting to " + host, ec);
  }
  if (!url.tls) {
    co_return co_await exchange(connection.socket, url);
  }
  ssl::context context(ssl::context::tls_client);
  CO_TRYV(co_await x_pool.run([&] { return set_up(context, trust, host); }));
  if (connection.closed) {
    co_return fail(Errc::timed_out);
  }
  ssl::stream<Socket&> stream(connection.socket, context);
  SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
  co_await stream.async_handshake(ssl::stream_base::client, asio::redirect_error(use_async, ec));
  if (ec) {
    co_return failure("TLS with " + host, ec);
  }
  co_return co_await exchange(stream, url);
}

}  // namespace outcrop::server
