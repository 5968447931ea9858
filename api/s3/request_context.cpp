#include "api/s3/request_context.h"

#include <algorithm>
#include <array>

#include "api/s3/headers.h"
#include "api/s3/object_lock.h"
#include "api/s3/tags.h"
#include "auth/amz_time.h"
#include "auth/identity/identity.h"
#include "auth/policy/pattern.h"

namespace outcrop::s3 {
namespace {

using policy::Key;

struct HeaderRow {
  Key key;
  std::string_view name;
};
/// Keys that are headers of the same meaning.
constexpr auto kHeaders = std::to_array<HeaderRow>({
    {Key::referer, "referer"},
    {Key::user_agent, "user-agent"},
    {Key::content_sha256, "x-amz-content-sha256"},
    {Key::grant_full_control, "x-amz-grant-full-control"},
    {Key::grant_read, "x-amz-grant-read"},
    {Key::grant_read_acp, "x-amz-grant-read-acp"},
    {Key::grant_write, "x-amz-grant-write"},
    {Key::grant_write_acp, "x-amz-grant-write-acp"},
    {Key::if_match, "if-match"},
    {Key::if_none_match, "if-none-match"},
    {Key::metadata_directive, "x-amz-metadata-directive"},
    {Key::object_ownership, "x-amz-object-ownership"},
    {Key::acl, "x-amz-acl"},
    {Key::sse, "x-amz-server-side-encryption"},
    {Key::sse_customer_algorithm, "x-amz-server-side-encryption-customer-algorithm"},
    {Key::sse_kms_key_id, "x-amz-server-side-encryption-aws-kms-key-id"},
    {Key::storage_class, "x-amz-storage-class"},
    {Key::website_redirect_location, "x-amz-website-redirect-location"},
});

std::string_view type_name(policy::Subject::Kind kind) {
  switch (kind) {
    case policy::Subject::Kind::anonymous:
      return "Anonymous";
    case policy::Subject::Kind::root:
      return "Account";
    case policy::Subject::Kind::user:
      return "User";
    case policy::Subject::Kind::role_session:
      return "AssumedRole";
    case policy::Subject::Kind::web_identity:
      return "FederatedUser";
  }
  return "";
}

}  // namespace

std::optional<std::string_view> RequestContext::header(std::string_view name) const {
  if (auto value = x_parts.request.header(name)) {
    return value;
  }
  const auto at = std::ranges::find(x_parts.hoisted, name, &http::Header::name);
  return at == x_parts.hoisted.end() ? std::nullopt : std::optional<std::string_view>(at->value);
}

/// A header that is no list of tags is refused by the operation that reads it.
void RequestContext::take_tags_of_header() {
  x_request_tags =
      parse_tagging_header(header("x-amz-tagging").value_or("")).value_or(ns::StringPairs{});
}

bool RequestContext::tag_value(const policy::KeyName& key, policy::Values& out) const {
  static const ns::StringPairs kNone;
  if (key.key == Key::request_object_tag_keys) {
    for (const auto& [name, value] : x_request_tags) {
      out.add(name);
    }
    return true;
  }
  if (key.key == Key::principal_tag) {
    const auth::Identity* const who = x_parts.auth.principal.identity.get();
    const std::string* const tag =
        who != nullptr ? identity::find_tag(who->tags, key.suffix) : nullptr;
    if (tag != nullptr) {
      out.add(*tag);
    }
    return true;
  }
  const bool existing = key.key == Key::existing_object_tag;
  if (!existing && key.key != Key::request_object_tag) {
    return false;
  }
  const ns::StringPairs& tags = !existing         ? x_request_tags
                                : x_existing_tags ? *x_existing_tags
                                                  : kNone;
  const auto at = std::ranges::find(tags, key.suffix, &ns::StringPairs::value_type::first);
  if (at != tags.end()) {
    out.add(at->second);
  }
  return true;
}

bool RequestContext::caller_value(Key key, policy::Values& out) const {
  const auth::Principal& who = x_parts.auth.principal;
  const auth::Identity* const identity = who.identity.get();
  switch (key) {
    case Key::principal_type:
      out.add(type_name(identity != nullptr ? identity->kind
                        : who.root          ? policy::Subject::Kind::root
                                            : policy::Subject::Kind::anonymous));
      return true;
    case Key::principal_is_aws_service:
    case Key::via_aws_service:
      out.add("false");
      return true;
    case Key::federated_provider:
      if (identity != nullptr && !identity->federation.provider.empty()) {
        out.add(keep("arn:aws:iam::" + identity->account + ":oidc-provider/" +
                     identity->federation.provider));
      }
      return true;
    case Key::principal_account:
    case Key::principal_arn:
    case Key::userid:
    case Key::username:
      break;
    default:
      return false;
  }
  if (identity == nullptr) {
    return true;
  }
  const std::string& text = key == Key::principal_account ? identity->account
                            : key == Key::principal_arn
                                ? (identity->role_arn.empty() ? identity->arn : identity->role_arn)
                            : key == Key::userid ? identity->user_id
                                                 : identity->user_name;
  if (!text.empty()) {
    out.add(text);
  }
  return true;
}

/// Of the token that a session came from: whose it was, and for whom.
bool RequestContext::token_value(const policy::KeyName& key, policy::Values& out) const {
  if (key.key != Key::token_sub && key.key != Key::token_aud) {
    return false;
  }
  const auth::Identity* const identity = x_parts.auth.principal.identity.get();
  if (identity != nullptr && !key.suffix.empty() &&
      policy::same_text(key.suffix, identity->federation.provider)) {
    out.add(key.key == Key::token_sub ? identity->federation.subject
                                      : identity->federation.audience);
  }
  return true;
}

bool RequestContext::query_value(Key key, policy::Values& out) const {
  const std::string_view name = key == Key::prefix      ? "prefix"
                                : key == Key::delimiter ? "delimiter"
                                : key == Key::max_keys  ? "max-keys"
                                                        : "";
  if (key == Key::prefix && x_prefix) {
    out.add(*x_prefix);
    return true;
  }
  if (!name.empty()) {
    if (const auto value = x_parts.target.param(name)) {
      out.add(*value);
    }
    return true;
  }
  if (key == Key::version_id) {
    if (!x_version_set) {
      if (const auto version = x_parts.target.param("versionId")) {
        out.add(*version);
      }
    } else if (x_version) {
      out.add(*x_version);
    }
    return true;
  }
  return false;
}

/// With and without a slash before the bucket: policies are written both ways.
void RequestContext::copy_source(policy::Values& out) const {
  const auto text = header("x-amz-copy-source");
  if (!text) {
    return;
  }
  if (const auto source = auth::split_copy_source(*text)) {
    const std::string_view slashed = keep("/" + source->bucket + "/" + source->key);
    out.add(slashed.substr(1));
    out.add(slashed);
  } else {
    out.add(*text);
  }
}

bool RequestContext::upload_value(Key key, policy::Values& out) const {
  if (!x_upload_encryption) {
    return false;
  }
  const std::string* const said = key == Key::sse              ? &x_upload_encryption->method
                                  : key == Key::sse_kms_key_id ? &x_upload_encryption->kms_key
                                  : key == Key::sse_customer_algorithm
                                      ? &x_upload_encryption->customer_algorithm
                                      : nullptr;
  if (said != nullptr && !said->empty()) {
    out.add(*said);
  }
  return said != nullptr;
}

/// A header that says nothing of the kind is refused by the operation that reads it.
bool RequestContext::lock_value(Key key, policy::Values& out) const {
  const auto named = [&](std::string_view name) { return header(name).value_or(""); };
  const auto add = [&](std::string_view text) {
    if (!text.empty()) {
      out.add(text);
    }
  };
  if (key == Key::object_lock_legal_hold) {
    add(!x_lock                                ? named("x-amz-object-lock-legal-hold")
        : x_lock->hold == ns::LegalHold::unset ? ""
        : x_lock->hold == ns::LegalHold::on    ? "ON"
                                               : "OFF");
    return true;
  }
  if (key == Key::object_lock_mode) {
    add(x_lock ? mode_name(x_lock->retention.mode) : named("x-amz-object-lock-mode"));
    return true;
  }
  if (key != Key::object_lock_retain_until && key != Key::object_lock_remaining_days) {
    return false;
  }
  const std::int64_t until =
      x_lock ? x_lock->retention.until
             : parse_retain_until(named("x-amz-object-lock-retain-until-date")).value_or(0);
  if (until == 0) {
    return true;
  }
  if (key == Key::object_lock_retain_until) {
    out.add(keep(format_iso_seconds(until)));
    return true;
  }
  constexpr std::int64_t kDay = 86'400;
  const std::int64_t left = until - x_parts.clock.wall_ns() / 1'000'000'000;
  out.add(keep(std::to_string(left > 0 ? (left + kDay - 1) / kDay : 0)));
  return true;
}

bool RequestContext::header_value(Key key, policy::Values& out) const {
  if (upload_value(key, out)) {
    return true;
  }
  const auto row = std::ranges::find(kHeaders, key, &HeaderRow::key);
  if (row != kHeaders.end()) {
    if (const auto value = header(row->name)) {
      out.add(*value);
    }
    return true;
  }
  if (key == Key::copy_source) {
    copy_source(out);
    return true;
  }
  return false;
}

std::optional<std::int64_t> RequestContext::signed_at() const {
  if (x_parts.auth.version == auth::SignatureVersion::v2) {
    return std::nullopt;  // no date is in it: one beside it says nothing of the signature
  }
  const auto text = x_parts.auth.presigned ? x_parts.target.param("X-Amz-Date")
                                           : x_parts.request.header("x-amz-date");
  if (text) {
    return auth::parse_amz_date(*text);
  }
  const auto date = x_parts.request.header("date");
  return date ? auth::parse_http_date(*date) : std::nullopt;
}

void RequestContext::other_value(Key key, policy::Values& out) const {
  const bool anonymous = x_parts.auth.principal.anonymous();
  switch (key) {
    case Key::current_time:
      out.add(keep(format_iso_date(x_parts.clock.wall_ns())));
      return;
    case Key::epoch_time:
      out.add(keep(std::to_string(x_parts.clock.wall_ns() / 1'000'000'000)));
      return;
    case Key::secure_transport:
      out.add(x_parts.request.secure ? "true" : "false");
      return;
    case Key::source_ip:
      out.add(x_parts.request.address());
      return;
    case Key::requested_region:
      out.add(x_parts.region);
      return;
    case Key::resource_account:
      out.add(x_resource_account);
      return;
    case Key::token_issue_time:
      if (const auth::Identity* const who = x_parts.auth.principal.identity.get();
          who != nullptr && who->temporary) {
        out.add(keep(format_iso_date(who->issued_ns)));
      }
      return;
    case Key::multi_factor_auth_present:
      if (const auth::Identity* const who = x_parts.auth.principal.identity.get();
          who != nullptr && who->temporary) {
        out.add("false");
      }
      return;
    case Key::location_constraint:
      if (x_location) {
        out.add(*x_location);
      }
      return;
    case Key::auth_type:
      if (!anonymous) {
        out.add(x_parts.auth.form        ? "POST"
                : x_parts.auth.presigned ? "REST-QUERY-STRING"
                                         : "REST-HEADER");
      }
      return;
    case Key::signature_version:
      if (!anonymous) {
        const bool v2 = x_parts.auth.version == auth::SignatureVersion::v2;
        out.add(v2 ? "AWS" : "AWS4-HMAC-SHA256");
      }
      return;
    case Key::signature_age:
      if (const auto at = signed_at(); at && !anonymous) {
        out.add(keep(std::to_string(x_parts.clock.wall_ns() / 1'000'000 - *at * 1000)));
      }
      return;
    default:
      return;  // what no request here has: no sessions with MFA, no organisations
  }
}

void RequestContext::values(const policy::KeyName& key, policy::Values& out) const {
  if (!tag_value(key, out) && !token_value(key, out) && !caller_value(key.key, out) &&
      !query_value(key.key, out) && !lock_value(key.key, out) && !header_value(key.key, out)) {
    other_value(key.key, out);
  }
}

}  // namespace outcrop::s3
