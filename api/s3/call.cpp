#include "api/s3/call.h"

#include <algorithm>
#include <array>
#include <limits>

#include "api/s3/file_metadata.h"
#include "api/s3/tags.h"

namespace outcrop::s3 {
namespace {

constexpr std::array<std::string_view, 6> kStoredHeaders{
    "cache-control",    "content-disposition",
    "content-encoding", "content-language",
    "expires",          "x-amz-website-redirect-location"};

/// x-amz-meta-* of the request, names without the prefix, repeated ones joined as AWS does.
Outcome<ns::StringPairs> user_metadata(const Call& call) {
  ns::StringPairs out;
  std::size_t bytes = 0;
  const auto add = [&](const http::Header& h) {
    if (!h.name.starts_with(kMetaPrefix)) {
      return;
    }
    const std::string_view name = std::string_view(h.name).substr(kMetaPrefix.size());
    bytes += h.value.size();
    const auto at = std::ranges::find(out, name, &ns::StringPairs::value_type::first);
    if (at != out.end()) {
      at->second.append(",").append(h.value);
      bytes += 1;
    } else {
      bytes += name.size();
      out.emplace_back(name, h.value);
    }
  };
  std::ranges::for_each(call.request.headers, add);
  std::ranges::for_each(call.hoisted, add);
  if (bytes > kMaxUserMetadataBytes) {
    return fail(Code::metadata_too_large, {},
                {{"Size", std::to_string(bytes)},
                 {"MaxSizeAllowed", std::to_string(kMaxUserMetadataBytes)}});
  }
  for (const auto& [name, value] : out) {
    if (name.empty() || !valid_header_value(name) || !valid_header_value(value)) {
      return bad_argument("The metadata name or value is not valid.", "x-amz-meta-" + name, value);
    }
  }
  return out;
}

std::optional<std::int64_t> date_of(const Call& call, std::string_view name) {
  const auto text = call.header(name);
  return text ? parse_http_date(*text) : std::nullopt;
}

std::optional<std::string> text_of(const Call& call, std::string_view name) {
  const auto text = call.header(name);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

}  // namespace

Outcome<std::uint64_t> number_argument(std::string_view name,
                                       std::optional<std::string_view> text,
                                       std::uint64_t otherwise) {
  if (!text || text->empty()) {
    return otherwise;
  }
  const auto value = parse_number(*text);
  if (!value || *value > std::numeric_limits<std::int32_t>::max()) {
    return bad_argument("Provided " + std::string(name) + " not an integer or within integer range",
                        std::string(name), std::string(*text));
  }
  return *value;
}

Outcome<bool> url_encoding(const Call& call) {
  const auto type = call.query("encoding-type");
  if (!type || type->empty()) {
    return false;
  }
  if (*type != "url") {
    return bad_argument("Invalid Encoding Method specified in Request", "encoding-type",
                        std::string(*type));
  }
  return true;
}

Outcome<std::uint32_t> part_number(std::string_view text) {
  const auto value = parse_number(text);
  if (!value || *value < 1 || *value > ns::kMaxParts) {
    return bad_argument("Part number must be an integer between 1 and 10000, inclusive",
                        "partNumber", std::string(text));
  }
  return static_cast<std::uint32_t>(*value);
}

ns::Conditions conditions_of(const Call& call, const ConditionNames& names) {
  ns::Conditions out;
  out.if_match = text_of(call, names.if_match);
  out.if_none_match = text_of(call, names.if_none_match);
  out.if_modified_since = date_of(call, names.if_modified_since);
  out.if_unmodified_since = date_of(call, names.if_unmodified_since);
  return out;
}

bool has_fast_etags(const Call& call) {
  const BucketSettingsPtr settings = call.settings.find(call.bucket());
  return settings && settings->etag ? *settings->etag == EtagKind::fast : call.config.fast_etags;
}

Outcome<> confirm_owner(const Call& call) {
  const access::BucketAccessPtr access = call.access.find(call.bucket());
  return access::owner_account(access.get()) == call.context.bucket_account()
             ? Outcome<>()
             : fail(Code::operation_aborted);
}

Outcome<ns::Conditions> write_conditions(const Call& call) {
  for (const std::string_view name : {"if-modified-since", "if-unmodified-since"}) {
    if (call.header(name)) {
      return unsupported(name);
    }
  }
  ns::Conditions out;
  out.if_match = text_of(call, "if-match");
  out.if_none_match = text_of(call, "if-none-match");
  if (out.if_match && out.if_none_match) {
    return unsupported("If-Match");
  }
  return out;
}

Outcome<ns::ObjectAttributes> attributes_of(const Call& call) {
  ns::ObjectAttributes out;
  out.content_type = call.header("content-type").value_or("");
  for (const std::string_view name : kStoredHeaders) {
    const auto value = call.header(name);
    if (!value) {
      continue;
    }
    std::string stored =
        name == "content-encoding" ? strip_aws_chunked(*value) : std::string(*value);
    if (!stored.empty()) {
      out.headers.emplace_back(name, std::move(stored));
    }
  }
  S3_TRY(out.user_meta, user_metadata(call));
  return out;
}

Outcome<ns::ObjectAttributes> tagged_attributes_of(const Call& call) {
  S3_TRY(ns::ObjectAttributes out, attributes_of(call));
  S3_TRY(out.tags, parse_tagging_header(call.header("x-amz-tagging").value_or("")));
  return out;
}

ns::FileFields file_fields_of(const Call& call, const ns::ObjectAttributes& attributes) {
  return call.config.file_metadata ? file_fields_of(attributes.user_meta) : ns::FileFields{};
}

Outcome<std::string_view> version_asked(std::optional<std::string_view> version_id) {
  if (!version_id) {
    return std::string_view{};
  }
  if (version_id->empty()) {
    return bad_argument("Version id cannot be the empty string", "versionId", "");
  }
  if (!ns::parse_version_id(*version_id)) {
    return bad_argument("Invalid version id specified", "versionId", std::string(*version_id));
  }
  return *version_id;
}

void add_version(const Call& call, std::string_view version_id, http::Response& response) {
  if (!version_id.empty()) {
    response.set("x-amz-version-id", std::string(version_id));
  } else if (call.query("versionId")) {
    response.set("x-amz-version-id", "null");
  }
}

void add_new_version(std::string_view version_id, http::Response& response) {
  if (!version_id.empty() && version_id != "null") {
    response.set("x-amz-version-id", std::string(version_id));
  }
}

http::Response xml_response(std::string document) {
  http::Response response;
  response.set("Content-Type", "application/xml");
  response.body = std::move(document);
  return response;
}

http::Response empty_response(int status) {
  http::Response response;
  response.status = status;
  return response;
}

}  // namespace outcrop::s3
