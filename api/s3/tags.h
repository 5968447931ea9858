// Tags of objects and buckets: what AWS allows, the two forms they come in (a document, the
// x-amz-tagging header) and the form they are given back in. Pure functions.
// Source: Amazon S3 User Guide, "Categorizing your objects using tags", "User-defined tag
// restrictions".
#pragma once
#include <string>
#include <string_view>

#include "api/s3/error.h"
#include "storage/ns/types.h"

namespace pugi {
class xml_node;
}

namespace outcrop::s3 {

inline constexpr std::size_t kMaxObjectTags = 10;
inline constexpr std::size_t kMaxBucketTags = 50;
inline constexpr std::size_t kMaxTagKey = 128;    ///< UTF-16 code units, as AWS counts them
inline constexpr std::size_t kMaxTagValue = 256;  ///< the same

enum class TagOwner : std::uint8_t { object, bucket };

/// <Tagging><TagSet><Tag><Key/><Value/></Tag>... MalformedXML; InvalidTag for a key or value that
/// is not allowed, or a key that comes twice; BadRequest for too many.
Outcome<ns::StringPairs> parse_tagging(std::string text, TagOwner owner);

/// One <Tag>: key and value, not checked yet.
Outcome<std::pair<std::string, std::string>> parse_tag(const pugi::xml_node& element);
/// By key. The errors of parse_tagging.
Outcome<ns::StringPairs> check_tags(ns::StringPairs tags, TagOwner owner);

/// "key=value&key2=value2", encoded as a query with '+' for a blank. InvalidArgument, InvalidTag,
/// BadRequest.
Outcome<ns::StringPairs> parse_tagging_header(std::string_view text);

/// The inverse of parse_tagging_header.
std::string tagging_header(const ns::StringPairs& tags);

std::string tagging_document(const ns::StringPairs& tags);

}  // namespace outcrop::s3
