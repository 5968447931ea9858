// Condition keys: the names a policy may use, and how a request gives their values. A request is
// asked only for keys that a condition or variable names, so what no policy uses costs nothing.
// Source: AWS global condition context keys; Service Authorization Reference, Amazon S3.
#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outcrop::policy {

enum class Key : std::uint8_t {
  never,  ///< a key that exists in AWS and never has a value here
  current_time,
  epoch_time,
  federated_provider,
  multi_factor_auth_age,
  multi_factor_auth_present,
  principal_account,
  principal_arn,
  principal_is_aws_service,
  principal_tag,  ///< with a name
  principal_type,
  referer,
  request_tag,  ///< with a name
  requested_region,
  resource_account,
  resource_tag,  ///< with a name
  secure_transport,
  source_ip,
  tag_keys,
  token_issue_time,
  user_agent,
  userid,
  username,
  via_aws_service,
  auth_type,
  content_sha256,
  copy_source,
  delimiter,
  existing_object_tag,  ///< with a name
  grant_full_control,
  grant_read,
  grant_read_acp,
  grant_write,
  grant_write_acp,
  if_match,
  if_none_match,
  location_constraint,
  max_keys,
  metadata_directive,
  object_lock_legal_hold,
  object_lock_mode,
  object_lock_remaining_days,
  object_lock_retain_until,
  object_ownership,
  acl,
  prefix,
  request_object_tag,  ///< with a name
  request_object_tag_keys,
  signature_age,
  signature_version,
  sse,
  sse_customer_algorithm,
  sse_kms_key_id,
  storage_class,
  version_id,
  website_redirect_location,
  external_id,
  role_session_name,
  transitive_tag_keys,
  permissions_boundary,
  policy_arn,
  token_amr,  ///< a claim of a token; with the name of the identity provider
  token_aud,
  token_azp,
  token_sub,
  count_,
};
using KeySet = std::bitset<static_cast<std::size_t>(Key::count_)>;

/// A key as a policy names it.
struct KeyName {
  Key key = Key::never;
  std::string suffix{};  ///< the tag, or the provider, of a key "with a name"
  bool operator==(const KeyName&) const = default;
};

/// By name in any case, like "s3:prefix" or "aws:PrincipalTag/team", or "id.example.com/realm:sub",
/// where the provider is kept as written. Empty: no such key. Keys of services that are not ours
/// are `never`.
std::optional<KeyName> find_key(std::string_view name);

/// The values of one key in one request; none: the request does not have the key.
class Values {
 public:
  void add(std::string_view value) {
    if (x_count < x_first.size()) {
      x_first[x_count] = value;
    } else {
      x_more.push_back(value);
    }
    ++x_count;
  }
  std::size_t size() const { return x_count; }
  bool empty() const { return x_count == 0; }
  std::string_view operator[](std::size_t i) const {
    return i < x_first.size() ? x_first[i] : x_more[i - x_first.size()];
  }

 private:
  std::array<std::string_view, 4> x_first;
  std::vector<std::string_view> x_more;
  std::size_t x_count = 0;
};

/// What a request knows about itself. One thread; the text of values lives as long as this.
class Context {
 public:
  virtual ~Context() = default;
  virtual void values(const KeyName& key, Values& out) const = 0;
};

}  // namespace outcrop::policy
