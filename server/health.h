// What /health says about a store that is open.
#pragma once
#include <string>
#include <vector>

#include "api/admin/handler.h"
#include "storage/engine/engine.h"

namespace outcrop::server {

/// `safe_mode`: why it is in safe mode; empty: it is not.
std::vector<admin::Check> health_checks(const engine::EngineStats& stats,
                                        const std::string& safe_mode);

}  // namespace outcrop::server
