// The one decision whether a principal may do something. A Grant cannot be made anywhere else, and
// a Call cannot be made without one.
#pragma once
#include <string_view>

#include "api/s3/error.h"
#include "api/s3/op_table.h"
#include "api/s3/request_context.h"
#include "auth/access/access_table.h"
#include "auth/authenticator.h"
#include "auth/policy/evaluate.h"

namespace outcrop::s3 {

/// Who asks for what with which request. Borrows; lives in the dispatcher's frame.
struct Asker {
  const auth::Principal& who;
  const RequestContext& context;
  const access::AccessTable& access;
  std::string_view owner_id;  ///< canonical id of the first account

  /// Of the caller's account; empty: nobody has signed.
  std::string_view canonical_id() const;
  /// Canonical id of the owner of a bucket with these settings.
  std::string_view owner_of(const access::BucketAccess* access) const;
};

class Grant {
 public:
  /// Why it was given; for the audit log.
  const policy::Why& why() const { return x_why; }

  friend Outcome<Grant> authorize_request(const Asker& asker,
                                          const Op& op,
                                          const auth::Target& target);

 private:
  friend struct Granting;
  explicit Grant(policy::Why why) : x_why(std::move(why)) {}
  policy::Why x_why;
};

/// One action on one resource: the key, the bucket if the key is empty, or all buckets. What the
/// policies of the caller, of his session and of the bucket say. AccessDenied.
Outcome<Grant> authorize(const Asker& asker,
                         policy::Action action,
                         std::string_view bucket,
                         std::string_view key);

/// The action on every key below a directory ("a/b/"), whether it is there or not: a Deny for some
/// of them, or an Allow for some only, is AccessDenied. The keys move or vanish in one step that no
/// list of them could be decided before.
Outcome<> authorize_below(const Asker& asker,
                          policy::Action action,
                          std::string_view bucket,
                          std::string_view directory);

/// Everything that the operation needs on the resource of its target. Of some operations the body
/// has a say: CreateBucket, PutObjectTagging, PutObjectRetention, PutObjectLegalHold and
/// PostObject, whose handlers call authorize_now() when they have read it, and DeleteObjects, where
/// each key is a decision. Their grant says that nothing is decided yet.
Outcome<Grant> authorize_request(const Asker& asker, const Op& op, const auth::Target& target);
/// The same, for every operation.
Outcome<Grant> authorize_now(const Asker& asker, const Op& op, const auth::Target& target);

/// Whether the operation gives an object the tags of the request's x-amz-tagging header.
bool takes_tags(OpId op, const RequestContext& context);

/// Whether the bucket that is made is to have Object Lock.
bool enables_lock(const RequestContext& context);

/// Whether a policy that has a say about the bucket asks for s3:ExistingObjectTag.
bool asks_for_existing_tags(const Asker& asker, std::string_view bucket);
/// Whether one asks how an object is encrypted.
bool asks_for_encryption(const Asker& asker, std::string_view bucket);
/// Whether ACLs of objects have a say in the bucket.
bool has_object_acls(const Asker& asker, std::string_view bucket);
/// The ACL of an object of a bucket with these settings, by what it has in ObjectAttributes::acl.
/// With a list that cannot be read the object is nobody's: the server's root user alone reads it.
access::Acl acl_of_object(const Asker& asker,
                          const access::BucketAccess* access,
                          std::string_view kept);
access::Acl acl_of_bucket(const Asker& asker, const access::BucketAccess* access);

/// The action that stands for `action` when a version is named: GetObjectVersion for GetObject.
policy::Action versioned(policy::Action action);

/// What would be granted if the bucket had this policy; for the check before it is put.
bool would_allow(const Asker& asker,
                 policy::Action action,
                 std::string_view bucket,
                 const access::BucketAccess& access);

}  // namespace outcrop::s3
