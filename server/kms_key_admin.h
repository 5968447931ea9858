// Keys of SSE-KMS over the admin API: JSON on one side, the vault on the other.
#pragma once
#include "api/admin/kms_key_routes.h"
#include "auth/keys/vault.h"

namespace outcrop::server {

/// `vault` is asked for each request, on the worker that serves it; null until the store is open.
admin::KmsKeySource kms_key_source(std::function<keys::Vault*()> vault);

}  // namespace outcrop::server
