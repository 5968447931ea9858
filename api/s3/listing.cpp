#include "api/s3/listing.h"

#include <algorithm>

#include "api/s3/acl.h"
#include "auth/uri.h"
#include "storage/digest/digest.h"

namespace outcrop::s3 {
namespace {
constexpr std::size_t kBytesPerEntry = 320;  ///< of XML, to reserve a page at once
}  // namespace

std::string Listing::name(std::string_view raw) const {
  if (!url) {
    return std::string(raw);
  }
  std::string out;
  auth::uri_encode(raw, auth::Slash::keep, out);
  return out;
}

Outcome<Listing> listing_of(const Call& call) {
  Listing out;
  out.prefix = call.query_or("prefix", "");
  out.delimiter = call.query_or("delimiter", "");
  S3_TRY(const std::uint64_t most,
         number_argument("max-keys", call.query("max-keys"), ns::kMaxListKeys));
  out.max_keys = static_cast<std::size_t>(std::min<std::uint64_t>(most, ns::kMaxListKeys));
  S3_TRY(out.url, url_encoding(call));
  return out;
}

BucketOwner bucket_owner(const Call& call) {
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  BucketOwner out{std::string(call.asker.owner_of(access.get())), {}};
  out.name = People{call.config}.name_of(out.id).value_or("");
  return out;
}

void write_owner(XmlWriter& xml, const BucketOwner& owner) {
  xml.open("Owner").text("ID", owner.id).text("DisplayName", owner.name).close();
}

void write_checksum_names(XmlWriter& xml, const ns::ListEntry& entry) {
  if (entry.checksum_algorithm != digest::Algorithm::none) {
    xml.text("ChecksumAlgorithm", digest::name(entry.checksum_algorithm));
    xml.text("ChecksumType",
             entry.checksum_type == digest::ChecksumType::composite ? "COMPOSITE" : "FULL_OBJECT");
  }
}

XmlWriter listing_document(std::string_view root,
                           const Call& call,
                           const Listing& listing,
                           std::size_t entries) {
  XmlWriter xml(root);
  xml.reserve(1024 + entries * kBytesPerEntry);
  xml.text("Name", call.bucket());
  xml.text("Prefix", call.rgw() ? listing.prefix : listing.name(listing.prefix));
  return xml;
}

void write_limits(XmlWriter& xml, const Listing& listing, bool truncated) {
  xml.number("MaxKeys", listing.max_keys);
  listing.optional(xml, "Delimiter", listing.delimiter);
  if (listing.url) {
    xml.text("EncodingType", "url");
  }
  xml.flag("IsTruncated", truncated);
}

void write_prefix(XmlWriter& xml, const Listing& listing, std::string_view prefix) {
  xml.open("CommonPrefixes").text("Prefix", listing.name(prefix)).close();
}

}  // namespace outcrop::s3
