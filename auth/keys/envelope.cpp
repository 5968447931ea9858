#include "auth/keys/envelope.h"

#include <string.h>

#include <algorithm>

#include "auth/crypto.h"
#include "storage/base/assert.h"
#include "storage/base/codec.h"

namespace outcrop::keys {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kByArn = 1, kBucketKey = 2, kAllFlags = kByArn | kBucketKey;
// Version, nonce and tag of auth/identity/seal.h around the data key.
constexpr std::size_t kWrappedBytes = 1 + 12 + ns::DataKey::kBytes + 16;

std::string encode_head(const EnvelopeHead& head) {
  Writer w;
  w.u8(kVersion);
  w.u8(static_cast<std::uint8_t>(head.mode));
  switch (head.mode) {
    case Mode::managed:
      break;
    case Mode::kms:
      w.u8(static_cast<std::uint8_t>((head.by_arn ? kByArn : 0) |
                                     (head.bucket_key ? kBucketKey : 0)));
      w.str(head.key_id);
      w.str(head.context);
      break;
    case Mode::customer:
      w.bytes(head.key_md5);
      break;
  }
  return std::move(w).take();
}

/// What the data key's seal is bound to; no other secret is sealed under such a name.
std::string binding(const EnvelopeHead& head) { return "envelope " + encode_head(head); }

void read_kms(Reader& r, EnvelopeHead& head) {
  const std::uint8_t flags = r.u8();
  head.by_arn = (flags & kByArn) != 0;
  head.bucket_key = (flags & kBucketKey) != 0;
  head.key_id = r.str(kMaxKeyId);
  head.context = r.str(kMaxContextBytes);
  if ((flags & ~kAllFlags) != 0 || !is_key_id(head.key_id)) {
    r.fail();
  }
}

std::string_view text_of(const identity::SealKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

}  // namespace

bool is_key_id(std::string_view text) {
  constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/_-";
  return !text.empty() && text.size() <= kMaxKeyId && !text.starts_with("alias/") &&
         text.find_first_not_of(kLetters) == text.npos;
}

std::string make_envelope(const EnvelopeHead& head,
                          const identity::SealKey& key,
                          const ns::DataKey& data_key,
                          Random& random) {
  OUTCROP_ASSERT(head.mode != Mode::kms ||
                 (is_key_id(head.key_id) && head.context.size() <= kMaxContextBytes));
  OUTCROP_ASSERT(head.mode != Mode::customer || head.key_md5.size() == kKeyMd5Bytes);
  return encode_head(head) + identity::seal(key, binding(head), as_text(data_key.bytes()), random);
}

std::string encode(const Envelope& envelope) {
  return encode_head(envelope.head) + envelope.wrapped;
}

Result<Envelope> decode_envelope(std::string_view text) {
  Reader r(text);
  Envelope out;
  const std::uint8_t version = r.u8();
  const std::uint8_t mode = r.u8();
  out.head.mode = static_cast<Mode>(mode);
  switch (out.head.mode) {
    case Mode::managed:
      break;
    case Mode::kms:
      read_kms(r, out.head);
      break;
    case Mode::customer:
      out.head.key_md5 = as_text(r.take(kKeyMd5Bytes));
      break;
    default:
      r.fail();
  }
  out.wrapped = as_text(r.take(kWrappedBytes));
  if (!r.done() || version != kVersion) {
    return fail(Errc::corrupt, "the envelope of a sealed object is malformed");
  }
  return out;
}

Result<ns::DataKey> open_envelope(const Envelope& envelope, const identity::SealKey& key) {
  TRY(std::string raw, identity::unseal(key, binding(envelope.head), envelope.wrapped));
  OUTCROP_ASSERT(raw.size() == ns::DataKey::kBytes);
  const ns::DataKey out(as_bytes(raw).first<ns::DataKey::kBytes>());
  explicit_bzero(raw.data(), raw.size());
  return out;
}

std::string hidden_md5(const ns::DataKey& data_key, std::string_view md5) {
  constexpr std::size_t kHexDigits = 32;
  const auth::HmacKey key(as_text(data_key.bytes()));
  return auth::to_hex(key.sign("etag " + std::string(md5))).substr(0, kHexDigits);
}

identity::SealKey derive_key(const identity::SealKey& from, std::string_view purpose) {
  const auth::Digest no_salt{};
  const auth::HmacKey extracted(auth::HmacKey(no_salt).sign(text_of(from)));
  return extracted.sign(std::string(purpose) + '\x01');
}

}  // namespace outcrop::keys
