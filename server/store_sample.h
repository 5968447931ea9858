// What the engine says of itself, in the form of the admin metrics.
#pragma once
#include "api/admin/metrics.h"

namespace outcrop::engine {
struct EngineStats;
}  // namespace outcrop::engine

namespace outcrop::server {

admin::StoreSample sample_store(const engine::EngineStats& e);

}  // namespace outcrop::server
