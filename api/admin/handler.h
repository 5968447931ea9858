// The admin listener: GET /health/live, /health/ready and /metrics for everybody who reaches it,
// and /v1/exports and /v1/drives for those with the token.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "api/admin/drive_routes.h"
#include "api/admin/export_routes.h"
#include "api/http/message.h"

namespace outcrop::admin {

struct Check {
  std::string name;  ///< "storage"
  bool ok = true;
  std::string reason;  ///< when not ok: what is wrong, in words for the operator
};

/// Called per request, on the worker that serves the listener; must not block.
struct AdminSources {
  std::function<std::vector<Check>()> checks;
  std::function<std::string()> metrics;
  ExportSource exports{};  ///< this one may suspend
  DriveSource drives{};    ///< this one, too
};

http::Handler make_handler(AdminSources sources);

}  // namespace outcrop::admin
