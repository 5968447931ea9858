#include "tools/bench/s3_client.h"

#include <ctime>

namespace outcrop::bench {
namespace {

constexpr std::size_t kHeadMax = 64 * 1024;

}  // namespace

S3Client::S3Client(const Target& target,
                   const Options& options,
                   Signer& signer,
                   std::span<char> scratch,
                   Executor executor)
    : x_options(options),
      x_signer(signer),
      x_scratch(scratch),
      x_connection(target, executor),
      x_host(target.endpoint.authority) {}

void S3Client::make_head(const Call& call) {
  x_signer.set_time(std::time(nullptr));
  // Sorted by name, as the signature wants them; none but Range is left unsigned.
  std::array<SignedHeader, 5> headers;
  std::size_t count = 0;
  headers[count++] = {"host", x_host};
  if (!call.checksum_header.empty()) {
    headers[count++] = {call.checksum_header, call.checksum};
  }
  headers[count++] = {"x-amz-content-sha256", call.payload_hash};
  headers[count++] = {"x-amz-date", x_signer.timestamp()};
  if (!x_options.session_token.empty()) {
    headers[count++] = {"x-amz-security-token", x_options.session_token};
  }
  const std::span<const SignedHeader> used(headers.data(), count);

  x_head.assign(call.method).append(" ").append(call.path);
  if (!call.query.empty()) {
    x_head.append("?").append(call.query);
  }
  x_head.append(" HTTP/1.1\r\n");
  for (const SignedHeader& header : used) {
    x_head.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (!call.range.empty()) {
    x_head.append("range: ").append(call.range).append("\r\n");
  }
  if (call.body_size > 0 || call.method == "PUT" || call.method == "POST") {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), call.body_size).ptr;
    x_head.append("content-length: ").append(digits.data(), end).append("\r\n");
  }
  x_head.append("authorization: ");
  x_signer.append_authorization(x_head, call.method, call.path, call.query, used,
                                call.payload_hash);
  x_head.append("\r\n\r\n");
}

Task<> S3Client::open() {
  if (!x_connection.is_open()) {
    CO_TRYV(co_await x_connection.open());
  }
  co_return ok();
}

Task<> S3Client::call(const Call& call, Reply& reply) {
  reply.status = 0;
  reply.body_bytes = 0;
  reply.body.clear();
  reply.etag.clear();
  x_pieces.clear();
  CO_TRYV(co_await open());
  make_head(call);
  CO_TRYV(co_await x_connection.send(x_head, call.block, call.body_size));
  std::string_view rest;
  Result<ResponseHead> head = co_await read_head(rest);
  // "100 Continue" and its like announce the real answer.
  while (head && head->status < 200) {
    x_pieces.assign(rest);
    head = co_await read_head(rest);
  }
  if (!head) {
    x_connection.close();
    co_return fail(head.error());
  }
  reply.status = head->status;
  if (call.keep_body) {
    reply.etag = head->etag;
  }
  std::string* const keep = call.keep_body || !reply.is_success() ? &reply.body : nullptr;
  if (call.method != "HEAD" && head->status != 204 && head->status != 304) {
    const Result<void> body = co_await read_body(*head, rest, reply, keep);
    if (!body) {
      x_connection.close();
      co_return fail(body.error());
    }
  }
  if (head->close) {
    x_connection.close();
  }
  co_return ok();
}

Task<ResponseHead> S3Client::read_head(std::string_view& rest) {
  bool first = true;
  for (;;) {
    const std::size_t end = x_pieces.find("\r\n\r\n");
    if (!x_pieces.empty() && end != std::string::npos) {
      rest = std::string_view(x_pieces).substr(end + 4);
      co_return parse_head(std::string_view(x_pieces).substr(0, end + 4));
    }
    if (x_pieces.size() > kHeadMax) {
      co_return fail(Errc::corrupt, "response head too long");
    }
    CO_TRY(const std::size_t n, co_await x_connection.receive(x_scratch, first));
    first = false;
    const std::string_view got(x_scratch.data(), n);
    // Nearly always the whole head comes at once and needs no copy.
    const std::size_t all = x_pieces.empty() ? got.find("\r\n\r\n") : std::string_view::npos;
    if (all != std::string_view::npos) {
      rest = got.substr(all + 4);
      co_return parse_head(got.substr(0, all + 4));
    }
    x_pieces.append(got);
  }
}

Task<> S3Client::read_body(const ResponseHead& head,
                           std::string_view rest,
                           Reply& reply,
                           std::string* keep) {
  if (head.chunked) {
    co_return co_await read_chunked(rest, reply, keep);
  }
  if (!head.content_length) {
    co_return fail(Errc::corrupt, "response without length");
  }
  if (rest.size() > *head.content_length) {
    co_return fail(Errc::corrupt, "response longer than its length");
  }
  reply.body_bytes = *head.content_length;
  std::uint64_t left = *head.content_length - rest.size();
  if (keep == nullptr) {
    if (left > 0) {
      CO_TRYV(co_await x_connection.discard(left, x_scratch));
    }
    co_return ok();
  }
  keep->append(rest);
  while (left > 0) {
    const std::size_t want = std::min<std::uint64_t>(left, x_scratch.size());
    CO_TRY(const std::size_t n, co_await x_connection.receive(x_scratch.first(want), false));
    keep->append(x_scratch.data(), n);
    left -= n;
  }
  co_return ok();
}

Task<> S3Client::read_chunked(std::string_view rest, Reply& reply, std::string* keep) {
  ChunkedBody body;
  for (;;) {
    CO_TRY(const std::size_t used, body.feed(rest, keep));
    if (body.done()) {
      reply.body_bytes = body.payload();
      if (used != rest.size()) {
        co_return fail(Errc::corrupt, "bytes after the response");
      }
      co_return ok();
    }
    CO_TRY(const std::size_t n, co_await x_connection.receive(x_scratch, false));
    rest = std::string_view(x_scratch.data(), n);
  }
}

}  // namespace outcrop::bench
