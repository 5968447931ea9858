// Request documents: whatever comes in, the parsers stay within their bounds, and what they accept
// obeys the rules that handlers rely on.
#include <cstdint>
#include <string>

#include "api/s3/acl.h"
#include "api/s3/cors.h"
#include "api/s3/lifecycle.h"
#include "api/s3/object_lock.h"
#include "api/s3/tags.h"
#include "api/s3/xml_in.h"
#include "auth/target.h"
#include "storage/base/assert.h"

using namespace outcrop;

namespace {

void check_lock_configuration(const std::string& text) {
  if (const auto lock = s3::parse_lock_configuration(text)) {
    OUTCROP_ASSERT(lock->enabled && ns::is_sound(*lock));
    OUTCROP_ASSERT(s3::parse_lock_configuration(s3::lock_configuration_document(*lock)) == *lock);
  }
}

void check_lock(const std::string& text) {
  if (const auto retention = s3::parse_retention(text)) {
    const ns::ObjectLock lock{.retention = *retention};
    OUTCROP_ASSERT(lock.empty() || ns::decode_object_lock(ns::encode(lock)).value() == lock);
  }
  (void)s3::parse_legal_hold(text);
  (void)s3::parse_retain_until(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 11) {
    case 0:
      if (const auto document = s3::parse_delete(text)) {
        OUTCROP_ASSERT(!document->entries.empty());
        OUTCROP_ASSERT(document->entries.size() <= s3::kMaxDeleteKeys);
        for (const s3::DeleteEntry& entry : document->entries) {
          OUTCROP_ASSERT(!entry.key.empty() && auth::check_key(entry.key));
        }
      }
      break;
    case 1:
      if (const auto parts = s3::parse_complete(text, digest::Algorithm::crc32)) {
        OUTCROP_ASSERT(!parts->empty() && parts->size() <= ns::kMaxParts);
        for (const ns::CompletePart& part : *parts) {
          OUTCROP_ASSERT(part.number >= 1 && part.number <= ns::kMaxParts);
          OUTCROP_ASSERT(part.checksum.empty() || part.checksum.size() == 4);
        }
      }
      break;
    case 2:
      if (const auto tags = s3::parse_tagging(text, s3::TagOwner::bucket)) {
        OUTCROP_ASSERT(s3::parse_tagging(s3::tagging_document(*tags), s3::TagOwner::bucket) ==
                       *tags);
      }
      break;
    case 3:
      if (const auto tags = s3::parse_tagging_header(text)) {
        OUTCROP_ASSERT(tags->size() <= s3::kMaxObjectTags);
        OUTCROP_ASSERT(s3::parse_tagging(s3::tagging_document(*tags), s3::TagOwner::object) ==
                       *tags);
      }
      break;
    case 8:
      if (const auto rules = s3::parse_lifecycle(text)) {
        OUTCROP_ASSERT(!rules->empty() && rules->size() <= s3::kMaxLifecycleRules);
        OUTCROP_ASSERT(s3::parse_lifecycle(s3::lifecycle_document(*rules)) == *rules);
      }
      break;
    case 6:
      if (const auto acl = s3::parse_acl(s3::S3Config{}, text, "owner")) {
        OUTCROP_ASSERT(acl->owner == "owner" && acl->grants.size() <= access::kMaxGrants);
        OUTCROP_ASSERT(access::decode_acl(access::encode(*acl)).value() == *acl);
      }
      break;
    case 7:
      (void)s3::parse_ownership(text);
      break;
    case 4:
      if (const auto rules = s3::parse_cors(text)) {
        OUTCROP_ASSERT(!rules->empty() && rules->size() <= s3::kMaxCorsRules);
        OUTCROP_ASSERT(s3::parse_cors(s3::cors_document(*rules)) == *rules);
      }
      break;
    case 9:
      check_lock_configuration(text);
      break;
    case 10:
      check_lock(text);
      break;
    default:
      (void)s3::parse_create_bucket(text);
      break;
  }
  return 0;
}
