#include "server/rpc_datagrams.h"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>

#include "storage/base/log.h"

namespace outcrop::server {

using boost::system::error_code;

RpcDatagrams::RpcDatagrams(Executor ex,
                           const nfs::ExportTable& exports,
                           std::vector<nfs::Program*> programs)
    : x_ex(ex),
      x_exports(exports),
      x_dispatcher(std::move(programs)),
      x_socket(ex),
      x_ended(ex, Timer::time_point::max()) {}

RpcDatagrams::~RpcDatagrams() = default;

Result<void> RpcDatagrams::bind(const asio::ip::udp::endpoint& endpoint) {
  error_code ec;
  x_socket.open(endpoint.protocol(), ec);
  if (!ec && endpoint.address().is_v6()) {
    x_socket.set_option(asio::ip::v6_only(false), ec);
  }
  if (!ec) {
    x_socket.non_blocking(true, ec);
  }
  if (!ec) {
    x_socket.bind(endpoint, ec);
  }
  if (ec) {
    return fail(Errc::config, "cannot listen on UDP port " + std::to_string(endpoint.port()) +
                                  ": " + ec.message());
  }
  return ok();
}

std::uint16_t RpcDatagrams::port() const {
  error_code ec;
  return x_socket.local_endpoint(ec).port();
}

void RpcDatagrams::serve() {
  x_running = true;
  asio::co_spawn(x_ex, loop(), [this](std::exception_ptr thrown) {
    x_running = false;
    x_ended.cancel();
    if (thrown) {
      std::rethrow_exception(thrown);
    }
  });
}

Async<> RpcDatagrams::loop() {
  while (!x_stopping) {
    Buffer call = Buffer::make(kMaxDatagram + 1);
    asio::ip::udp::endpoint from;
    error_code ec;
    const std::size_t n = co_await x_socket.async_receive_from(
        asio::mutable_buffer(call.data(), call.size()), from, asio::redirect_error(use_async, ec));
    if (x_stopping) {
      break;
    }
    if (ec) {
      // A reply that nobody wanted comes back as an error of the next receive.
      log::debug("datagram not received", {{"error", ec.message()}});
      continue;
    }
    if (n <= kMaxDatagram && x_exports.any_allows(from.address())) {
      co_await answer(call.slice(0, n), from);
    }
  }
}

Async<> RpcDatagrams::answer(Buffer call, const asio::ip::udp::endpoint& from) {
  const nfs::Peer peer{.address = from.address(), .port = from.port()};
  nfs::XdrWriter reply;
  std::string bytes;
  try {
    const nfs::Dispatcher::Outcome outcome =
        co_await x_dispatcher.serve(peer, std::move(call), false, reply);
    if (outcome == nfs::Dispatcher::Outcome::reply) {
      bytes = reply.flatten();
    }
  } catch (const std::exception& e) {
    log::error("datagram call threw", {{"what", e.what()}});
  }
  if (!bytes.empty()) {
    error_code ignored;
    // Lost is lost: the client asks again.
    x_socket.send_to(asio::const_buffer(bytes.data(), bytes.size()), from, 0, ignored);
  }
}

Async<> RpcDatagrams::stop() {
  x_stopping = true;
  error_code ignored;
  x_socket.close(ignored);
  if (x_running) {
    co_await x_ended.async_wait(asio::redirect_error(use_async, ignored));
  }
}

}  // namespace outcrop::server
