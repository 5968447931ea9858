#include "server/http_session.h"

#include <array>
#include <exception>

#include "server/head_parser.h"
#include "server/http_worker.h"
#include "server/read_ahead.h"
#include "server/response_head.h"
#include "storage/base/log.h"

namespace outcrop::server {
namespace {

iovec part(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};  // sendmsg does not write to it
}

std::string text_of(const asio::ip::tcp::endpoint& e) {
  const std::string address = e.address().to_string();
  const std::string port = std::to_string(e.port());
  return e.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

std::uint64_t total_size(const std::vector<Buffer>& slices) {
  std::uint64_t n = 0;
  for (const Buffer& b : slices) {
    n += b.size();
  }
  return n;
}

}  // namespace

http::Response plain_response(int status, std::string_view line) {
  http::Response response;
  response.status = status;
  response.set("Content-Type", "text/plain");
  response.body = std::string(line) + "\n";
  return response;
}

HttpSession::HttpSession(HttpWorker& owner, Socket socket, const asio::ip::tcp::endpoint& remote)
    : x_owner(owner),
      x_transport(std::move(socket), owner.service().options.write_stall),
      x_in(owner.blocks()),
      x_address(remote.address()),
      x_remote(text_of(remote)) {}

void HttpSession::leave() {
  x_closing = true;
  if (x_idle) {
    x_transport.wake();
  }
}

void HttpSession::abort() {
  x_closing = true;
  x_transport.reset();
}

Async<> HttpSession::run() {
  const HttpOptions& options = x_owner.service().options;
  if (x_owner.service().tls) {
    x_transport.expire_after(options.head_timeout);
    const Result<void> shaken = co_await x_transport.handshake(*x_owner.service().tls);
    x_closing = x_closing || !shaken;
  }
  while (!x_closing) {
    Framing framing;
    std::size_t size = 0;
    const Head head = co_await read_head(framing, size);
    if (head == Head::over) {
      break;
    }
    co_await serve(framing, size);
  }
  co_await x_transport.say_end(options.linger_timeout);
  if (x_linger) {
    co_await x_transport.linger(options.linger_bytes, options.linger_timeout);
  }
  x_transport.close();
}

/// Waits for a head and has the guard look at it. Between requests the connection holds no buffer.
Async<HttpSession::Head> HttpSession::read_head(Framing& framing, std::size_t& size) {
  const HttpOptions& options = x_owner.service().options;
  HeadScanner scanner;
  x_idle = x_in.empty();
  x_transport.expire_after(x_idle ? options.idle_timeout : options.head_timeout);
  if (x_idle && !x_transport.secure()) {
    x_in.release();
    if (!co_await x_transport.wait_readable()) {
      co_return Head::over;
    }
  }
  for (;;) {
    if (!x_in.empty()) {
      const std::expected<std::size_t, Reject> end = scanner.scan(x_in.view());
      if (!end) {
        co_await reject(to_string(end.error()));
        co_return Head::over;
      }
      if (*end > 0) {
        size = *end;
        break;
      }
    }
    const MutBytes room = x_in.room();
    const Result<std::optional<std::size_t>> now = x_transport.try_read(room);
    Result<std::size_t> n = now && *now ? Result<std::size_t>(**now) : Result<std::size_t>(0);
    if (now && !*now) {
      n = co_await x_transport.read_some(room);
    }
    if (!n || *n == 0) {
      if (!x_idle && !n && n.error().code() == Errc::timed_out) {
        x_owner.counters().timeouts.add(1);
      }
      co_return Head::over;
    }
    x_in.filled(*n);
    if (std::exchange(x_idle, false)) {
      x_transport.expire_after(options.head_timeout);
    }
  }
  x_idle = false;
  x_transport.never_expire();
  const std::expected<Framing, Reject> checked = check_head(x_in.view().substr(0, size));
  if (!checked) {
    co_await reject(to_string(checked.error()));
    co_return Head::over;
  }
  framing = *checked;
  co_return Head::complete;
}

/// 400 and close: nothing behind a head that we do not understand is ever taken for a request.
Async<> HttpSession::reject(std::string_view why) {
  x_owner.counters().bad_heads.add(1);
  log::debug("request rejected", {{"remote", x_remote}, {"reason", why}});
  x_idle = false;
  x_closing = x_linger = true;
  const http::Response response = plain_response(400, why);
  const std::string& body = std::get<std::string>(response.body);
  const std::string id = x_owner.next_request_id();
  std::string head = write_head(
      response,
      {.date = x_owner.date(), .request_id = id, .content_length = body.size(), .close = true});
  // A client that is gone needs no answer.
  std::ignore = co_await send_text(std::move(head), body);
}

Async<> HttpSession::serve(const Framing& framing, std::size_t head_size) {
  const std::int64_t started = steady_now_ns();
  HttpCounters& counters = x_owner.counters();
  http::Request request;
  if (const Result<void> parsed = parse_head(x_in.view().substr(0, head_size), request); !parsed) {
    co_await reject("malformed request head");
    co_return;
  }
  x_in.consume(head_size);
  x_closing = x_closing || !framing.keep_alive;
  x_sent = 0;
  counters.requests.add(1);
  counters.in_flight.add(1);
  HttpBody body(x_transport, x_in, x_owner.service().options, counters, framing);
  request.id = x_owner.next_request_id();
  request.remote = x_remote;
  request.secure = x_transport.secure();
  request.body = &body;
  http::Response response;
  {
    ByteBudget::Lease lease;
    ByteBudget& budget = x_owner.service().budget;
    const std::uint64_t need = std::min(body.content_length().value_or(kStreamBytes), kStreamBytes);
    if (!body.done() && !budget.try_take(need, lease)) {
      Result<ByteBudget::Lease> got = co_await budget.take(need);
      lease = got ? std::move(*got) : ByteBudget::Lease();
    }
    response = co_await call_handler(request);
    if (body.done()) {
      std::ignore = co_await body.invite();
    }
    if (!body.done() || body.failure()) {
      co_await settle(body, response);
    }
    lease.release();
    if (const Result<void> sent = co_await send(response, request, framing); !sent) {
      x_closing = true;
      x_linger = false;
    }
  }
  counters.bytes_out.add(x_sent);
  counters.in_flight.sub(1);
  log_request(request, response.status, body, started);
}

Async<http::Response> HttpSession::call_handler(http::Request& request) {
  std::string what;
  try {
    co_return co_await x_owner.service().handler(request);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    what = "unknown exception";
  }
  log::error("handler threw",
             {{"request_id", request.id}, {"method", request.method}, {"what", what}});
  co_return plain_response(500, "internal error");
}

/// The rest of a body that the handler left: dropped if small, otherwise the connection ends after
/// the answer, since the bytes would be taken for the next request.
Async<> HttpSession::settle(HttpBody& body, http::Response& response) {
  if (co_await body.drain()) {
    co_return;
  }
  x_closing = x_linger = true;
  if (!body.failure()) {
    co_return;
  }
  const Errc code = body.failure()->code();
  if (code == Errc::invalid_argument) {
    x_owner.counters().bad_heads.add(1);
    if (response.status < 400) {
      response = plain_response(400, body.failure()->detail());
    }
  } else if (code == Errc::timed_out) {
    x_owner.counters().timeouts.add(1);
  }
}

Task<> HttpSession::send(http::Response& response,
                         const http::Request& request,
                         const Framing& framing) {
  const bool bodyless = request.method == "HEAD" || has_no_body(response.status);
  ByteBudget::Lease lease;
  std::vector<Buffer> first;
  auto* const source = std::get_if<std::unique_ptr<http::BodySource>>(&response.body);
  const bool stream = source != nullptr && *source != nullptr && (*source)->size() > 0;
  if (stream && !bodyless) {
    const std::uint64_t need = std::min((*source)->size(), kStreamBytes);
    if (ByteBudget& budget = x_owner.service().budget; !budget.try_take(need, lease)) {
      CO_TRY(lease, co_await budget.take(need));
    }
    Result<std::vector<Buffer>> batch = co_await (*source)->next();
    if (batch && total_size(*batch) > 0) {
      first = std::move(*batch);
    } else {
      // No byte has left yet, so the client can still be told properly.
      log::error("body source failed",
                 {{"request_id", request.id},
                  {"error", batch ? "ended early" : batch.error().describe()}});
      response = plain_response(500, "internal error");
      response.close = true;
    }
  }
  x_closing = x_closing || response.close;
  auto* const text = std::get_if<std::string>(&response.body);
  const std::uint64_t size = text != nullptr ? text->size() : stream ? (*source)->size() : 0;
  std::string head = write_head(
      response, {.date = x_owner.date(),
                 .request_id = request.id,
                 .content_length = bodyless ? response.content_length.value_or(size) : size,
                 .close = x_closing,
                 .say_keep_alive = framing.http10});
  if (text != nullptr || bodyless || !stream) {
    const std::string_view body = bodyless || text == nullptr ? std::string_view{} : *text;
    x_sent += body.size();
    co_return co_await send_text(std::move(head), body);
  }
  const Result<void> sent = co_await send_stream(std::move(head), **source, std::move(first));
  if (!sent) {
    x_owner.counters().resets.add(1);
    log::debug("response cut off",
               {{"request_id", request.id}, {"error", sent.error().describe()}});
    x_transport.reset();
  }
  co_return sent;
}

Task<> HttpSession::send_text(std::string head, std::string_view body) {
  std::array<iovec, 2> parts = {part(head), part(body)};
  CO_TRY(const std::size_t sent, x_transport.try_write(parts));
  if (sent == head.size() + body.size()) {
    co_return ok();
  }
  const std::size_t of_head = std::min(sent, head.size());
  parts[0] = part(std::string_view(head).substr(of_head));
  parts[1] = part(body.substr(sent - of_head));
  co_return co_await x_transport.write_all(parts);
}

/// Slices go out as they come, a whole batch per gather write, the next batch being made meanwhile.
Task<> HttpSession::send_stream(std::string head,
                                http::BodySource& source,
                                std::vector<Buffer> batch) {
  std::uint64_t left = source.size();
  ReadAhead ahead(x_transport.executor(), source);
  std::vector<iovec> parts;
  parts.push_back(part(head));
  for (;;) {
    const std::uint64_t n = total_size(batch);
    if (n == 0 || n > left) {
      co_return fail(Errc::internal, "body source does not give what its size() says");
    }
    left -= n;
    for (const Buffer& b : batch) {
      parts.push_back({b.data(), b.size()});
    }
    if (left > 0) {
      ahead.start();
    }
    const Result<void> sent = co_await x_transport.write_all(parts);
    Result<std::vector<Buffer>> next;
    if (left > 0) {
      next = co_await ahead.take();
    }
    CO_TRYV(sent);
    x_sent += n;
    if (left == 0) {
      co_return ok();
    }
    CO_TRY(batch, std::move(next));
    parts.clear();
  }
}

void HttpSession::log_request(const http::Request& request,
                              int status,
                              const HttpBody& body,
                              std::int64_t started_ns) const {
  if (!x_owner.service().options.log_requests) {
    return;
  }
  log::info("request",
            {{"request_id", request.id},
             {"remote", request.remote},
             {"method", request.method},
             {"target", std::string_view(request.target).substr(0, request.target.find('?'))},
             {"status", status},
             {"bytes_in", body.received()},
             {"bytes_out", x_sent},
             {"us", (steady_now_ns() - started_ns) / 1000}});
}

}  // namespace outcrop::server
