// Listings: ListObjects, ListObjectsV2, ListObjectVersions. One page of the namespace each.
#include <algorithm>

#include "api/s3/call.h"
#include "api/s3/list_token.h"
#include "api/s3/ops.h"
#include "api/s3/xml_out.h"
#include "auth/uri.h"
#include "storage/digest/digest.h"

namespace outcrop::s3 {
namespace {

constexpr std::size_t kBytesPerEntry = 320;  ///< of XML, to reserve a page at once

/// What all three listings ask for, and how they write names.
struct Listing {
  std::string prefix, delimiter;
  std::size_t max_keys = ns::kMaxListKeys;
  bool url = false;

  std::string name(std::string_view raw) const {
    if (!url) {
      return std::string(raw);
    }
    std::string out;
    auth::uri_encode(raw, auth::Slash::keep, out);
    return out;
  }
  void optional(XmlWriter& xml, std::string_view tag, std::string_view value) const {
    if (!value.empty()) {
      xml.text(tag, name(value));
    }
  }
  ns::ListRequest page_after(std::string after) const {
    return {prefix, delimiter, std::move(after), max_keys};
  }
};

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

/// No page at all is asked for with max-keys=0; the bucket must be there all the same.
Task<ns::ListPage> read_page(Call& call, const Listing& listing, std::string after) {
  if (listing.max_keys == 0) {
    CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
    co_return ns::ListPage{};
  }
  co_return co_await call.ns.list(call.bucket(), listing.page_after(std::move(after)));
}

void write_owner(XmlWriter& xml, const S3Config& config) {
  xml.open("Owner").text("ID", config.owner_id).text("DisplayName", config.owner_name).close();
}

void write_checksum_names(XmlWriter& xml, const ns::ListEntry& entry) {
  if (entry.checksum_algorithm != digest::Algorithm::none) {
    xml.text("ChecksumAlgorithm", digest::name(entry.checksum_algorithm));
    xml.text("ChecksumType",
             entry.checksum_type == digest::ChecksumType::composite ? "COMPOSITE" : "FULL_OBJECT");
  }
}

void write_entries(XmlWriter& xml,
                   const Call& call,
                   const Listing& listing,
                   const ns::ListPage& page,
                   bool with_owner) {
  for (const ns::ListEntry& entry : page.entries) {
    if (entry.is_prefix) {
      continue;
    }
    xml.open("Contents").text("Key", listing.name(entry.key));
    xml.text("LastModified", format_iso_date(entry.mtime_ns));
    xml.quoted("ETag", entry.etag);
    write_checksum_names(xml, entry);
    xml.number("Size", entry.size);
    if (with_owner) {
      write_owner(xml, call.config);
    }
    xml.text("StorageClass", "STANDARD").close();
  }
}

void write_prefixes(XmlWriter& xml, const Listing& listing, const ns::ListPage& page) {
  for (const ns::ListEntry& entry : page.entries) {
    if (entry.is_prefix) {
      xml.open("CommonPrefixes").text("Prefix", listing.name(entry.key)).close();
    }
  }
}

XmlWriter listing_document(std::string_view root,
                           const Call& call,
                           const Listing& listing,
                           const ns::ListPage& page) {
  XmlWriter xml(root);
  xml.reserve(1024 + page.entries.size() * kBytesPerEntry);
  xml.text("Name", call.bucket()).text("Prefix", listing.name(listing.prefix));
  return xml;
}

void write_limits(XmlWriter& xml, const Listing& listing, const ns::ListPage& page) {
  xml.number("MaxKeys", listing.max_keys);
  listing.optional(xml, "Delimiter", listing.delimiter);
  if (listing.url) {
    xml.text("EncodingType", "url");
  }
  xml.flag("IsTruncated", page.truncated);
}

}  // namespace

Answer list_objects(Call& call) {
  S3_CO_TRY(const Listing listing, listing_of(call));
  const std::string marker(call.query_or("marker", ""));
  S3_CO_TRY(const ns::ListPage page, co_await read_page(call, listing, marker));
  XmlWriter xml = listing_document("ListBucketResult", call, listing, page);
  xml.text("Marker", listing.name(marker));
  if (page.truncated && !listing.delimiter.empty()) {
    xml.text("NextMarker", listing.name(page.entries.back().key));
  }
  write_limits(xml, listing, page);
  write_entries(xml, call, listing, page, true);
  write_prefixes(xml, listing, page);
  co_return xml_response(std::move(xml).take());
}

Answer list_objects_v2(Call& call) {
  S3_CO_TRY(const Listing listing, listing_of(call));
  const auto token = call.query("continuation-token");
  if (token && token->empty()) {
    co_return bad_argument("The continuation token provided is incorrect", "continuation-token",
                           "");
  }
  const std::string_view start_after = call.query_or("start-after", "");
  S3_CO_TRY(std::string after, decode_token(token.value_or("")));
  if (!token) {
    after = start_after;
  }
  S3_CO_TRY(const ns::ListPage page, co_await read_page(call, listing, std::move(after)));
  XmlWriter xml = listing_document("ListBucketResult", call, listing, page);
  listing.optional(xml, "StartAfter", start_after);
  if (token) {
    xml.text("ContinuationToken", *token);
  }
  if (page.truncated) {
    xml.text("NextContinuationToken", encode_token(page.entries.back().key));
  }
  xml.number("KeyCount", page.entries.size());
  write_limits(xml, listing, page);
  write_entries(xml, call, listing, page, call.query_or("fetch-owner", "") == "true");
  write_prefixes(xml, listing, page);
  co_return xml_response(std::move(xml).take());
}

Answer list_object_versions(Call& call) {
  S3_CO_TRY(const Listing listing, listing_of(call));
  const std::string key_marker(call.query_or("key-marker", ""));
  const std::string_view id_marker = call.query_or("version-id-marker", "");
  if (!id_marker.empty() && key_marker.empty()) {
    co_return bad_argument("A version-id marker cannot be specified without a key marker.",
                           "version-id-marker", std::string(id_marker));
  }
  S3_CO_TRY(const ns::ListPage page, co_await read_page(call, listing, key_marker));
  XmlWriter xml = listing_document("ListVersionsResult", call, listing, page);
  xml.text("KeyMarker", listing.name(key_marker)).text("VersionIdMarker", id_marker);
  if (page.truncated) {
    const ns::ListEntry& last = page.entries.back();
    xml.text("NextKeyMarker", listing.name(last.key));
    if (!last.is_prefix) {
      xml.text("NextVersionIdMarker", "null");
    }
  }
  write_limits(xml, listing, page);
  for (const ns::ListEntry& entry : page.entries) {
    if (entry.is_prefix) {
      continue;
    }
    xml.open("Version").text("Key", listing.name(entry.key)).text("VersionId", "null");
    xml.flag("IsLatest", true).text("LastModified", format_iso_date(entry.mtime_ns));
    xml.quoted("ETag", entry.etag);
    write_checksum_names(xml, entry);
    xml.number("Size", entry.size);
    write_owner(xml, call.config);
    xml.text("StorageClass", "STANDARD").close();
  }
  write_prefixes(xml, listing, page);
  co_return xml_response(std::move(xml).take());
}

}  // namespace outcrop::s3
