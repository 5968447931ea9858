// The admin listener: GET /health/live, /health/ready and /metrics for everybody who reaches it,
// and everything below /v1 for those with a token; they see buckets in /metrics, too.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "api/admin/v1.h"
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
  V1Sources v1{};  ///< these may suspend
};

http::Handler make_handler(AdminSources sources);

}  // namespace outcrop::admin
