// What a policy may ask about a request: the values of condition keys, each from the one place that
// means it. Lives in the dispatcher's frame; borrows the request. One thread.
#pragma once
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "auth/authenticator.h"
#include "auth/policy/condition_key.h"
#include "auth/policy/principal.h"
#include "auth/target.h"
#include "storage/base/clock.h"
#include "storage/ns/types.h"

namespace outcrop::s3 {

/// What an upload said about its encryption when it was created; empty: nothing.
struct UploadEncryption {
  std::string method{}, kms_key{}, customer_algorithm{};
};

class RequestContext final : public policy::Context {
 public:
  struct Parts {
    const http::Request& request;
    const auth::Target& target;
    const auth::Authentication& auth;
    const std::vector<http::Header>& hoisted;
    const Clock& clock;
    std::string_view region;
  };
  explicit RequestContext(Parts parts) : x_parts(parts) {}

  void values(const policy::KeyName& key, policy::Values& out) const override;

  const Clock& clock() const { return x_parts.clock; }
  /// A header, or the parameter of a presigned URL that stands for it.
  std::optional<std::string_view> header(std::string_view name) const;

  /// For one entry of a body, or a copy source: s3:VersionId is this, or absent.
  void set_version(std::optional<std::string> version) {
    x_version = std::move(version);
    x_version_set = true;
  }
  /// What s3:RequestObjectTag asks for: the tags that the request is about to give an object. None
  /// until one of these is called; of a header that is then ignored no decision must depend.
  void set_request_tags(ns::StringPairs tags) { x_request_tags = std::move(tags); }
  void take_tags_of_header();  ///< x-amz-tagging
  /// What the keys of Object Lock ask for, of a body; else the headers say it.
  void set_lock(const ns::ObjectLock& lock) { x_lock = lock; }
  /// s3:ExistingObjectTag of the object that is decided on next; empty: nobody has looked.
  void set_existing_tags(std::optional<ns::StringPairs> tags) { x_existing_tags = std::move(tags); }
  const std::optional<ns::StringPairs>& existing_tags() const { return x_existing_tags; }
  /// ObjectAttributes::acl of the object that is decided on next; empty: nobody has looked.
  void set_object_acl(std::optional<std::string> acl) { x_object_acl = std::move(acl); }
  const std::optional<std::string>& object_acl() const { return x_object_acl; }
  /// Whose the request's bucket is as it is decided on; the first account's unless it is said.
  void set_bucket_account(std::string_view account) {
    x_bucket_account = account;
    x_resource_account = account;
  }
  const std::string& bucket_account() const { return x_bucket_account; }
  /// Of another bucket that is decided on next; empty: of the request's again.
  void set_resource_account(std::optional<std::string_view> account) {
    x_resource_account = account.value_or(x_bucket_account);
  }
  /// s3:prefix of a decision whether somebody may know that there is no such key.
  void set_prefix(std::optional<std::string> prefix) { x_prefix = std::move(prefix); }
  /// Of a part: what its headers do not say again.
  void set_upload_encryption(UploadEncryption said) { x_upload_encryption = std::move(said); }
  /// Of a CreateBucket body.
  void set_location(std::string location) { x_location = std::move(location); }

 private:
  bool tag_value(const policy::KeyName& key, policy::Values& out) const;
  bool token_value(const policy::KeyName& key, policy::Values& out) const;
  bool caller_value(policy::Key key, policy::Values& out) const;
  bool query_value(policy::Key key, policy::Values& out) const;
  bool lock_value(policy::Key key, policy::Values& out) const;
  bool header_value(policy::Key key, policy::Values& out) const;
  bool upload_value(policy::Key key, policy::Values& out) const;
  void other_value(policy::Key key, policy::Values& out) const;
  void copy_source(policy::Values& out) const;
  std::string_view keep(std::string text) const { return x_kept.emplace_front(std::move(text)); }
  std::optional<std::int64_t> signed_at() const;

  const Parts x_parts;
  std::optional<std::string> x_version, x_location;
  bool x_version_set = false;
  ns::StringPairs x_request_tags;
  std::optional<ns::StringPairs> x_existing_tags;
  std::optional<ns::ObjectLock> x_lock;
  std::optional<std::string> x_object_acl, x_prefix;
  std::optional<UploadEncryption> x_upload_encryption;
  std::string x_bucket_account{policy::kAccount}, x_resource_account{policy::kAccount};
  mutable std::forward_list<std::string> x_kept;  ///< text that was computed
};

}  // namespace outcrop::s3
