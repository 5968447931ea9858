// The envelope of a sealed object: who has the key to it, and the object's data key, sealed under
// that key and bound to everything else that the envelope says. storage/ns keeps it with the object
// and does not look into it. Pure functions; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/identity/seal.h"
#include "storage/base/random.h"
#include "storage/base/result.h"
#include "storage/ns/data_key.h"

namespace outcrop::keys {

/// Who has the key. The values are those of the records.
enum class Mode : std::uint8_t {
  managed = 1,   ///< SSE-S3: the server
  kms = 2,       ///< SSE-KMS: a named key of the server
  customer = 3,  ///< SSE-C: the client, who sends it with each request
};

inline constexpr std::size_t kMaxKeyId = 256;          ///< as of an alias of AWS KMS
inline constexpr std::size_t kMaxContextBytes = 1024;  ///< the encryption context, base64
inline constexpr std::size_t kKeyMd5Bytes = 16;

/// 1-256 letters, digits, '/', '_' and '-', and nothing that reads like an alias.
bool is_key_id(std::string_view text);

/// What an envelope says beside the data key.
struct EnvelopeHead {
  Mode mode = Mode::managed;
  // Of kms alone.
  std::string key_id{};
  bool by_arn = false;      ///< clients hear of the key by its ARN, else by its id
  bool bucket_key = false;  ///< S3 Bucket Keys were asked for; given back, without effect
  std::string context{};    ///< the encryption context, base64 of JSON as it came; often empty
  // Of customer alone.
  std::string key_md5{};  ///< raw, of the client's key
  bool operator==(const EnvelopeHead&) const = default;
};

struct Envelope {
  EnvelopeHead head;
  std::string wrapped;  ///< the data key, sealed
};

/// `head` is canonical: it has what its mode has and nothing else, within the limits.
std::string make_envelope(const EnvelopeHead& head,
                          const identity::SealKey& key,
                          const ns::DataKey& data_key,
                          Random& random);
/// The bytes that decode_envelope() read.
std::string encode(const Envelope& envelope);
/// corrupt: it is no envelope.
Result<Envelope> decode_envelope(std::string_view text);
/// corrupt: another key, or altered.
Result<ns::DataKey> open_envelope(const Envelope& envelope, const identity::SealKey& key);

/// Stands for the MD5 of a payload that nobody is to guess, 32 hex digits: the same for the same
/// payload under the same data key, so that a part that is sent again has the ETag it had.
std::string hidden_md5(const ns::DataKey& data_key, std::string_view md5);

/// HKDF-SHA256 (RFC 5869) without salt: a key of its own for each purpose.
identity::SealKey derive_key(const identity::SealKey& from, std::string_view purpose);

}  // namespace outcrop::keys
