#include "server/http_body.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace outcrop::server {

using std::chrono::nanoseconds;

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

HttpBody::HttpBody(Transport& transport,
                   InBuffer& in,
                   const HttpOptions& options,
                   HttpCounters& counters,
                   const Framing& framing)
    : x_transport(transport),
      x_in(in),
      x_options(options),
      x_counters(counters),
      x_chunked(framing.chunked),
      x_length(framing.content_length),
      x_left(framing.content_length.value_or(0)),
      x_expected(framing.expect_continue) {}

std::optional<std::uint64_t> HttpBody::content_length() const {
  return x_chunked ? std::nullopt : std::optional(x_length.value_or(0));
}

Task<std::size_t> HttpBody::read_some(MutBytes out) {
  if (x_failure) {
    co_return fail(*x_failure);
  }
  CO_TRYV(co_await invite());
  if (done() || out.empty()) {
    co_return 0;
  }
  Result<std::size_t> n = 0;
  if (x_chunked) {
    n = co_await read_chunked(out);
  } else {
    const MutBytes room = out.first(std::min<std::uint64_t>(out.size(), x_left));
    n = take_buffered(room);
    if (*n == 0) {
      n = co_await receive(room);
    }
    x_left -= n.value_or(0);
  }
  if (!n) {
    x_failure = n.error();
  } else {
    x_received += *n;
    x_counters.bytes_in.add(*n);
  }
  co_return n;
}

Task<> HttpBody::invite() {
  if (!std::exchange(x_expected, false)) {
    co_return ok();
  }
  std::array<iovec, 1> all = {iovec{const_cast<char*>(kContinue.data()), kContinue.size()}};
  if (const Result<void> sent = co_await x_transport.write_all(all); !sent) {
    x_failure = sent.error();
  }
  co_return x_failure ? Result<void>(fail(*x_failure)) : ok();
}

Task<std::size_t> HttpBody::read_chunked(MutBytes out) {
  CO_TRYV(co_await next_chunk());
  if (x_decoder.done()) {
    co_return 0;
  }
  const std::uint64_t most = std::min<std::uint64_t>(out.size(), x_decoder.payload_left());
  std::size_t n = take_buffered(out.first(most));
  if (n == 0) {
    CO_TRY(n, co_await receive(out.first(most)));
  }
  x_decoder.took(n);
  // The end right behind the payload is taken along, so that "all read" is known without one more
  // call, but nothing is waited for.
  if (!x_in.empty()) {
    CO_TRY(const std::size_t eaten, x_decoder.eat(x_in.view()));
    x_in.consume(eaten);
  }
  co_return n;
}

/// Until payload follows or the body has ended.
Task<> HttpBody::next_chunk() {
  while (x_decoder.payload_left() == 0 && !x_decoder.done()) {
    if (x_in.empty()) {
      CO_TRY(const std::size_t n, co_await receive(x_in.room()));
      x_in.filled(n);
    }
    CO_TRY(const std::size_t eaten, x_decoder.eat(x_in.view()));
    x_in.consume(eaten);
  }
  co_return ok();
}

/// Payload bytes that came with the head; the rest comes from the socket without this copy.
std::size_t HttpBody::take_buffered(MutBytes out) {
  if (x_in.empty()) {
    return 0;
  }
  const std::size_t n = std::min(out.size(), x_in.view().size());
  std::memcpy(out.data(), x_in.view().data(), n);
  x_in.consume(n);
  return n;
}

Task<std::size_t> HttpBody::receive(MutBytes out) {
  const std::int64_t started = steady_now_ns();
  if (x_drain_until_ns) {
    x_transport.expire_after(nanoseconds(*x_drain_until_ns - started));
  } else {
    x_transport.expire_after(nanoseconds(x_options.body_window) - nanoseconds(x_window_waited_ns));
  }
  const Result<std::size_t> n = co_await x_transport.read_some(out);
  x_transport.never_expire();
  if (!n) {
    co_return fail(n.error());
  }
  if (*n == 0) {
    co_return fail(Errc::cancelled, "the client closed the connection inside a body");
  }
  x_window_bytes += *n;
  x_window_waited_ns += steady_now_ns() - started;
  if (x_window_bytes >= x_options.body_window_bytes) {
    x_window_bytes = 0;
    x_window_waited_ns = 0;
  }
  co_return *n;
}

Async<bool> HttpBody::drain() {
  if (done() || x_failure || kept_back() || (!x_chunked && x_left > x_options.drain_bytes)) {
    co_return done() && !x_failure;
  }
  x_drain_until_ns = steady_now_ns() + nanoseconds(x_options.drain_timeout).count();
  std::array<std::byte, 4096> scratch;
  std::uint64_t dropped = 0;
  while (!done() && dropped <= x_options.drain_bytes) {
    const Result<std::size_t> n = co_await read_some(scratch);
    if (!n) {
      co_return false;
    }
    dropped += *n;
  }
  co_return done();
}

}  // namespace outcrop::server
