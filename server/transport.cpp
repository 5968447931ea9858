#include "server/transport.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

namespace outcrop::server {
namespace {

using boost::system::error_code;

/// One record; a response that fits travels as one record, head and body together.
constexpr std::size_t kTlsRecord = 16 * 1024;

void drop_sent(std::span<iovec>& parts, std::size_t sent) {
  while (!parts.empty() && sent >= parts.front().iov_len) {
    sent -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (sent > 0) {
    parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + sent;
    parts.front().iov_len -= sent;
  }
}

}  // namespace

std::int64_t steady_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Works on the session's socket, so that deadlines and resets do not care whether there is TLS.
struct Transport::Tls {
  Tls(Socket& socket, asio::ssl::context& context) : stream(socket, context) {}
  asio::ssl::stream<Socket&> stream;
};

Transport::Transport(Socket socket, std::chrono::nanoseconds write_stall)
    : x_socket(std::move(socket)), x_write_stall(write_stall) {
  error_code ignored;
  x_socket.non_blocking(true, ignored);
  x_socket.set_option(asio::ip::tcp::no_delay(true), ignored);
}

Transport::~Transport() = default;

std::unexpected<Error> Transport::failure(const error_code& ec) const {
  if (ec == asio::error::operation_aborted) {
    return fail(x_expired ? Errc::timed_out : Errc::cancelled);
  }
  return fail(Errc::cancelled, "connection: " + ec.message());
}

Task<> Transport::handshake(asio::ssl::context& context) {
  x_tls = std::make_unique<Tls>(x_socket, context);
  error_code ec;
  co_await x_tls->stream.async_handshake(asio::ssl::stream_base::server,
                                         asio::redirect_error(use_async, ec));
  if (ec) {
    co_return failure(ec);
  }
  co_return ok();
}

std::string Transport::verified_name() const {
  SSL* const ssl = x_tls ? x_tls->stream.native_handle() : nullptr;
  X509* const certificate = ssl != nullptr ? SSL_get0_peer_certificate(ssl) : nullptr;
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) {
    return {};
  }
  BIO* const out = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string name(text, static_cast<std::size_t>(std::max(0l, size)));
  BIO_free(out);
  return name.empty() ? "(no subject)" : name;
}

Task<> Transport::wait(Socket::wait_type what) {
  error_code ec;
  co_await x_socket.async_wait(what, asio::redirect_error(use_async, ec));
  if (ec) {
    co_return failure(ec);
  }
  co_return ok();
}

Task<> Transport::wait_readable() {
  OUTCROP_ASSERT(!x_tls);
  return wait(Socket::wait_read);
}

Result<std::optional<std::size_t>> Transport::try_read(MutBytes out) {
  if (x_tls) {
    return std::nullopt;
  }
  const ssize_t n = ::recv(x_socket.native_handle(), out.data(), out.size(), MSG_DONTWAIT);
  if (n >= 0) {
    return static_cast<std::size_t>(n);
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    return std::nullopt;
  }
  return fail(Errc::cancelled, errno);
}

Task<std::size_t> Transport::read_some(MutBytes out) {
  error_code ec;
  const asio::mutable_buffer to(out.data(), out.size());
  std::size_t n = 0;
  if (x_tls) {
    n = co_await x_tls->stream.async_read_some(to, asio::redirect_error(use_async, ec));
  } else {
    n = co_await x_socket.async_read_some(to, asio::redirect_error(use_async, ec));
  }
  if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated) {
    co_return 0;
  }
  if (ec) {
    co_return failure(ec);
  }
  co_return n;
}

Async<> Transport::say_end(std::chrono::nanoseconds patience) {
  if (!x_tls || !x_socket.is_open()) {
    co_return;
  }
  expire_after(patience);
  error_code ignored;  // a client that just goes is no news
  co_await x_tls->stream.async_shutdown(asio::redirect_error(use_async, ignored));
  never_expire();
}

Async<> Transport::linger(std::uint64_t limit, std::chrono::nanoseconds patience) {
  error_code ignored;
  x_socket.shutdown(Socket::shutdown_send, ignored);
  expire_after(patience);
  while (limit > 0) {
    // MSG_TRUNC drops the bytes inside the kernel.
    const ssize_t n = ::recv(x_socket.native_handle(), nullptr,
                             std::min<std::uint64_t>(limit, 1 << 20), MSG_DONTWAIT | MSG_TRUNC);
    if (n > 0) {
      limit -= static_cast<std::uint64_t>(n);
      continue;
    }
    if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
      break;
    }
    if (!co_await wait(Socket::wait_read)) {
      break;
    }
  }
  never_expire();
}

Result<std::size_t> Transport::try_write(std::span<iovec> parts) {
  if (x_tls) {
    return 0;
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t n = ::sendmsg(x_socket.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n >= 0) {
    return static_cast<std::size_t>(n);
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    return 0;
  }
  return fail(Errc::cancelled, errno);
}

Task<> Transport::write_all(std::span<iovec> parts) {
  if (x_tls) {
    co_return co_await write_tls(parts);
  }
  drop_sent(parts, 0);
  while (!parts.empty()) {
    constexpr std::size_t kMostParts = 1024;  // IOV_MAX
    CO_TRY(const std::size_t sent, try_write(parts.first(std::min(parts.size(), kMostParts))));
    if (sent > 0) {
      drop_sent(parts, sent);
      continue;
    }
    x_write_deadline = steady_now_ns() + x_write_stall.count();
    const Result<void> writable = co_await wait(Socket::wait_write);
    x_write_deadline = kNever;
    CO_TRYV(writable);
  }
  co_return ok();
}

Task<> Transport::write_tls(std::span<iovec> parts) {
  std::size_t total = 0;
  for (const iovec& p : parts) {
    total += p.iov_len;
  }
  std::string small;
  iovec joined{};
  if (total <= kTlsRecord && parts.size() > 1) {
    small.reserve(total);
    for (const iovec& p : parts) {
      small.append(static_cast<const char*>(p.iov_base), p.iov_len);
    }
    joined = {small.data(), small.size()};
    parts = {&joined, 1};
  }
  for (const iovec& p : parts) {
    // A stalled client shows up between records, so each piece gets the whole patience.
    constexpr std::size_t kPiece = 256 * 1024;
    for (std::size_t at = 0; at < p.iov_len; at += kPiece) {
      const asio::const_buffer piece(static_cast<const char*>(p.iov_base) + at,
                                     std::min(kPiece, p.iov_len - at));
      error_code ec;
      x_write_deadline = steady_now_ns() + x_write_stall.count();
      co_await asio::async_write(x_tls->stream, piece, asio::redirect_error(use_async, ec));
      x_write_deadline = kNever;
      if (ec) {
        co_return failure(ec);
      }
    }
  }
  co_return ok();
}

void Transport::tick(std::int64_t now) {
  // The deadline stays set: between two reads nothing is there to cancel, the next tick gets it.
  if (now >= x_deadline || now >= x_write_deadline) {
    x_expired = true;
    wake();
  }
}

void Transport::stop_reading() {
  error_code ignored;
  x_socket.shutdown(Socket::shutdown_receive, ignored);
}

void Transport::wake() {
  error_code ignored;
  x_socket.cancel(ignored);
}

void Transport::reset() {
  error_code ignored;
  x_socket.set_option(asio::socket_base::linger(true, 0), ignored);
  x_socket.close(ignored);
}

void Transport::close() {
  error_code ignored;
  x_socket.shutdown(Socket::shutdown_both, ignored);
  x_socket.close(ignored);
}

}  // namespace outcrop::server
