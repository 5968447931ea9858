#include "tools/selftest/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "storage/digest/hmac.h"
#include "storage/digest/text.h"

namespace outcrop::selftest {
namespace {

constexpr std::size_t kScratch = 64 << 10, kMaxHead = 64 << 10;
constexpr std::string_view kPresignSeconds = "300";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  return out;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  const std::size_t to = text.find_last_not_of(" \t");
  return from == std::string_view::npos ? std::string_view() : text.substr(from, to - from + 1);
}

std::map<std::string, std::string> headers_in(std::string_view head) {
  std::map<std::string, std::string> out;
  for (std::size_t at = head.find("\r\n"); at + 2 < head.size();) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, end - at - 2);
    if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      out[lower(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
    }
    at = end;
  }
  return out;
}

}  // namespace

std::string Reply::header(const std::string& name) const {
  const auto at = headers.find(name);
  return at == headers.end() ? std::string() : at->second;
}

std::string Reply::text() const {
  const std::string error = code();
  return error.empty() ? std::to_string(status) : fmt::format("{} {}", status, error);
}

std::string canonical_query(const Pairs& query) {
  Pairs encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(bench::uri_encode(name, true), bench::uri_encode(value, true));
  }
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) {
    out.append(out.empty() ? "" : "&").append(name).append("=").append(value);
  }
  return out;
}

HttpClient::HttpClient(const bench::Target& target,
                       const bench::Options& options,
                       Stopper& stopper,
                       Executor executor)
    : x_options(options),
      x_stopper(stopper),
      x_connection(target, executor),
      x_host(target.endpoint.authority),
      x_signer(options.access_key, options.secret_key, options.region),
      x_wrong(options.access_key, options.secret_key + "x", options.region),
      x_stranger("OUTCROPSELFTESTNONE", options.secret_key, options.region),
      x_scratch(kScratch) {}

bench::Signer& HttpClient::signer(Signing signing) {
  bench::Signer& chosen = signing == Signing::wrong      ? x_wrong
                          : signing == Signing::stranger ? x_stranger
                                                         : x_signer;
  chosen.set_time(std::time(nullptr));
  return chosen;
}

