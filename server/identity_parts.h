// What the metadata store knows beside the tree: identities, who may use buckets, what is set on
// them, and the keys of encrypted objects. Opened together, for all of it hangs on the seal key.
#pragma once
#include <memory>

#include "api/s3/bucket_settings.h"
#include "auth/access/access_table.h"
#include "auth/identity/identity_store.h"
#include "auth/keys/vault.h"
#include "server/config.h"
#include "server/runtime.h"
#include "storage/engine/engine.h"

namespace outcrop::server {

struct IdentityParts {
  std::unique_ptr<identity::IdentityStore> identities;
  std::unique_ptr<access::AccessTable> access;
  std::unique_ptr<s3::SettingsTable> settings;
  std::unique_ptr<keys::Vault> vault;  ///< borrows the identities
};

struct IdentityNeeds {
  const Config& config;
  Runtime& runtime;  ///< running; not on one of its threads
  engine::Engine& store;
  const Clock& clock;
  Random& random;
  const auth::Credential& root;
};

/// Errc::config, one line: the seal key is missing, or another one.
Result<IdentityParts> open_identities(IdentityNeeds needs);

}  // namespace outcrop::server
