#include "server/identity_parts.h"

#include <filesystem>

#include "server/oidc.h"
#include "server/seal_key.h"

namespace outcrop::server {
namespace {

/// The key file is made only where nothing was ever sealed.
Result<SealKeyBytes> seal_key(const IdentityNeeds& needs) {
  const Config& config = needs.config;
  const std::filesystem::path file = config.key_file.empty()
                                         ? std::filesystem::path(config.state_dir) / "seal-key"
                                         : std::filesystem::path(config.key_file);
  TRY(const std::optional<SealKeyBytes> key, read_seal_key(file));
  if (key) {
    return *key;
  }
  TRY(const bool sealed,
      needs.runtime.run_on(0, identity::IdentityStore::is_set_up(needs.store.meta())));
  if (sealed) {
    return fail(Errc::config, "auth.key_file: " + file.string() +
                                  " is missing, and access keys and encrypted objects are sealed "
                                  "with it; put it back");
  }
  return make_seal_key(file, needs.random);
}

}  // namespace

Result<IdentityParts> open_identities(IdentityNeeds needs) {
  Runtime& runtime = needs.runtime;
  meta::MetaStore& meta = needs.store.meta();
  IdentityParts out;
  TRY(const SealKeyBytes key, seal_key(needs));
  TRY(const std::vector<ns::BucketInfo> buckets,
      runtime.run_on(0, needs.store.ns().list_buckets()));
  access::BucketRoots roots;
  for (const ns::BucketInfo& bucket : buckets) {
    roots.emplace_back(bucket.name, bucket.root);
  }
  const policy::PublicAccessBlock block =
      needs.config.block_public_access ? policy::kBlockAll : policy::PublicAccessBlock{};
  TRY(out.access, runtime.run_on(0, access::AccessTable::open(meta, roots, block)));
  TRY(out.settings, runtime.run_on(0, s3::SettingsTable::open(meta, roots)));
  TRY(out.identities, runtime.run_on(0, identity::IdentityStore::open(
                                            {.meta = meta,
                                             .clock = needs.clock,
                                             .random = needs.random,
                                             .providers = configured_providers(needs.config),
                                             .plain_http = needs.config.oidc_plain_http},
                                            key, needs.root)));
  identity::IdentityStore* const identities = out.identities.get();
  TRY(out.vault,
      runtime.run_on(0, keys::Vault::open(
                            {.meta = meta,
                             .clock = needs.clock,
                             .random = needs.random,
                             .note_seal_key = [identities] { return identities->note_seal_key(); }},
                            key, needs.config.region)));
  return out;
}

}  // namespace outcrop::server
