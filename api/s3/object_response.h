// An object as response headers and body: shared by GET, HEAD, PUT, copy and multipart.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "api/s3/call.h"
#include "storage/ns/namespace.h"

namespace outcrop::s3 {

/// ETag, Last-Modified, Content-Type, what was stored with the object, and signed overrides.
Outcome<> add_object_headers(const Call& call,
                             const ns::ObjectInfo& info,
                             http::Response& response);

/// x-amz-expiration, if a lifecycle rule ends the call's object.
void add_expiration(const Call& call, const ns::ObjectInfo& info, http::Response& response);

/// "COMPOSITE" or "FULL_OBJECT".
std::string_view type_name(digest::ChecksumType type);
/// base64, with "-N" for a checksum of N parts' checksums.
std::string checksum_text(const digest::Checksum& checksum, std::size_t parts);
/// x-amz-checksum-* and x-amz-checksum-type; nothing without a checksum.
void add_checksum(http::Response& response, const digest::Checksum& checksum, std::size_t parts);

/// The URL of the call's object, by path.
std::string object_location(const Call& call);

/// Streams what the reader's range holds.
std::unique_ptr<http::BodySource> object_body(std::unique_ptr<ns::ObjectReader> reader,
                                              ns::ByteRange range);

}  // namespace outcrop::s3
