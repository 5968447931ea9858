#include "auth/keys/kms_key.h"

#include <string.h>

#include <algorithm>

#include "auth/keys/envelope.h"
#include "storage/base/codec.h"
#include "storage/meta/tables.h"

namespace outcrop::keys {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr char kLetter = 'y';  // in table k, beside the identities
constexpr std::uint8_t kEnabled = 1, kDefault = 2, kAllFlags = kEnabled | kDefault;
constexpr std::size_t kMaxSealed = 256;

std::string purpose(std::string_view id) { return "kms key " + std::string(id); }

}  // namespace

KmsKey::~KmsKey() { explicit_bzero(secret.data(), secret.size()); }

std::string kms_record_prefix() {
  return meta::table_key(meta::Table::identity, std::string_view(&kLetter, 1));
}
std::string kms_record_key(std::string_view id) { return kms_record_prefix().append(id); }

std::string encode(const KmsKey& key, const identity::SealKey& seal_key, Random& random) {
  const std::string_view secret(reinterpret_cast<const char*>(key.secret.data()),
                                key.secret.size());
  Writer w;
  w.u8(kVersion);
  w.u8(static_cast<std::uint8_t>((key.enabled ? kEnabled : 0) | (key.is_default ? kDefault : 0)));
  w.u64(static_cast<std::uint64_t>(key.created_ns));
  w.str(identity::seal(seal_key, purpose(key.id), secret, random));
  return std::move(w).take();
}

Result<KmsKey> decode_kms_key(std::string_view key,
                              std::string_view value,
                              const identity::SealKey& seal_key) {
  const std::string prefix = kms_record_prefix();
  Reader r(value);
  KmsKey out;
  const std::uint8_t version = r.u8();
  const std::uint8_t flags = r.u8();
  out.enabled = (flags & kEnabled) != 0;
  out.is_default = (flags & kDefault) != 0;
  out.created_ns = static_cast<std::int64_t>(r.u64());
  const std::string_view sealed = r.str(kMaxSealed);
  if (!key.starts_with(prefix) || !is_key_id(key.substr(prefix.size())) || !r.done() ||
      version != kVersion || (flags & ~kAllFlags) != 0) {
    return fail(Errc::corrupt, "the record of a KMS key is malformed");
  }
  out.id = key.substr(prefix.size());
  TRY(std::string secret, identity::unseal(seal_key, purpose(out.id), sealed));
  if (secret.size() != out.secret.size()) {
    return fail(Errc::corrupt, "the secret of a KMS key has another length");
  }
  std::ranges::copy(secret, out.secret.begin());
  explicit_bzero(secret.data(), secret.size());
  return out;
}

}  // namespace outcrop::keys
