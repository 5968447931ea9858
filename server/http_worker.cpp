#include "server/http_worker.h"

#include <sys/socket.h>

#include <boost/asio/ssl/context.hpp>
#include <ctime>

#include "server/response_head.h"

namespace outcrop::server {
namespace {

using boost::system::error_code;

std::chrono::milliseconds shortest_of(const HttpOptions& o) {
  return std::min({o.head_timeout, o.idle_timeout, o.body_window, o.write_stall, o.drain_timeout,
                   o.linger_timeout});
}

/// splitmix64: request ids are unique and look random; nothing depends on them being secret.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

HttpWorker::HttpWorker(HttpService& service, Executor ex, std::uint64_t id_seed)
    : ConnectionWorker(ex, service.limiter, x_counters, tick_for(shortest_of(service.options))),
      x_service(service),
      x_id_seed(id_seed) {}

std::unique_ptr<Session> HttpWorker::make_session(Socket socket,
                                                  const asio::ip::tcp::endpoint& remote) {
  return std::make_unique<HttpSession>(*this, std::move(socket), remote);
}

HttpWorker::~HttpWorker() = default;

std::string HttpWorker::next_request_id() {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::uint64_t n = mix(x_id_seed + x_ids++);
  std::string id(16, '0');
  for (char& c : id) {
    c = kHex[n >> 60];
    n <<= 4;
  }
  return id;
}

std::string_view HttpWorker::date() {
  // SDKs set their own clock by this field: it has the time that signatures are judged by.
  const std::int64_t now =
      (x_service.clock != nullptr ? x_service.clock->wall_ns() : SystemClock().wall_ns()) /
      1'000'000'000;
  if (now != x_date_second) {
    x_date_second = now;
    x_date = http_date(now);
  }
  return x_date;
}

/// Over a limit: one answer that any client understands, without a session. It fits into the empty
/// send buffer, and nothing is waited for: a refused client must cost nothing. With TLS there is no
/// way to say it cheaply.
void HttpWorker::refuse(Socket socket) {
  error_code ignored;
  if (!x_service.tls) {
    http::Response response = plain_response(503, "too many connections, try again later");
    response.set("Retry-After", "1");
    const std::string& body = std::get<std::string>(response.body);
    const std::string id = next_request_id();
    const std::string all =
        write_head(
            response,
            {.date = date(), .request_id = id, .content_length = body.size(), .close = true}) +
        body;
    std::ignore =
        ::send(socket.native_handle(), all.data(), all.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    socket.shutdown(Socket::shutdown_send, ignored);
    // What the client has sent already would turn the close into a reset that overtakes the answer.
    std::ignore = ::recv(socket.native_handle(), nullptr, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
  }
  socket.close(ignored);
}

}  // namespace outcrop::server
