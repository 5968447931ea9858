// Exports and tokens over the admin API. What changes them runs on the blocking pool: it syncs
// files, and exports open listeners on all workers.
#pragma once
#include <functional>

#include "api/admin/export_routes.h"
#include "api/admin/token_routes.h"
#include "server/nfs_server.h"
#include "server/runtime.h"
#include "server/token_registry.h"

namespace outcrop::server {

/// `nfs` and `tokens` are asked for each request; what they return must be there by then, and
/// outlive the admin listener, as the pool must.
admin::ExportSource export_source(BlockingPool& pool, std::function<NfsServer&()> nfs);
admin::TokenSource token_source(BlockingPool& pool, std::function<TokenRegistry&()> tokens);

}  // namespace outcrop::server
