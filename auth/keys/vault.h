// All keys that the server has for sealed objects: its own for SSE-S3, which follows from the seal
// key, and the named ones of SSE-KMS, in the metadata store and as one snapshot in memory. It opens
// envelopes, for S3 with what the client sent, for file clients (KeyRing) without. Reads never
// wait; a change is durable, and seen by every worker, when it returns ok. Any thread.
#pragma once
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "auth/identity/async_mutex.h"
#include "auth/keys/envelope.h"
#include "auth/keys/kms_key.h"
#include "storage/base/clock.h"
#include "storage/meta/meta_store.h"
#include "storage/ns/key_ring.h"

namespace outcrop::keys {

inline constexpr std::size_t kMaxKmsKeys = 1000;
/// What the key is called that SSE-KMS takes if none is named.
inline constexpr std::string_view kDefaultAlias = "alias/aws/s3";

/// Why a key or an envelope is of no use.
enum class Refusal : std::uint8_t {
  unknown_key,    ///< there is no such KMS key
  disabled_key,   ///< it is disabled
  no_client_key,  ///< only the client has it, and sent none
  wrong_key,      ///< the client sent another
  damaged,        ///< the record or envelope, or it is of another server
};
template <class T>
using Opened = std::expected<T, Refusal>;

class Vault final : public ns::KeyRing {
 public:
  struct Needs {
    meta::MetaStore& meta;
    const Clock& clock;
    Random& random;
    /// Makes durable what tells this seal key from another, before anything is sealed with it; as
    /// good as free after the first time.
    std::function<Task<>()> note_seal_key;
  };
  using Keys = std::map<std::string, KmsKeyPtr, std::less<>>;

  /// Records that cannot be read are logged; what was sealed with these keys cannot be opened.
  static Task<std::unique_ptr<Vault>> open(Needs needs,
                                           const identity::SealKey& seal_key,
                                           std::string region);
  ~Vault() override;

  std::shared_ptr<const Keys> keys() const;
  /// By id, by "arn:aws:kms:REGION:000000000000:key/ID", or the default key by its alias (bare, or
  /// as ARN) if it exists; enabled.
  Opened<KmsKeyPtr> find(std::string_view name) const;
  std::string arn_of(std::string_view id) const;
  /// No name, the alias, or the alias as ARN.
  bool is_default_name(std::string_view name) const;
  /// The default key, made if there is none. What it gives may be disabled.
  Task<KmsKeyPtr> default_key();

  // Changes. Errors: invalid_argument, conflict, not_found (the detail is for the client), and what
  // the store says.
  Task<KmsKeyPtr> create(std::string id);  ///< empty: a new UUID
  Task<KmsKeyPtr> set_enabled(std::string id, bool enabled);
  /// conflict unless it is disabled. What is sealed with it can never be read again.
  Task<> remove(std::string id);

  /// To be awaited before an envelope is made that is to be kept.
  Task<> prepare() { return x_needs.note_seal_key(); }
  ns::DataKey new_data_key() { return ns::DataKey::make(x_needs.random); }
  std::string random_etag();  ///< like that of an object whose MD5 nobody is told
  /// `with`: the secret of the KMS key or the client's key; null for SSE-S3.
  std::string make_envelope(const EnvelopeHead& head,
                            const identity::SealKey* with,
                            const ns::DataKey& data_key);
  /// `client`: the client's key, if it sent one.
  Opened<ns::DataKey> open(const Envelope& envelope, const identity::SealKey* client) const;
  /// For file clients.
  Result<ns::DataKey> open(std::string_view envelope) override;

 private:
  Vault(Needs needs, const identity::SealKey& seal_key, std::string region);
  Task<> load();
  Task<KmsKeyPtr> add(const identity::AsyncMutex::Held& held, std::string id, bool is_default);
  Task<> store(const KmsKey& key);
  void publish(Keys next);

  const Needs x_needs;
  identity::SealKey x_seal_key, x_managed;
  const std::string x_arn_prefix;  ///< "arn:aws:kms:REGION:000000000000:"
  identity::AsyncMutex x_changing;
  mutable std::mutex x_mutex;
  std::shared_ptr<const Keys> x_keys = std::make_shared<const Keys>();
};

}  // namespace outcrop::keys
