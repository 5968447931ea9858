#include "auth/keys/vault.h"

#include <string.h>

#include <algorithm>
#include <array>

#include "auth/policy/principal.h"
#include "storage/base/log.h"
#include "storage/digest/text.h"
#include "storage/meta/tables.h"

namespace outcrop::keys {
namespace {

constexpr std::string_view kManagedPurpose = "outcrop SSE-S3";
constexpr std::size_t kPage = 500;

std::string new_uuid(Random& random) {
  std::array<std::byte, 16> bytes{};
  random.fill(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};  // RFC 9562: version 4
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  std::string text = digest::to_hex(bytes);
  for (const std::size_t at : {20, 16, 12, 8}) {
    text.insert(at, 1, '-');
  }
  return text;
}

KmsKeyPtr default_of(const Vault::Keys& keys) {
  const auto at =
      std::ranges::find_if(keys, [](const auto& entry) { return entry.second->is_default; });
  return at == keys.end() ? nullptr : at->second;
}

Result<KmsKeyPtr> need(const Vault::Keys& keys, std::string_view id) {
  const auto at = keys.find(id);
  if (at == keys.end()) {
    return fail(Errc::not_found, "there is no KMS key " + std::string(id));
  }
  return at->second;
}

}  // namespace

Vault::Vault(Needs needs, const identity::SealKey& seal_key, std::string region)
    : x_needs(std::move(needs)),
      x_seal_key(seal_key),
      x_managed(derive_key(seal_key, kManagedPurpose)),
      x_arn_prefix("arn:aws:kms:" + region + ":" + std::string(policy::kAccount) + ":") {}

Vault::~Vault() {
  explicit_bzero(x_seal_key.data(), x_seal_key.size());
  explicit_bzero(x_managed.data(), x_managed.size());
}

Task<std::unique_ptr<Vault>> Vault::open(Needs needs,
                                         const identity::SealKey& seal_key,
                                         std::string region) {
  std::unique_ptr<Vault> out(new Vault(std::move(needs), seal_key, std::move(region)));
  CO_TRYV(co_await out->load());
  co_return out;
}

Task<> Vault::load() {
  const std::string prefix = kms_record_prefix();
  const meta::SnapshotPtr at = x_needs.meta.snapshot();
  meta::ScanRequest request{.lower = prefix, .upper = meta::prefix_end(prefix), .limit = kPage};
  Keys all;
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await x_needs.meta.scan(request, at));
    for (const meta::KeyValue& record : page.entries) {
      request.lower = record.key + '\0';
      auto key = decode_kms_key(record.key, record.value, x_seal_key);
      std::string id = record.key.substr(prefix.size());
      if (!key) {
        log::error("the record of a KMS key cannot be read: nor can what is sealed with it",
                   {{"key", id}, {"error", key.error().describe()}});
        KmsKey damaged;
        damaged.id = id;
        damaged.enabled = false;
        damaged.damaged = true;
        key = std::move(damaged);
      }
      all.insert_or_assign(std::move(id), std::make_shared<const KmsKey>(*std::move(key)));
    }
    more = page.more && !page.entries.empty();
  }
  publish(std::move(all));
  co_return ok();
}

void Vault::publish(Keys next) {
  auto shared = std::make_shared<const Keys>(std::move(next));
  const std::lock_guard lock(x_mutex);
  x_keys.swap(shared);
}

std::shared_ptr<const Vault::Keys> Vault::keys() const {
  const std::lock_guard lock(x_mutex);
  return x_keys;
}

std::string Vault::arn_of(std::string_view id) const {
  return x_arn_prefix + "key/" + std::string(id);
}

bool Vault::is_default_name(std::string_view name) const {
  return name.empty() || name == kDefaultAlias || name == x_arn_prefix + std::string(kDefaultAlias);
}

Opened<KmsKeyPtr> Vault::find(std::string_view name) const {
  constexpr std::string_view kKey = "key/";
  const bool arn = name.starts_with("arn:");
  if (arn && !name.starts_with(x_arn_prefix)) {
    return std::unexpected(Refusal::unknown_key);
  }
  name.remove_prefix(arn ? x_arn_prefix.size() : 0);
  const auto all = keys();
  KmsKeyPtr found;
  if (name == kDefaultAlias) {
    found = default_of(*all);
  } else if (!arn || name.starts_with(kKey)) {
    const auto at = all->find(name.substr(arn ? kKey.size() : 0));
    found = at == all->end() ? nullptr : at->second;
  }
  if (!found) {
    return std::unexpected(Refusal::unknown_key);
  }
  if (found->damaged) {
    return std::unexpected(Refusal::damaged);
  }
  return found->enabled ? Opened<KmsKeyPtr>(found) : std::unexpected(Refusal::disabled_key);
}

Task<KmsKeyPtr> Vault::default_key() {
  if (KmsKeyPtr found = default_of(*keys())) {
    co_return found;
  }
  const identity::AsyncMutex::Held held = co_await x_changing.acquire();
  if (KmsKeyPtr found = default_of(*keys())) {
    co_return found;
  }
  co_return co_await add(held, new_uuid(x_needs.random), true);
}