// Adds to the query or the headers.
void HttpClient::sign(const Request& request,
                      const std::string& path,
                      std::string& query,
                      Pairs& headers) {
  bench::Signer& with = signer(request.signing);
  std::string payload =
      request.payload_hash.value_or(digest::to_hex(digest::sha256(as_bytes(request.body))));
  Pairs all = request.query;
  if (request.signing == Signing::presigned) {
    payload = bench::kUnsignedPayload;
    const std::string date(with.timestamp());
    all.emplace_back("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
    all.emplace_back("X-Amz-Credential",
                     fmt::format("{}/{}/{}/s3/aws4_request", x_options.access_key,
                                 date.substr(0, 8), x_options.region));
    all.emplace_back("X-Amz-Date", date);
    all.emplace_back("X-Amz-Expires", kPresignSeconds);
    all.emplace_back("X-Amz-SignedHeaders", "host");
    if (!x_options.session_token.empty()) {
      all.emplace_back("X-Amz-Security-Token", x_options.session_token);
    }
  } else if (request.signing != Signing::anonymous) {
    headers.emplace_back("x-amz-content-sha256", payload);
    headers.emplace_back("x-amz-date", with.timestamp());
    if (!x_options.session_token.empty()) {
      headers.emplace_back("x-amz-security-token", x_options.session_token);
    }
  }
  query = canonical_query(all);
  if (request.signing == Signing::anonymous) {
    return;
  }
  std::ranges::sort(headers);
  std::vector<bench::SignedHeader> used;
  for (const auto& [name, value] : headers) {
    if (request.signing != Signing::presigned || name == "host") {
      used.push_back({name, value});
    }
  }
  std::string authorization;
  with.append_authorization(authorization, request.method, path, query, used, payload);
  if (request.signing == Signing::presigned) {
    const std::size_t at = authorization.rfind("Signature=");
    query += "&X-Amz-Signature=" + authorization.substr(at + 10);
  } else {
    headers.emplace_back("authorization", std::move(authorization));
  }
}

std::string HttpClient::make_head(const Request& request) {
  const std::string path = bench::uri_encode(request.path, false);
  std::string query;
  Pairs headers = request.headers;
  headers.emplace_back("host", x_host);
  sign(request, path, query, headers);
  std::string head =
      fmt::format("{} {}{}{} HTTP/1.1\r\n", request.method, path, query.empty() ? "" : "?", query);
  for (const auto& [name, value] : headers) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (!request.body.empty() || request.method == "PUT" || request.method == "POST") {
    head.append("content-length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  return head.append("\r\n");
}

Task<> HttpClient::connect() {
  if (x_stopper.stopped()) {
    co_return fail(Errc::timed_out, x_stopper.why());
  }
  if (!x_connection.is_open()) {
    x_input.clear();
    if (auto opened = co_await x_connection.open(); !opened) {
      co_return fail(x_stopper.stopped() ? Errc::timed_out : Errc::io_error,
                     x_stopper.stopped() ? x_stopper.why() : "cannot connect to " + x_host);
    }
  }
  co_return ok();
}

Task<> HttpClient::break_off(Request request, std::size_t bytes) {
  CO_TRYV(co_await connect());
  const std::string head = make_head(request);
  auto sent = co_await x_connection.send(head, as_bytes(request.body), bytes);
  x_connection.close();
  if (!sent && x_stopper.stopped()) {
    co_return fail(Errc::timed_out, x_stopper.why());
  }
  co_return sent
      ? ok()
      : Result<void>(fail(Errc::io_error, "the server took less than " + std::to_string(bytes) +
                                              " bytes of " + request.method + " " + request.path));
}

Task<Reply> HttpClient::send(Request request) {
  CO_TRYV(co_await connect());
  Result<Reply> reply = fail(Errc::io_error);
  const std::string head = make_head(request);
  auto sent = co_await x_connection.send(head, as_bytes(request.body), request.body.size());
  if (sent) {
    reply = co_await receive(request);
  } else {
    reply = fail(sent.error());
  }
  if (reply) {
    co_return reply;
  }
  x_connection.close();
  if (x_stopper.stopped()) {
    co_return fail(Errc::timed_out, x_stopper.why());
  }
  co_return fail(Errc::io_error,
                 "no complete answer to " + request.method + " " + request.path + " came");
}

Task<> HttpClient::receive_more() {
  CO_TRY(const std::size_t n, co_await x_connection.receive(x_scratch, false));
  x_input.append(x_scratch.data(), n);
  co_return ok();
}

Task<std::string> HttpClient::receive_head() {
  for (;;) {
    if (const std::size_t end = x_input.find("\r\n\r\n"); end != std::string::npos) {
      std::string head = x_input.substr(0, end + 4);
      x_input.erase(0, end + 4);
      co_return head;
    }
    if (x_input.size() > kMaxHead) {
      co_return fail(Errc::corrupt, "response head too long");
    }
    CO_TRYV(co_await receive_more());
  }
}

Task<std::string> HttpClient::receive_body(const bench::ResponseHead& head) {
  std::string body;
  if (head.chunked) {
    bench::ChunkedBody chunks;
    for (;;) {
      CO_TRY(const std::size_t used, chunks.feed(x_input, &body));
      x_input.erase(0, used);
      if (chunks.done()) {
        co_return body;
      }
      if (body.size() > kMaxBody) {
        co_return fail(Errc::corrupt, "response too long");
      }
      CO_TRYV(co_await receive_more());
    }
  }
  if (!head.content_length || *head.content_length > kMaxBody) {
    co_return fail(Errc::corrupt, "response without a length that makes sense");
  }
  while (x_input.size() < *head.content_length) {
    CO_TRYV(co_await receive_more());
  }
  body = x_input.substr(0, *head.content_length);
  x_input.erase(0, *head.content_length);
  co_return body;
}

Task<Reply> HttpClient::receive(const Request& request) {
  Reply reply;
  bench::ResponseHead head;
  do {  // "100 Continue" and its like announce the real answer
    CO_TRY(const std::string text, co_await receive_head());
    CO_TRY(head, bench::parse_head(text));
    reply.headers = headers_in(text);
  } while (head.status < 200);
  head.etag = {};  // it pointed into the text
  reply.status = head.status;
  if (request.method != "HEAD" && head.status != 204 && head.status != 304) {
    CO_TRY(reply.body, co_await receive_body(head));
  }
  if (head.close) {
    x_connection.close();
  }
  co_return reply;
}

}  // namespace outcrop::selftest
