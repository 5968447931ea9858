#include "api/s3/object_response.h"

#include <array>

#include "api/s3/encryption.h"
#include "api/s3/file_metadata.h"
#include "api/s3/object_lock.h"
#include "auth/uri.h"
#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::s3 {
namespace {

struct Override {
  std::string_view parameter, header;
};
constexpr std::array<Override, 6> kOverrides{{
    {"response-content-type", "Content-Type"},
    {"response-content-language", "Content-Language"},
    {"response-expires", "Expires"},
    {"response-cache-control", "Cache-Control"},
    {"response-content-disposition", "Content-Disposition"},
    {"response-content-encoding", "Content-Encoding"},
}};

/// "cache-control" -> "Cache-Control", as it is written on the wire.
std::string wire_name(std::string_view name) {
  std::string out(name);
  if (name.starts_with("x-amz-")) {
    return out;
  }
  bool first = true;
  for (char& c : out) {
    c = first && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    first = c == '-';
  }
  return out;
}

void replace_header(http::Response& response, std::string_view name, std::string_view value) {
  for (http::Header& h : response.headers) {
    if (h.name == name) {
      h.value = value;
      return;
    }
  }
  response.set(std::string(name), std::string(value));
}

Outcome<> apply_overrides(const Call& call, http::Response& response) {
  for (const Override& o : kOverrides) {
    const auto value = call.query(o.parameter);
    if (!value) {
      continue;
    }
    if (call.auth.principal.anonymous()) {
      return fail(Code::invalid_request,
                  "Request specific response headers cannot be used for anonymous GET requests.");
    }
    if (!valid_header_value(*value)) {
      return bad_argument("A response header cannot hold control characters.",
                          std::string(o.parameter), std::string(*value));
    }
    replace_header(response, o.header, *value);
  }
  return {};
}

/// How many tags there are is told to those who may see them.
bool may_read_tags(const Call& call) {
  static const policy::Action read = policy::find_action("s3:GetObjectTagging").value();
  const policy::Action action = call.query("versionId") ? versioned(read) : read;
  return authorize(call.asker, action, call.bucket(), call.key()).has_value();
}

class ObjectBody final : public http::BodySource {
 public:
  ObjectBody(std::unique_ptr<ns::ObjectReader> reader, std::uint64_t size)
      : x_reader(std::move(reader)), x_size(size) {}
  std::uint64_t size() const override { return x_size; }
  Task<std::vector<Buffer>> next() override { return x_reader->next(); }

 private:
  std::unique_ptr<ns::ObjectReader> x_reader;
  std::uint64_t x_size;
};

}  // namespace

Outcome<> add_object_headers(const Call& call,
                             const ns::ObjectInfo& info,
                             http::Response& response) {
  response.headers.reserve(12 + info.attributes.headers.size() + info.attributes.user_meta.size());
  response.set("Last-Modified", format_http_date(info.mtime_ns));
  response.set("ETag", quoted_etag(info.etag));
  response.set("Accept-Ranges", "bytes");
  const std::string& type = info.attributes.content_type;
  response.set("Content-Type", type.empty() ? std::string(kDefaultContentType) : type);
  for (const auto& [name, value] : info.attributes.headers) {
    response.set(wire_name(name), value);
  }
  add_user_metadata(info, call.config.file_metadata, response);
  if (!info.attributes.tags.empty() && may_read_tags(call)) {
    response.set("x-amz-tagging-count", std::to_string(info.attributes.tags.size()));
  }
  add_encryption(call, info.attributes.envelope, response);
  add_lock_headers(call, info, response);
  add_expiration(call, info, response);
  add_version(call, info.version_id, response);
  return apply_overrides(call, response);
}

void add_expiration(const Call& call, const ns::ObjectInfo& info, http::Response& response) {
  const BucketSettingsPtr settings = call.settings.find(call.bucket());
  if (!settings || !settings->lifecycle || !info.current) {
    return;
  }
  const LifecycleObject object{call.key(), info.size, info.mtime_ns, &info.attributes.tags};
  const auto expiration =
      expiration_of(*settings->lifecycle, object, call.config.lifecycle_day_seconds);
  if (expiration) {
    response.set("x-amz-expiration", expiration_header(*expiration));
  }
}

std::string_view type_name(digest::ChecksumType type) {
  return type == digest::ChecksumType::composite ? "COMPOSITE" : "FULL_OBJECT";
}

std::string checksum_text(const digest::Checksum& checksum, std::size_t parts) {
  std::string out = digest::to_base64(as_bytes(checksum.value));
  if (checksum.type == digest::ChecksumType::composite) {
    out += "-" + std::to_string(parts);
  }
  return out;
}

void add_checksum(http::Response& response, const digest::Checksum& checksum, std::size_t parts) {
  if (checksum.algorithm == digest::Algorithm::none || checksum.value.empty()) {
    return;
  }
  response.set(std::string(digest::header_name(checksum.algorithm)),
               checksum_text(checksum, parts));
  response.set("x-amz-checksum-type", std::string(type_name(checksum.type)));
}

std::string object_location(const Call& call) {
  std::string path;
  auth::uri_encode(call.target.virtual_host ? call.key() : call.bucket() + "/" + call.key(),
                   auth::Slash::keep, path);
  return (call.request.secure ? "https://" : "http://") +
         std::string(call.request.header("host").value_or("")) + "/" + path;
}

std::unique_ptr<http::BodySource> object_body(std::unique_ptr<ns::ObjectReader> reader,
                                              ns::ByteRange range) {
  reader->seek(range);
  return std::make_unique<ObjectBody>(std::move(reader), range.length);
}

}  // namespace outcrop::s3
