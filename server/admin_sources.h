// What the admin API changes and lists, but drives (drive_admin.h): exports and tokens.
#pragma once
#include <memory>

#include "api/admin/handler.h"
#include "server/nfs_server.h"
#include "server/runtime.h"
#include "server/token_registry.h"

namespace outcrop::server {

/// What changes runs on the blocking pool: it syncs files, and opens listeners on all workers.
/// `nfs` may be made later, before the first request; all outlive the source.
admin::ExportSource export_source(Runtime& runtime, const std::unique_ptr<NfsServer>& nfs);
admin::TokenSource token_source(Runtime& runtime, TokenRegistry& tokens);

}  // namespace outcrop::server
