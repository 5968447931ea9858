// What all listings of keys ask for, and how they write names.
#pragma once
#include <string>
#include <string_view>

#include "api/s3/call.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {

struct Listing {
  std::string prefix, delimiter;
  std::size_t max_keys = ns::kMaxListKeys;
  bool url = false;

  std::string name(std::string_view raw) const;
  void optional(XmlWriter& xml, std::string_view tag, std::string_view value) const {
    if (!value.empty()) {
      xml.text(tag, name(value));
    }
  }
  ns::ListRequest page_after(std::string after) const {
    return {prefix, delimiter, std::move(after), max_keys};
  }
};

/// prefix, delimiter, max-keys, encoding-type.
Outcome<Listing> listing_of(const Call& call);
/// Begun, with what stands first in every listing.
XmlWriter listing_document(std::string_view root,
                           const Call& call,
                           const Listing& listing,
                           std::size_t entries);
void write_limits(XmlWriter& xml, const Listing& listing, bool truncated);
/// Of the bucket: whose each object is stands in its record only. Looked up once for a listing.
struct BucketOwner {
  std::string id, name;
};
BucketOwner bucket_owner(const Call& call);
void write_owner(XmlWriter& xml, const BucketOwner& owner);
void write_checksum_names(XmlWriter& xml, const ns::ListEntry& entry);
void write_prefix(XmlWriter& xml, const Listing& listing, std::string_view prefix);

}  // namespace outcrop::s3
