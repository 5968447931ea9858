// A key of the local key management: what SSE-KMS wraps data keys with, and its record in the
// metadata store (docs/ON_DISK_FORMAT.md).
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "auth/identity/seal.h"
#include "storage/base/random.h"
#include "storage/base/result.h"

namespace outcrop::keys {

/// Immutable once it is shared.
struct KmsKey {
  KmsKey() = default;
  KmsKey(const KmsKey&) = default;
  KmsKey& operator=(const KmsKey&) = default;
  ~KmsKey();  ///< wipes the secret

  std::string id;
  bool enabled = true;
  bool is_default = false;  ///< alias/aws/s3 leads to it
  bool damaged = false;     ///< its record cannot be read: there is no secret
  std::int64_t created_ns = 0;
  identity::SealKey secret{};
};
using KmsKeyPtr = std::shared_ptr<const KmsKey>;

/// What all keys of the record store begin with, and the key of one.
std::string kms_record_prefix();
std::string kms_record_key(std::string_view id);
/// The secret is sealed under the server's seal key, and bound to the id.
std::string encode(const KmsKey& key, const identity::SealKey& seal_key, Random& random);
/// corrupt: no record, or sealed under another key.
Result<KmsKey> decode_kms_key(std::string_view key,
                              std::string_view value,
                              const identity::SealKey& seal_key);

}  // namespace outcrop::keys
