// What the engine says of itself, in the form of the admin metrics.
#pragma once
#include <string>

#include "api/admin/metrics.h"

namespace outcrop::engine {
struct EngineStats;
struct RepairStatus;
}  // namespace outcrop::engine

namespace outcrop::server {

admin::StoreSample sample_store(const engine::EngineStats& e);

/// What segments lack, for the operator; empty: nothing.
std::string data_reason(const engine::RepairStatus& r);

}  // namespace outcrop::server
