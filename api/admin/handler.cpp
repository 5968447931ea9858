#include "api/admin/handler.h"

#include <algorithm>

#include "api/admin/answer.h"

namespace outcrop::admin {
namespace {

http::Response respond(int status, const char* type, std::string body) {
  http::Response r;
  r.status = status;
  r.set("Content-Type", type);
  r.set("Cache-Control", "no-store");
  r.body = std::move(body);
  return r;
}

std::string json_string(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

http::Response ready(const std::vector<Check>& checks) {
  const bool all = std::ranges::all_of(checks, &Check::ok);
  std::string body = std::string("{\"ready\":") + (all ? "true" : "false") + ",\"checks\":[";
  for (const Check& c : checks) {
    body.append(&c == checks.data() ? "{\"name\":" : ",{\"name\":").append(json_string(c.name));
    body.append(c.ok ? ",\"ok\":true" : ",\"ok\":false");
    body.append(",\"reason\":").append(json_string(c.reason)).append("}");
  }
  return respond(all ? 200 : 503, "application/json", body + "]}\n");
}

http::Response route(const AdminSources& sources, const http::Request& request) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  const bool known = path == "/health/live" || path == "/health/ready" || path == "/metrics";
  if (!known) {
    return respond(404, "text/plain",
                   "see /health/live, /health/ready, /metrics and, with a token, /v1\n");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    http::Response r = respond(405, "text/plain", "GET and HEAD only\n");
    r.set("Allow", "GET, HEAD");
    return r;
  }
  if (path == "/health/live") {
    return respond(200, "application/json", "{\"live\":true}\n");
  }
  if (path == "/health/ready") {
    return ready(sources.checks());
  }
  return respond(200, "text/plain; version=0.0.4; charset=utf-8", sources.metrics());
}

/// Empty without a token that may read, and while the store is not open.
Async<std::string> usage_metrics(const AdminSources& sources, const http::Request& request) {
  const std::optional<Caller> caller = caller_of(sources.v1, request);
  std::string out;
  if (!caller || !caller->may(kScopeRead) || !sources.v1.buckets.samples) {
    co_return out;
  }
  if (auto buckets = co_await sources.v1.buckets.samples()) {
    out += render_bucket_metrics(*std::move(buckets));
  }
  const auto& accounts = sources.v1.accounts.samples;
  if (const auto some = accounts ? accounts() : fail(Errc::unavailable)) {
    out += render_account_metrics(*some);
  }
  co_return out;
}

Async<http::Response> serve(const AdminSources& sources, http::Request& request) {
  if (is_v1(request.target)) {
    co_return co_await serve_v1(sources.v1, request);
  }
  http::Response response = route(sources, request);
  if (response.status == 200 && path_of(request.target) == "/metrics") {
    std::get<std::string>(response.body) += co_await usage_metrics(sources, request);
  }
  co_return response;
}

}  // namespace

http::Handler make_handler(AdminSources sources) {
  return [sources = std::move(sources)](http::Request& request) { return serve(sources, request); };
}

}  // namespace outcrop::admin
