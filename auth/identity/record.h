// The records of table `k`, as docs/ON_DISK_FORMAT.md lists them. Every reader is bounded and
// canonical. Private to auth/identity and its tests.
#pragma once
#include <string>
#include <string_view>

#include "auth/identity/seal.h"
#include "auth/identity/state.h"
#include "storage/base/random.h"
#include "storage/base/result.h"

namespace outcrop::identity {

std::string entity_key(EntityKind kind, std::string_view name);
std::string inline_key(EntityKind kind, std::string_view name, std::string_view policy);
std::string managed_key(std::string_view name);
std::string access_key_key(std::string_view id);
std::string account_key(std::string_view id);
std::string provider_key(std::string_view name);
/// The record that tells whether the right key is there to open the secrets.
std::string seal_check_key();

std::string encode(const Entity& entity);  ///< without inline policies
std::string encode(const ManagedPolicy& policy);
std::string encode_inline(std::string_view text);
std::string encode(const Account& account);
std::string encode(const Provider& provider);
std::string encode(const AccessKey& key, const SealKey& seal_key, Random& random);

/// Adds a record of the table to `state`. corrupt: a record or key that is none; nothing is added,
/// but an entity whose inline policy is unreadable is marked as such.
Result<void> load_record(std::string_view key,
                         std::string_view value,
                         const SealKey& seal_key,
                         State& state);

}  // namespace outcrop::identity
