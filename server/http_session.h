// One client connection speaking HTTP/1.1: guard, parse, 100 Continue, handler, response, again.
// Owned by HttpWorker, lives on its worker. States: idle (between requests, no buffer), busy (from
// the first byte of a head to the last byte of its response), over.
#pragma once
#include <string>

#include "api/http/message.h"
#include "server/connection_worker.h"
#include "server/http_body.h"
#include "server/in_buffer.h"
#include "server/transport.h"

namespace outcrop::server {

class HttpWorker;

class HttpSession final : public Session {
 public:
  HttpSession(HttpWorker& owner, Socket socket, const asio::ip::tcp::endpoint& remote);

  Async<> run() override;
  void tick(std::int64_t now) override { x_transport.tick(now); }
  void leave() override;
  void abort() override;
  const asio::ip::address& address() const override { return x_address; }

 private:
  enum class Head : std::uint8_t { complete, over };
  Async<Head> read_head(Framing& framing, std::size_t& size);
  Async<> reject(std::string_view why);
  Async<> serve(const Framing& framing, std::size_t head_size);
  Async<http::Response> call_handler(http::Request& request);
  Async<> settle(HttpBody& body, http::Response& response);
  Task<> send(http::Response& response, const http::Request& request, const Framing& framing);
  Task<> send_text(std::string head, std::string_view body);
  Task<> send_stream(std::string head, http::BodySource& source, std::vector<Buffer> batch);
  void log_request(const http::Request& request,
                   int status,
                   const HttpBody& body,
                   std::int64_t started_ns) const;

  HttpWorker& x_owner;
  Transport x_transport;
  InBuffer x_in;
  const asio::ip::address x_address;
  const std::string x_remote;
  std::uint64_t x_sent = 0;  // payload bytes of the current response
  bool x_idle = true;
  bool x_closing = false;  // no further request on this connection
  bool x_linger = false;   // the client may still be sending
};

/// A response of the session itself: text/plain, one line.
http::Response plain_response(int status, std::string_view line);

}  // namespace outcrop::server
