// Listings: ListObjects, ListObjectsV2. One page of the namespace each.
#include "api/s3/call.h"
#include "api/s3/list_token.h"
#include "api/s3/listing.h"
#include "api/s3/ops.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

/// No page at all is asked for with max-keys=0; the bucket must be there all the same.
Task<ns::ListPage> read_page(Call& call, const Listing& listing, std::string after) {
  if (listing.max_keys == 0) {
    CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
    co_return ns::ListPage{};
  }
  co_return co_await call.ns.list(call.bucket(), listing.page_after(std::move(after)));
}

void write_entries(XmlWriter& xml,
                   const Call& call,
                   const Listing& listing,
                   const ns::ListPage& page,
                   bool with_owner) {
  const BucketOwner owner = with_owner ? bucket_owner(call) : BucketOwner{};
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
      write_owner(xml, owner);
    }
    xml.text("StorageClass", "STANDARD").close();
  }
}

void write_prefixes(XmlWriter& xml, const Listing& listing, const ns::ListPage& page) {
  for (const ns::ListEntry& entry : page.entries) {
    if (entry.is_prefix) {
      write_prefix(xml, listing, entry.key);
    }
  }
}

}  // namespace

Answer list_objects(Call& call) {
  S3_CO_TRY(const Listing listing, listing_of(call));
  const std::string marker(call.query_or("marker", ""));
  S3_CO_TRY(const ns::ListPage page, co_await read_page(call, listing, marker));
  XmlWriter xml = listing_document("ListBucketResult", call, listing, page.entries.size());
  xml.text("Marker", listing.name(marker));
  if (page.truncated && !listing.delimiter.empty()) {
    xml.text("NextMarker", listing.name(page.entries.back().key));
  }
  write_limits(xml, listing, page.truncated);
  write_entries(xml, call, listing, page, true);
  write_prefixes(xml, listing, page);
  co_return xml_response(std::move(xml).take());
}

Answer list_objects_v2(Call& call) {
  S3_CO_TRY(const Listing listing, listing_of(call));
  const auto token = call.query("continuation-token");
  const std::string_view start_after = call.query_or("start-after", "");
  S3_CO_TRY(std::string after, decode_token(token.value_or("")));
  if (after.empty()) {
    after = start_after;
  }
  S3_CO_TRY(const ns::ListPage page, co_await read_page(call, listing, std::move(after)));
  XmlWriter xml = listing_document("ListBucketResult", call, listing, page.entries.size());
  listing.optional(xml, "StartAfter", start_after);
  if (token) {
    xml.text("ContinuationToken", *token);
  }
  if (page.truncated) {
    xml.text("NextContinuationToken", encode_token(page.entries.back().key));
  }
  xml.number("KeyCount", page.entries.size());
  write_limits(xml, listing, page.truncated);
  write_entries(xml, call, listing, page, call.query_or("fetch-owner", "") == "true");
  write_prefixes(xml, listing, page);
  co_return xml_response(std::move(xml).take());
}

}  // namespace outcrop::s3
