#include "tools/admin/client.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace outcrop::tools {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kMaxReply = 16 << 20;

Result<AdminReply> parse(const std::string& text) {
  const std::size_t head = text.find("\r\n\r\n");
  AdminReply reply;
  const char* const digits = text.data() + std::min<std::size_t>(text.size(), 9);
  const auto [end, ec] =
      std::from_chars(digits, text.data() + std::min<std::size_t>(text.size(), 12), reply.status);
  if (head == std::string::npos || !text.starts_with("HTTP/1.1 ") || ec != std::errc{}) {
    return fail(Errc::unavailable, "the answer is not HTTP: is this the admin port?");
  }
  reply.body = text.substr(head + 4);
  return reply;
}

struct Exchange {
  std::string host, port, request, reply;
  boost::system::error_code ec;
  bool done = false;
};

asio::awaitable<void> carry_out(Exchange& x) {
  const auto executor = co_await asio::this_coro::executor;
  const auto into = [&x] { return asio::redirect_error(asio::use_awaitable, x.ec); };
  tcp::resolver resolver(executor);
  tcp::socket socket(executor);
  const auto addresses = co_await resolver.async_resolve(x.host, x.port, into());
  if (!x.ec) {
    co_await asio::async_connect(socket, addresses, into());
  }
  if (!x.ec) {
    co_await asio::async_write(socket, asio::buffer(x.request), into());
  }
  if (!x.ec) {
    co_await asio::async_read(socket, asio::dynamic_buffer(x.reply, kMaxReply), into());
    x.ec = x.ec == asio::error::eof ? boost::system::error_code() : x.ec;
  }
  x.done = true;
}

}  // namespace

Result<AdminReply> ask_admin(const AdminAccess& access,
                             std::string_view method,
                             std::string_view target,
                             std::string_view body) {
  const std::size_t colon = access.address.rfind(':');
  if (colon == std::string::npos) {
    return fail(Errc::invalid_argument, "--admin: expected HOST:PORT, like 127.0.0.1:9001");
  }
  Exchange x;
  x.host = access.address.substr(0, colon);
  if (x.host.starts_with('[') && x.host.ends_with(']')) {
    x.host = x.host.substr(1, x.host.size() - 2);
  }
  x.port = access.address.substr(colon + 1);
  x.request =
      std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: " + access.address +
      "\r\nConnection: close\r\nAuthorization: Bearer " + access.token +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + std::string(body);
  asio::io_context io(1);
  asio::co_spawn(io, carry_out(x), asio::detached);
  io.run_for(access.deadline);
  if (!x.done) {
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(access.deadline);
    return fail(Errc::unavailable, access.address + ": no answer within " +
                                       std::to_string(waited.count()) +
                                       " s; what was asked for may still be done");
  }
  if (x.ec) {
    return fail(Errc::unavailable, access.address + ": " + x.ec.message() +
                                       "; is the server running, and is this its server.admin?");
  }
  return parse(x.reply);
}

std::string percent_encoded(std::string_view path) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  static constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string out;
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

Result<std::string> find_token(const std::string& file) {
  std::string token;
  if (!file.empty()) {
    std::ifstream in(file);
    if (!std::getline(in, token)) {
      return fail(Errc::config, "--token-file: cannot read " + file);
    }
  } else if (const char* const value = std::getenv("OUTCROP_ADMIN_TOKEN")) {
    token = value;
  }
  if (token.empty() || token.find_first_of("\r\n") != std::string::npos) {
    return fail(Errc::config,
                "no admin token: give --token-file STATE_DIR/admin-token, or OUTCROP_ADMIN_TOKEN");
  }
  return token;
}

}  // namespace outcrop::tools
