// What the engine says of itself, in the form of the admin metrics.
#pragma once
#include "api/admin/metrics.h"
#include "storage/engine/engine.h"

namespace outcrop::server {

admin::StoreSample sample_store(const engine::EngineStats& e);

}  // namespace outcrop::server
