// The body of one request: HTTP framing off, bytes into the caller's memory. Bytes that came with
// the head are copied once; everything else goes from the socket straight to where the caller wants
// it.
#pragma once
#include <optional>

#include "api/http/message.h"
#include "server/chunked.h"
#include "server/framing.h"
#include "server/http_options.h"
#include "server/in_buffer.h"
#include "server/transport.h"

namespace outcrop::server {

class HttpBody final : public http::BodyReader {
 public:
  HttpBody(Transport& transport,
           InBuffer& in,
           const HttpOptions& options,
           HttpCounters& counters,
           const Framing& framing);

  Task<std::size_t> read_some(MutBytes out) override;
  std::optional<std::uint64_t> content_length() const override;
  bool kept_back() const override { return x_expected && !done(); }

  /// All of it has been read.
  bool done() const { return x_chunked ? x_decoder.done() : x_left == 0; }
  /// The first error, if any: the connection is of no more use.
  const std::optional<Error>& failure() const { return x_failure; }
  std::uint64_t received() const { return x_received; }
  /// Sends the `100 Continue` that the client waits for, if it does. The first read does this, and
  /// the session in front of the answer if there is no body: botocore leaves a connection from
  /// which an expected 100 did not come hanging at its next request.
  Task<> invite();
  /// Reads and drops the rest if it is small and comes soon. True: the next request can follow.
  /// What is kept back is not asked for.
  Async<bool> drain();

 private:
  Task<std::size_t> read_chunked(MutBytes out);
  std::size_t take_buffered(MutBytes out);
  Task<std::size_t> receive(MutBytes out);
  Task<> next_chunk();

  Transport& x_transport;
  InBuffer& x_in;
  const HttpOptions& x_options;
  HttpCounters& x_counters;
  const bool x_chunked;
  const std::optional<std::uint64_t> x_length;
  std::uint64_t x_left = 0;  // of a body with a length
  bool x_expected;           // 100 Continue, which was not sent yet
  ChunkedDecoder x_decoder;
  std::optional<Error> x_failure;
  std::uint64_t x_received = 0;
  // The rate floor counts only time spent waiting for the client, not for our own drives.
  std::int64_t x_window_waited_ns = 0;
  std::uint64_t x_window_bytes = 0;
  std::optional<std::int64_t> x_drain_until_ns;
};

}  // namespace outcrop::server
