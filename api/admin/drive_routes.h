// /v1/drives of the admin API (docs/admin-api.yaml): shows drives and repair, adds, drains and
// removes drives; for callers with the scope.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "api/http/message.h"

namespace outcrop::admin {

inline constexpr std::string_view kDrivesRoute = "/v1/drives";

/// What the routes work on; they take and give JSON text. Errors: invalid_argument, not_found,
/// conflict, already_exists (detail goes to the client), unavailable while the store is not open.
struct DriveSource {
  std::function<Task<std::string>()> list;
  std::function<Task<std::string>(std::string json)> add;
  std::function<Task<std::string>(unsigned slot, std::string json)> change;
  std::function<Task<>(unsigned slot)> remove;
};

Async<http::Response> serve_drives(const DriveSource& source, http::Request& request);

}  // namespace outcrop::admin
