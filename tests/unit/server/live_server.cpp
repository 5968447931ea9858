#include "tests/unit/server/live_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace outcrop::server::testing {
namespace {

class Generator final : public http::BodySource {
 public:
  Generator(std::uint64_t size, std::uint64_t fail_at) : x_size(size), x_fail_at(fail_at) {}
  std::uint64_t size() const override { return x_size; }
  Task<std::vector<Buffer>> next() override {
    // Really asynchronous, as storage is.
    co_await asio::post(co_await asio::this_coro::executor, use_async);
    if (x_at >= x_fail_at) {
      co_return fail(Errc::io_error);
    }
    std::vector<Buffer> out;
    for (int i = 0; i < 4 && x_at < x_size; ++i) {
      const std::uint64_t n = std::min<std::uint64_t>(256 * 1024, x_size - x_at);
      Buffer b = Buffer::make(n);
      for (std::uint64_t k = 0; k < n; ++k) {
        b.data()[k] = static_cast<std::byte>(pattern(x_at + k));
      }
      x_at += n;
      out.push_back(std::move(b));
    }
    co_return out;
  }

 private:
  std::uint64_t x_size, x_fail_at, x_at = 0;
};

http::Response text(int status, std::string body) {
  http::Response r;
  r.status = status;
  r.body = std::move(body);
  return r;
}

http::Response failure(const Error& e) {
  return text(e.code() == Errc::timed_out ? 408 : 400, std::string(to_string(e.code())));
}

Async<http::Response> echo(http::Request& rq) {
  std::string all;
  ByteVector piece(64 * 1024);
  for (;;) {
    const Result<std::size_t> n = co_await rq.body->read_some(piece);
    if (!n) {
      co_return failure(n.error());
    }
    if (*n == 0) {
      co_return text(200, std::move(all));
    }
    all.append(as_text(ConstBytes(piece).first(*n)));
  }
}

Async<http::Response> sink(http::Request& rq) {
  std::uint64_t count = 0, wrong = 0;
  ByteVector piece(1 << 20);
  for (;;) {
    const Result<std::size_t> n = co_await rq.body->read_some(piece);
    if (!n) {
      co_return failure(n.error());
    }
    if (*n == 0) {
      co_return text(200, std::to_string(count) + " " + std::to_string(wrong));
    }
    for (std::size_t i = 0; i < *n; ++i) {
      wrong += piece[i] != static_cast<std::byte>(pattern(count + i));
    }
    count += *n;
  }
}

std::uint64_t number(std::string_view target) {
  return std::stoull(std::string(target.substr(target.rfind('/') + 1)));
}

Async<http::Response> route(http::Request& rq, Gate* gate) {
  const std::string_view t = rq.target;
  if (t == "/echo") {
    co_return co_await echo(rq);
  }
  if (t == "/sink") {
    co_return co_await sink(rq);
  }
  if (t.starts_with("/gen")) {
    http::Response r;
    const std::uint64_t n = number(t);
    r.body = std::make_unique<Generator>(n, t.starts_with("/gen-fail") ? n / 2 : UINT64_MAX);
    co_return r;
  }
  if (t == "/throw") {
    throw std::runtime_error("handler bug");
  }
  if (t.starts_with("/status/")) {
    co_return text(static_cast<int>(number(t)), "never for 204 and 304");
  }
  if (t == "/hold" && gate != nullptr) {
    std::ignore = co_await gate->wait();
  }
  if (t == "/inject") {
    http::Response r = text(200, "x");
    r.set("X-Echo", "a\r\nSet-Cookie: b");
    co_return r;
  }
  co_return text(200, std::string(t));
}

}  // namespace

Task<> Gate::wait() {
  co_return co_await suspend<void>([this](Resume<void> resume) {
    std::unique_lock lock(x_mutex);
    if (!x_open) {
      x_waiting.push_back(std::move(resume));
      return;
    }
    lock.unlock();
    resume(ok());
  });
}

void Gate::open() {
  std::vector<Resume<void>> all;
  {
    const std::lock_guard lock(x_mutex);
    x_open = true;
    all.swap(x_waiting);
  }
  for (Resume<void>& resume : all) {
    resume(ok());
  }
}

http::Handler test_handler(std::atomic<int>& calls, Gate* gate) {
  return [&calls, gate](http::Request& rq) {
    ++calls;
    return route(rq, gate);
  };
}

LiveServer::LiveServer(HttpOptions options,
                       std::shared_ptr<asio::ssl::context> tls,
                       std::uint64_t budget)
    : x_budget(budget),
      x_service(test_handler(x_calls, &x_gate), options, x_budget),
      x_worker(x_service, x_io.get_executor(), 42) {
  x_service.tls = std::move(tls);
  Result<Acceptor> acceptor = listen_on(x_io.get_executor(), {asio::ip::address_v4::loopback(), 0});
  if (!acceptor) {
    throw std::runtime_error(acceptor.error().describe());
  }
  x_port = acceptor->local_endpoint().port();
  x_worker.serve(std::move(*acceptor));
  x_thread = std::thread([this] { x_io.run(); });
}

void LiveServer::stop(std::chrono::milliseconds patience) {
  if (x_thread.joinable()) {
    asio::co_spawn(x_io.get_executor(), x_worker.stop(patience), [](std::exception_ptr) {});
    x_thread.join();
  }
}

std::string Reply::field(std::string_view name) const {
  const std::string line = "\r\n" + std::string(name) + ": ";
  const std::size_t at = head.find(line);
  if (at == std::string::npos) {
    return "";
  }
  const std::size_t from = at + line.size();
  return head.substr(from, head.find("\r\n", from) - from);
}

RawClient::RawClient(std::uint16_t port) : x_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  ::setsockopt(x_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(x_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(x_fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    throw std::runtime_error("connect failed");
  }
}

RawClient::~RawClient() { close_now(); }

void RawClient::close_now() {
  if (x_fd >= 0) {
    ::close(std::exchange(x_fd, -1));
  }
}

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(x_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) {
      continue;  // with a timeout on the socket also where no handler ran: signal(7)
    }
    if (n <= 0) {
      return;  // the server has closed; what it said before can still be read
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool RawClient::fill() {
  std::array<char, 64 * 1024> piece;
  ssize_t n = 0;
  do {
    n = ::recv(x_fd, piece.data(), piece.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) {
    EXPECT_FALSE(n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) << "nothing came";
    x_reset = n < 0 && errno == ECONNRESET;
    return false;
  }
  x_in.append(piece.data(), static_cast<std::size_t>(n));
  return true;
}

std::string RawClient::read_exact(std::size_t n) {
  while (x_in.size() < n && fill()) {
  }
  std::string out = x_in.substr(0, n);
  x_in.erase(0, n);
  return out;
}

std::string RawClient::until_closed() {
  while (fill()) {
  }
  return std::exchange(x_in, {});
}

Reply RawClient::reply(bool head_only) {
  Reply r;
  std::size_t end = 0;
  while ((end = x_in.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) {
      return r;
    }
  }
  r.head = read_exact(end + 4);
  r.status = std::stoi(r.head.substr(9, 3));
  const std::string length = r.field("Content-Length");
  if (!head_only && !length.empty()) {
    r.body = read_exact(std::stoull(length));
  }
  return r;
}

Reply exchange(std::uint16_t port, std::string_view request) {
  RawClient client(port);
  client.send(request);
  return client.reply();
}

}  // namespace outcrop::server::testing
