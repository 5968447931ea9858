// PutBucketVersioning, GetBucketVersioning, ListObjectVersions.
#include "api/s3/call.h"
#include "api/s3/listing.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/xml_in.h"

namespace outcrop::s3 {
namespace {

/// No page at all is asked for with max-keys=0; the bucket must be there all the same.
Task<ns::VersionPage> read_versions(Call& call,
                                    const Listing& listing,
                                    std::string after,
                                    std::string_view version) {
  if (listing.max_keys == 0) {
    CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
    co_return ns::VersionPage{};
  }
  co_return co_await call.ns.list_versions(call.bucket(), {.prefix = listing.prefix,
                                                           .delimiter = listing.delimiter,
                                                           .key_marker = std::move(after),
                                                           .version_marker = std::string(version),
                                                           .max_keys = listing.max_keys});
}

void write_version(XmlWriter& xml,
                   const BucketOwner& owner,
                   const Listing& listing,
                   const ns::VersionEntry& version) {
  const ns::ListEntry& entry = version.entry;
  xml.open(version.marker ? "DeleteMarker" : "Version").text("Key", listing.name(entry.key));
  xml.text("VersionId", version.version_id).flag("IsLatest", version.latest);
  xml.text("LastModified", format_iso_date(entry.mtime_ns));
  if (!version.marker) {
    xml.quoted("ETag", entry.etag);
    write_checksum_names(xml, entry);
    xml.number("Size", entry.size);
  }
  write_owner(xml, owner);
  if (!version.marker) {
    xml.text("StorageClass", "STANDARD");
  }
  xml.close();
}

}  // namespace

Answer put_bucket_versioning(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  S3_CO_TRY(const ns::Versioning state, parse_versioning(std::move(text)));
  S3_CO_TRYV(confirm_owner(call));
  S3_CO_TRYV(co_await call.ns.put_versioning(call.bucket(), state));
  co_return empty_response(200);
}

Answer get_bucket_versioning(Call& call) {
  S3_CO_TRY(const ns::BucketInfo bucket, co_await call.ns.get_bucket(call.bucket()));
  XmlWriter xml("VersioningConfiguration");
  if (bucket.versioning != ns::Versioning::off) {
    xml.text("Status", bucket.versioning == ns::Versioning::enabled ? "Enabled" : "Suspended");
  }
  co_return xml_response(std::move(xml).take());
}

Answer list_object_versions(Call& call) {
  S3_CO_TRY(const Listing listing, listing_of(call));
  const std::string key_marker(call.query_or("key-marker", ""));
  const auto id_marker = call.query("version-id-marker");
  if (id_marker && key_marker.empty()) {
    co_return bad_argument("A version-id marker cannot be specified without a key marker.",
                           "version-id-marker", std::string(*id_marker));
  }
  if (id_marker && !id_marker->empty() && !ns::parse_version_id(*id_marker)) {
    co_return bad_argument("Invalid version id specified", "version-id-marker",
                           std::string(*id_marker));
  }
  S3_CO_TRY(const ns::VersionPage page,
            co_await read_versions(call, listing, key_marker, id_marker.value_or("")));
  XmlWriter xml = listing_document("ListVersionsResult", call, listing, page.entries.size());
  xml.text("KeyMarker", listing.name(key_marker)).text("VersionIdMarker", id_marker.value_or(""));
  if (page.truncated) {
    xml.text("NextKeyMarker", listing.name(page.entries.back().entry.key));
    if (!page.next_version_marker.empty()) {
      xml.text("NextVersionIdMarker", page.next_version_marker);
    }
  }
  write_limits(xml, listing, page.truncated);
  const BucketOwner owner = bucket_owner(call);
  for (const ns::VersionEntry& version : page.entries) {
    if (!version.entry.is_prefix) {
      write_version(xml, owner, listing, version);
    }
  }
  for (const ns::VersionEntry& version : page.entries) {
    if (version.entry.is_prefix) {
      write_prefix(xml, listing, version.entry.key);
    }
  }
  co_return xml_response(std::move(xml).take());
}

}  // namespace outcrop::s3
