// /v1/drives of the admin API (docs/admin-api.yaml): shows drives and repair, adds, drains and
// removes drives. Every request needs the bearer token.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "api/admin/rest.h"

namespace outcrop::admin {

/// What the routes work on; they take and give JSON text. Errors: invalid_argument, not_found,
/// conflict, already_exists (detail goes to the client), unavailable while the store is not open.
struct DriveSource {
  std::string token;  ///< empty: the routes are off
  std::function<Task<std::string>()> list;
  std::function<Task<std::string>(std::string json)> add;
  std::function<Task<std::string>(unsigned slot, std::string json)> change;
  std::function<Task<>(unsigned slot)> remove;
};

bool is_drive_route(std::string_view target);
Async<http::Response> serve_drives(const DriveSource& source, http::Request& request);

}  // namespace outcrop::admin
