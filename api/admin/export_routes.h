// /v1/exports of the admin API (docs/admin-api.yaml): lists, adds and removes NFS exports, and
// /v1/handle-key, which rotates the key of their file handles. Behind v1.h.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "api/http/message.h"

namespace outcrop::admin {

inline constexpr std::string_view kExportsRoute = "/v1/exports";
inline constexpr std::string_view kHandleKeyRoute = "/v1/handle-key";

/// What the routes work on. The functions may suspend; they take and give JSON text.
/// Errors: invalid_argument (detail goes to the client), already_exists, not_found, conflict.
struct ExportSource {
  std::function<Task<std::string>()> list;
  std::function<Task<std::string>(std::string json)> add;
  std::function<Task<>(std::string path)> remove;
  std::function<Task<std::string>(bool force)> rotate_key;
};

Async<http::Response> serve_exports(const ExportSource& source, http::Request& request);
/// POST rotates; "?force=true" also before the interval is over.
Async<http::Response> serve_handle_key(const ExportSource& source, http::Request& request);

}  // namespace outcrop::admin
