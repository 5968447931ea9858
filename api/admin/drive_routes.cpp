#include "api/admin/drive_routes.h"

#include <charconv>

#include "api/admin/answer.h"

namespace outcrop::admin {
namespace {

constexpr unsigned kSlotLimit = 256;  // one byte on disk; which there are, the store knows

std::optional<unsigned> slot_of(std::string_view path) {
  const std::string_view text = path.substr(kDrivesRoute.size() + 1);
  unsigned slot = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), slot);
  if (ec != std::errc{} || end != text.data() + text.size() || slot >= kSlotLimit) {
    return std::nullopt;
  }
  return slot;
}

Async<http::Response> serve_all(const DriveSource& source, http::Request& request) {
  if (request.method == "GET") {
    co_return answer_with(200, co_await source.list());
  }
  if (request.method == "POST") {
    std::optional<std::string> body = co_await read_body(request);
    if (!body) {
      co_return complain(413, "the body is too large, or did not come");
    }
    co_return answer_with(201, co_await source.add(*std::move(body)));
  }
  http::Response r = complain(405, "GET and POST /v1/drives");
  r.set("Allow", "GET, POST");
  co_return r;
}

Async<http::Response> serve_one(const DriveSource& source, http::Request& request, unsigned slot) {
  if (request.method == "PATCH") {
    std::optional<std::string> body = co_await read_body(request);
    if (!body) {
      co_return complain(413, "the body is too large, or did not come");
    }
    co_return answer_with(200, co_await source.change(slot, *std::move(body)));
  }
  if (request.method == "DELETE") {
    const Result<void> removed = co_await source.remove(slot);
    if (!removed) {
      co_return complain(removed.error());
    }
    co_return gone();
  }
  http::Response r = complain(405, "PATCH and DELETE /v1/drives/SLOT");
  r.set("Allow", "PATCH, DELETE");
  co_return r;
}

}  // namespace

Async<http::Response> serve_drives(const DriveSource& source, http::Request& request) {
  const std::string_view path = path_of(request.target);
  if (path == kDrivesRoute) {
    co_return co_await serve_all(source, request);
  }
  const std::optional<unsigned> slot = slot_of(path);
  if (!slot) {
    co_return complain(404, "expected /v1/drives/SLOT, SLOT being a number");
  }
  co_return co_await serve_one(source, request, *slot);
}

}  // namespace outcrop::admin
