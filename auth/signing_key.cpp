#include "auth/signing_key.h"

#include <functional>

namespace outcrop::auth {

SigningKey derive_signing_key(std::string_view secret,
                              std::string_view date,
                              std::string_view region,
                              std::string_view service) {
  std::string start("AWS4");
  start.append(secret);
  const Digest day = HmacKey(start).sign(date);
  const Digest place = HmacKey(day).sign(region);
  const Digest of_service = HmacKey(place).sign(service);
  SigningKey key;
  key.bytes = HmacKey(of_service).sign("aws4_request");
  key.hmac = HmacKey(key.bytes);
  return key;
}

std::size_t SigningKeyCache::slot_of(const SigningKeyId& id) {
  const std::hash<std::string_view> hash;
  return (hash(id.access_key) + 31 * hash(id.date) + 961 * hash(id.region)) % kSlots;
}

const SigningKey* SigningKeyCache::find(const SigningKeyId& id) const {
  const std::optional<Slot>& slot = x_slots[slot_of(id)];
  const bool hit = slot && slot->access_key == id.access_key && slot->date == id.date &&
                   slot->region == id.region && equal_constant_time(slot->secret, id.secret);
  return hit ? &slot->key : nullptr;
}

void SigningKeyCache::insert(const SigningKeyId& id, const SigningKey& key) {
  x_slots[slot_of(id)] = Slot{std::string(id.access_key), std::string(id.secret),
                              std::string(id.date), std::string(id.region), key};
}

}  // namespace outcrop::auth
