#include "tools/bench/connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <cerrno>

namespace outcrop::bench {
namespace {

constexpr std::size_t kVectors = 16;
constexpr std::size_t kDiscardStep = 1 << 20;

Result<std::shared_ptr<SSL_CTX>> make_tls(const Options& options) {
  std::shared_ptr<SSL_CTX> tls(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_mode(tls.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (options.insecure) {
    return tls;
  }
  SSL_CTX_set_verify(tls.get(), SSL_VERIFY_PEER, nullptr);
  const int loaded = options.ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(tls.get())
                         : SSL_CTX_load_verify_file(tls.get(), options.ca_file.c_str());
  if (loaded != 1) {
    return fail(Errc::config, "cannot read the CA certificates " + options.ca_file);
  }
  return tls;
}

}  // namespace

Result<Target> Target::make(const Options& options) {
  Target target;
  target.endpoint = options.endpoint;
  target.check_name = !options.insecure;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(options.endpoint.host.c_str(), options.endpoint.port.c_str(), &hints, &found);
  if (error != 0) {
    return fail(Errc::config, options.endpoint.host + ": " + gai_strerror(error));
  }
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  target.address_size = found->ai_addrlen;
  freeaddrinfo(found);
  if (options.endpoint.tls) {
    TRY(target.tls, make_tls(options));
  }
  return target;
}

Connection::Connection(const Target& target, Executor executor)
    : x_target(target), x_socket(executor), x_tls(nullptr, SSL_free) {}

Connection::~Connection() { close(); }

void Connection::close() {
  x_tls.reset();
  boost::system::error_code ignored;
  x_socket.close(ignored);
}

std::unexpected<Error> Connection::broken(int error) {
  close();
  return fail(Errc::io_error, error);
}

Task<> Connection::open() {
  close();
  const int fd =
      ::socket(x_target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) {
    co_return fail(Errc::io_error, errno);
  }
  x_socket.assign(fd);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const auto* const address = reinterpret_cast<const sockaddr*>(&x_target.address);
  if (::connect(fd, address, x_target.address_size) != 0) {
    if (errno != EINPROGRESS) {
      co_return broken(errno);
    }
    CO_TRYV(co_await wait(Ready::write));
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      co_return broken(error);
    }
  }
  if (x_target.tls) {
    CO_TRYV(co_await connect_tls());
  }
  co_return ok();
}

Task<> Connection::connect_tls() {
  x_tls.reset(SSL_new(x_target.tls.get()));
  SSL_set_fd(x_tls.get(), x_socket.native_handle());
  SSL_set_tlsext_host_name(x_tls.get(), x_target.endpoint.host.c_str());
  if (x_target.check_name) {
    // An address is checked as such, a name as a name.
    X509_VERIFY_PARAM* const verify = SSL_get0_param(x_tls.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(verify, x_target.endpoint.host.c_str()) != 1) {
      SSL_set1_host(x_tls.get(), x_target.endpoint.host.c_str());
    }
  }
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(x_tls.get());
    if (result == 1) {
      co_return ok();
    }
    CO_TRYV(co_await wait_tls(result));
  }
}

Task<> Connection::wait(Ready ready) {
  boost::system::error_code error;
  const auto kind = ready == Ready::read ? asio::posix::descriptor_base::wait_read
                                         : asio::posix::descriptor_base::wait_write;
  co_await x_socket.async_wait(kind, asio::redirect_error(use_async, error));
  if (error) {
    co_return broken(ETIMEDOUT);
  }
  co_return ok();
}

Task<> Connection::wait_tls(int result) {
  const int wants = SSL_get_error(x_tls.get(), result);
  if (wants == SSL_ERROR_WANT_READ || wants == SSL_ERROR_WANT_WRITE) {
    co_return co_await wait(wants == SSL_ERROR_WANT_READ ? Ready::read : Ready::write);
  }
  const unsigned long code = ERR_peek_error();
  const char* const reason = ERR_reason_error_string(code);
  close();
  co_return fail(Errc::io_error, std::string("TLS: ") + (reason == nullptr ? "closed" : reason));
}

Task<> Connection::send(std::string_view head, ConstBytes block, std::uint64_t size) {
  if (!x_tls) {
    co_return co_await send_plain(head, block, size);
  }
  CO_TRYV(co_await send_tls(head));
  while (size > 0) {
    const ConstBytes part = block.first(std::min<std::uint64_t>(block.size(), size));
    CO_TRYV(co_await send_tls(as_text(part)));
    size -= part.size();
  }
  co_return ok();
}

Task<> Connection::send_tls(std::string_view part) {
  while (!part.empty()) {
    std::size_t sent = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(x_tls.get(), part.data(), part.size(), &sent);
    if (result == 1) {
      part.remove_prefix(sent);
    } else {
      CO_TRYV(co_await wait_tls(result));
    }
  }
  co_return ok();
}

Task<> Connection::send_plain(std::string_view head, ConstBytes block, std::uint64_t size) {
  std::uint64_t at = 0;  // in the body
  while (!head.empty() || at < size) {
    std::array<iovec, kVectors> vectors;
    std::size_t count = 0;
    if (!head.empty()) {
      vectors[count++] = {const_cast<char*>(head.data()), head.size()};
    }
    for (std::uint64_t next = at; next < size && count < kVectors;) {
      const std::size_t from = next % block.size();
      const std::size_t n = std::min<std::uint64_t>(block.size() - from, size - next);
      vectors[count++] = {const_cast<std::byte*>(block.data()) + from, n};
      next += n;
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(x_socket.native_handle(), &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      const std::size_t of_head = std::min(head.size(), static_cast<std::size_t>(sent));
      head.remove_prefix(of_head);
      at += static_cast<std::size_t>(sent) - of_head;
    } else if (errno == EAGAIN) {
      CO_TRYV(co_await wait(Ready::write));
    } else if (errno != EINTR) {
      co_return broken(errno);
    }
  }
  co_return ok();
}

Task<std::size_t> Connection::receive(std::span<char> into, bool expect_wait) {
  if (x_tls) {
    for (;;) {
      std::size_t got = 0;
      ERR_clear_error();
      const int result = SSL_read_ex(x_tls.get(), into.data(), into.size(), &got);
      if (result == 1) {
        co_return got;
      }
      CO_TRYV(co_await wait_tls(result));
    }
  }
  if (expect_wait) {
    CO_TRYV(co_await wait(Ready::read));
  }
  for (;;) {
    const ssize_t got = ::recv(x_socket.native_handle(), into.data(), into.size(), 0);
    if (got > 0) {
      co_return static_cast<std::size_t>(got);
    }
    if (got == 0) {
      co_return broken(ECONNRESET);
    }
    if (errno == EAGAIN) {
      CO_TRYV(co_await wait(Ready::read));
    } else if (errno != EINTR) {
      co_return broken(errno);
    }
  }
}

Task<> Connection::discard(std::uint64_t size, std::span<char> scratch) {
  while (size > 0) {
    if (x_tls) {
      CO_TRY(const std::size_t n,
             co_await receive(scratch.first(std::min<std::uint64_t>(scratch.size(), size)), false));
      size -= n;
      continue;
    }
    // MSG_TRUNC on a TCP socket drops the bytes in the kernel (tcp(7)).
    const std::size_t want = std::min<std::uint64_t>(kDiscardStep, size);
    const ssize_t got = ::recv(x_socket.native_handle(), nullptr, want, MSG_TRUNC);
    if (got > 0) {
      size -= static_cast<std::uint64_t>(got);
    } else if (got == 0) {
      co_return broken(ECONNRESET);
    } else if (errno == EAGAIN) {
      CO_TRYV(co_await wait(Ready::read));
    } else if (errno != EINTR) {
      co_return broken(errno);
    }
  }
  co_return ok();
}

}  // namespace outcrop::bench
