// Accounts over the admin API: JSON on one side, the store of identities, the owners of buckets and
// their quotas on the other.
#pragma once
#include "api/admin/account_routes.h"
#include "auth/access/access_table.h"
#include "auth/identity/identity_store.h"
#include "storage/ns/quota_groups.h"

namespace outcrop::server {

/// Null until the store is open.
struct AccountParts {
  identity::IdentityStore* identities = nullptr;
  access::AccessTable* access = nullptr;
  ns::QuotaGroups* groups = nullptr;
};

/// `parts` is asked for each request, on the worker that serves it.
admin::AccountSource account_source(std::function<AccountParts()> parts);

}  // namespace outcrop::server
