// /v1/exports of the admin API (docs/admin-api.yaml): lists, adds and removes NFS exports. Every
// request needs the bearer token.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "api/admin/rest.h"

namespace outcrop::admin {

/// What the routes work on. The functions may suspend; they take and give JSON text.
/// Errors: invalid_argument (detail goes to the client), already_exists, not_found.
struct ExportSource {
  std::string token;  ///< empty: the routes are off
  std::function<Task<std::string>()> list;
  std::function<Task<std::string>(std::string json)> add;
  std::function<Task<>(std::string path)> remove;
};

/// Whether it is a request for these routes.
bool is_export_route(std::string_view target);
Async<http::Response> serve_exports(const ExportSource& source, http::Request& request);

}  // namespace outcrop::admin
