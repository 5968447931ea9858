// Which x-amz-* headers mean something here. A header that asks for a feature this gateway does not
// have is answered with NotImplemented: storing an object without the lock, the key or the ACL that
// the client asked for would be worse than not storing it. What AWS does not know is ignored, as
// AWS does: SDKs send headers of their own.
#include <algorithm>
#include <array>
#include <span>

#include "api/s3/acl.h"
#include "api/s3/call.h"
#include "api/s3/encryption_headers.h"
#include "auth/target.h"

namespace outcrop::s3 {
namespace {

/// Read by a handler, by auth, or without effect in AWS too.
constexpr auto kUnderstood = std::to_array<std::string_view>({
    "x-amz-bypass-governance-retention",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-md5",
    "x-amz-checksum-mode",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
    "x-amz-confirm-remove-self-bucket-access",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-if-match-last-modified-time",
    "x-amz-if-match-size",
    "x-amz-max-parts",
    "x-amz-metadata-directive",
    "x-amz-mp-object-size",
    "x-amz-object-attributes",
    "x-amz-optional-object-attributes",
    "x-amz-part-number-marker",
    "x-amz-rename-source",
    "x-amz-request-payer",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-tagging",
    "x-amz-tagging-directive",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-transition-default-minimum-object-size",
    "x-amz-user-agent",
    "x-amz-website-redirect-location",
});
static_assert(std::ranges::is_sorted(kUnderstood));

/// What AWS's headers that ask for something begin with, today and, for all that can be told,
/// later.
constexpr auto kFamilies = std::to_array<std::string_view>({
    "x-amz-acl",       "x-amz-bucket-",
    "x-amz-checksum-", "x-amz-copy-source-",
    "x-amz-fwd-",      "x-amz-grant-",
    "x-amz-if-",       "x-amz-mfa",
    "x-amz-mp-",       "x-amz-object-",
    "x-amz-rename-",   "x-amz-replication-",
    "x-amz-restore",   "x-amz-server-side-encryption",
    "x-amz-source-",   "x-amz-storage-class",
    "x-amz-tagging",   "x-amz-transition-",
    "x-amz-website-",  "x-amz-write-",
});

/// Headers of which some values say what is the case anyway.
struct ValueRule {
  std::string_view name;
  std::array<std::string_view, 2> accepted;
};
constexpr auto kValueRules = std::to_array<ValueRule>({
    {"x-amz-bucket-object-lock-enabled", {"false", "False"}},
    {"x-amz-storage-class", {"STANDARD", "STANDARD"}},
});

constexpr auto kStorageClasses = std::to_array<std::string_view>(
    {"REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER",
     "DEEP_ARCHIVE", "OUTPOSTS", "GLACIER_IR", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS"});

bool contains(std::span<const std::string_view> list, std::string_view one) {
  return std::ranges::find(list, one) != list.end();
}

/// By canonical id, or by the number of the account.
Outcome<> check_owner(const Call& call, std::string_view bucket, std::string_view expected) {
  const access::BucketAccessPtr access = call.access.find(bucket);
  const bool right = expected == call.asker.owner_of(access.get()) ||
                     expected == access::owner_account(access.get());
  return right ? Outcome<>() : fail(Code::access_denied);
}

Outcome<> check_value(const ValueRule& rule, const http::Header& header) {
  if (contains(rule.accepted, header.value)) {
    return {};
  }
  if (rule.name == "x-amz-storage-class" && !contains(kStorageClasses, header.value)) {
    return fail(Code::invalid_storage_class, {}, {{"StorageClassRequested", header.value}});
  }
  return unsupported(rule.name);
}

Outcome<> check_header(Call& call, const http::Header& header, bool in_query) {
  const std::string_view name = header.name;
  if (!name.starts_with("x-amz-") || name.starts_with(kMetaPrefix) ||
      std::ranges::binary_search(kUnderstood, name)) {
    return {};
  }
  if (is_encryption_header(name)) {
    return note_encryption_header(call, header, in_query);
  }
  if (name == "x-amz-expected-bucket-owner") {
    return check_owner(call, call.bucket(), header.value);
  }
  if (name == "x-amz-source-expected-bucket-owner") {
    const auto source = auth::split_copy_source(call.header("x-amz-copy-source").value_or(""));
    return check_owner(call, source ? source->bucket : call.bucket(), header.value);
  }
  if (is_acl_header(name)) {  // before anything else of the request is looked at
    S3_TRYV(acl_of_headers(call, new_subject(call)));
    return {};
  }
  if (name == "x-amz-object-ownership" && call.op.id == OpId::create_bucket) {
    return access::parse_ownership(header.value)
               ? Outcome<>()
               : bad_argument("Invalid x-amz-object-ownership header: " + header.value, header.name,
                              header.value);
  }
  const auto rule = std::ranges::find(kValueRules, name, &ValueRule::name);
  if (rule != kValueRules.end()) {
    return check_value(*rule, header);
  }
  const bool asks = std::ranges::any_of(
      kFamilies, [&](std::string_view family) { return name.starts_with(family); });
  return asks ? Outcome<>(unsupported(name)) : Outcome<>();
}

}  // namespace

Outcome<> check_features(Call& call) {
  for (const auto* headers : {&call.request.headers, &call.hoisted}) {
    for (const http::Header& header : *headers) {
      S3_TRYV(check_header(call, header, headers == &call.hoisted));
    }
  }
  return {};
}

}  // namespace outcrop::s3