Task<KmsKeyPtr> Vault::create(std::string id) {
  if (!id.empty() && !is_key_id(id)) {
    co_return fail(Errc::invalid_argument,
                   "the id of a key has 1 to 256 letters, digits, '/', '_' and '-', and does not "
                   "begin with alias/");
  }
  const identity::AsyncMutex::Held held = co_await x_changing.acquire();
  co_return co_await add(held, id.empty() ? new_uuid(x_needs.random) : std::move(id), false);
}

Task<KmsKeyPtr> Vault::add(const identity::AsyncMutex::Held& /*held*/,
                           std::string id,
                           bool is_default) {
  Keys next = *keys();
  if (next.contains(id)) {
    co_return fail(Errc::conflict, "there is a KMS key " + id + " already");
  }
  if (next.size() >= kMaxKmsKeys) {
    co_return fail(Errc::conflict,
                   "there are " + std::to_string(kMaxKmsKeys) + " KMS keys, the most there may be");
  }
  CO_TRYV(co_await prepare());
  KmsKey key;
  key.id = std::move(id);
  key.is_default = is_default;
  key.created_ns = x_needs.clock.wall_ns();
  x_needs.random.fill(std::as_writable_bytes(std::span(key.secret)));
  CO_TRYV(co_await store(key));
  auto made = std::make_shared<const KmsKey>(std::move(key));
  next.emplace(made->id, made);
  publish(std::move(next));
  co_return made;
}

Task<> Vault::store(const KmsKey& key) {
  meta::Batch batch;
  batch.put(kms_record_key(key.id), encode(key, x_seal_key, x_needs.random));
  co_return co_await x_needs.meta.commit(std::move(batch));
}

Task<KmsKeyPtr> Vault::set_enabled(std::string id, bool enabled) {
  const identity::AsyncMutex::Held held = co_await x_changing.acquire();
  Keys next = *keys();
  CO_TRY(const KmsKeyPtr found, need(next, id));
  if (found->damaged) {
    co_return fail(Errc::conflict, "the record of the key is damaged; it can only be removed");
  }
  if (found->enabled == enabled) {
    co_return found;
  }
  KmsKey changed = *found;
  changed.enabled = enabled;
  CO_TRYV(co_await store(changed));
  auto made = std::make_shared<const KmsKey>(std::move(changed));
  next.insert_or_assign(made->id, made);
  publish(std::move(next));
  co_return made;
}

Task<> Vault::remove(std::string id) {
  const identity::AsyncMutex::Held held = co_await x_changing.acquire();
  Keys next = *keys();
  CO_TRY(const KmsKeyPtr found, need(next, id));
  if (found->enabled) {
    co_return fail(Errc::conflict, "the key is enabled: disable it first, and see what misses it");
  }
  meta::Batch batch;
  batch.erase(kms_record_key(found->id));
  CO_TRYV(co_await x_needs.meta.commit(std::move(batch)));
  next.erase(found->id);
  publish(std::move(next));
  co_return ok();
}

std::string Vault::random_etag() {
  std::array<std::byte, 16> bytes{};
  x_needs.random.fill(bytes);
  return digest::to_hex(bytes);
}

std::string Vault::make_envelope(const EnvelopeHead& head,
                                 const identity::SealKey* with,
                                 const ns::DataKey& data_key) {
  return keys::make_envelope(head, with != nullptr ? *with : x_managed, data_key, x_needs.random);
}

Opened<ns::DataKey> Vault::open(const Envelope& envelope, const identity::SealKey* client) const {
  const auto opened = [&](const identity::SealKey& key, Refusal otherwise) -> Opened<ns::DataKey> {
    auto data_key = open_envelope(envelope, key);
    return data_key ? Opened<ns::DataKey>(*data_key) : std::unexpected(otherwise);
  };
  switch (envelope.head.mode) {
    case Mode::managed:
      return opened(x_managed, Refusal::damaged);
    case Mode::kms: {
      const auto key = find(envelope.head.key_id);
      return key ? opened((*key)->secret, Refusal::damaged) : std::unexpected(key.error());
    }
    case Mode::customer:
      return client == nullptr ? std::unexpected(Refusal::no_client_key)
                               : opened(*client, Refusal::wrong_key);
  }
  return std::unexpected(Refusal::damaged);
}

Result<ns::DataKey> Vault::open(std::string_view envelope) {
  TRY(const Envelope decoded, decode_envelope(envelope));
  auto opened = open(decoded, nullptr);
  if (opened) {
    return *opened;
  }
  if (opened.error() == Refusal::damaged) {
    return fail(Errc::corrupt, "the envelope of a sealed object does not open");
  }
  return fail(Errc::access_denied, "nobody but its client, or no enabled key, opens the object");
}

}  // namespace outcrop::keys
