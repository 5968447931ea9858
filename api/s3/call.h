// One request that is authenticated, routed and authorised: all a handler sees.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "api/s3/authorize.h"
#include "api/s3/bucket_settings.h"
#include "api/s3/handler.h"
#include "api/s3/headers.h"
#include "api/s3/op_table.h"
#include "auth/target.h"

namespace outcrop::s3 {

struct Seen;

/// Lives in the dispatcher's frame for the whole request.
struct Call {
  const http::Request& request;
  http::BodyReader& body;
  const auth::Authentication& auth;
  Grant grant;  ///< a handler that decides by itself, after the body, puts its own here
  const auth::Target& target;
  const Op& op;
  const Asker& asker;
  RequestContext& context;
  access::AccessTable& access;
  SettingsTable& settings;
  ns::Namespace& ns;
  const S3Config& config;
  /// x-amz-* query parameters of a presigned URL: signed, so they count as headers.
  const std::vector<http::Header>& hoisted;
  Seen& seen;  ///< what the audit log learns; for who a form turns out to be from

  /// There are headers about the encryption of the object, or of the source of a copy.
  bool encryption = false, source_encryption = false;

  bool rgw() const { return config.dialect == Dialect::rgw; }
  const std::string& bucket() const { return target.bucket; }
  const std::string& key() const { return target.key; }

  std::optional<std::string_view> header(std::string_view name) const {
    if (auto value = request.header(name)) {
      return value;
    }
    for (const http::Header& h : hoisted) {
      if (h.name == name) {
        return h.value;
      }
    }
    return std::nullopt;
  }
  std::optional<std::string_view> query(std::string_view name) const { return target.param(name); }
  std::string_view query_or(std::string_view name, std::string_view otherwise) const {
    return query(name).value_or(otherwise);
  }
};

/// "0".."2147483647" of a query parameter or header, or `otherwise` if it is absent or empty.
Outcome<std::uint64_t> number_argument(std::string_view name,
                                       std::optional<std::string_view> text,
                                       std::uint64_t otherwise);
/// encoding-type: true for url; InvalidArgument for anything else but absent.
Outcome<bool> url_encoding(const Call& call);
/// The value of a part number: 1 to 10,000.
Outcome<std::uint32_t> part_number(std::string_view text);

/// Preconditions named by the given headers, dates parsed; what is no date is no condition.
ns::Conditions conditions_of(const Call& call, const ConditionNames& names);
/// Preconditions of a write: If-Match or If-None-Match. AWS knows the latter with * only.
Outcome<ns::Conditions> write_conditions(const Call& call);
/// What the request's headers say about the object to be stored.
Outcome<ns::ObjectAttributes> attributes_of(const Call& call);
/// The same with the tags of x-amz-tagging.
Outcome<ns::ObjectAttributes> tagged_attributes_of(const Call& call);
/// What its user metadata says about the file; nothing if the configuration does not take that.
ns::FileFields file_fields_of(const Call& call, const ns::ObjectAttributes& attributes);
/// A version id that this server may have given out; empty if none is asked for. InvalidArgument
/// for others, and for one that is given and empty.
Outcome<std::string_view> version_asked(std::optional<std::string_view> version_id);
/// x-amz-version-id of an answer about one version; nothing in a bucket without versions, unless
/// the client asked by id.
void add_version(const Call& call, std::string_view version_id, http::Response& response);
/// The same of an answer to a write: AWS names the version that it made only where that has an id
/// of its own, not the version null of a bucket whose versioning is suspended.
void add_new_version(std::string_view version_id, http::Response& response);
/// Objects and parts that are put now get ETags of EtagKind::fast.
bool has_fast_etags(const Call& call);
/// Names of buckets go from hand to hand: OperationAborted if the bucket is no longer the account's
/// that it was when the request was decided on. For after a body, and under the access table's
/// lock.
Outcome<> confirm_owner(const Call& call);
/// The settings of the bucket as they are, to be changed and put; under the access table's lock.
Async<Outcome<BucketSettings>> current_settings(Call& call);
/// What the bucket has of access settings, or a start for it, to be changed and put; under the
/// access table's lock. NoSuchBucket.
Async<Outcome<access::BucketAccess>> current_access(Call& call);
/// x-amz-* headers with a meaning this gateway does not have are refused, never ignored. Notes in
/// the call what it sees of encryption.
Outcome<> check_features(Call& call);

http::Response xml_response(std::string document);
http::Response empty_response(int status);

}  // namespace outcrop::s3
