// What a bucket says about who may use it: its policy and its PublicAccessBlock. Immutable; any
// thread.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/access/acl.h"
#include "auth/policy/evaluate.h"
#include "storage/base/ids.h"
#include "storage/base/result.h"

namespace outcrop::access {

inline constexpr std::size_t kMaxBucketName = 255;

/// Whose a bucket is whose record was damaged, until the server's root user says it anew: he alone
/// gets in. Neither an account's number nor a canonical id.
inline constexpr std::string_view kNobody = "nobody";

struct BucketAccess {
  std::string bucket;
  InodeId root = 0;         ///< of the bucket: a bucket made again under the name has another
  std::string policy_text;  ///< empty: no policy
  std::optional<policy::Policy> policy{};  ///< empty with a text: it cannot be read
  bool is_public = false;
  /// Empty: the server's default. A block that was deleted is all false, and not `block_set`.
  std::optional<policy::PublicAccessBlock> block{};
  bool block_set = false;
  /// The account that it belongs to, and its canonical id; empty: the first account. Or kNobody.
  std::string account{}, owner{};
  Ownership ownership = Ownership::enforced;
  /// Of enforced: somebody chose it, so not even ACLs that change nothing are taken.
  bool ownership_chosen = false;
  /// Empty: private. Kept, and without effect, while ownership is enforced.
  std::optional<Acl> acl{};
  /// The record is damaged: nobody knows what it said.
  bool damaged = false;

  /// Everybody is denied, but the root user who reads, replaces or deletes the policy.
  bool unreadable() const { return damaged || (!policy_text.empty() && !policy); }
  bool empty() const {
    return policy_text.empty() && !block && owner.empty() && ownership == Ownership::enforced &&
           !ownership_chosen && !acl && !damaged;
  }
  std::size_t bytes() const {
    return policy_text.size() + (owner.empty() ? 0 : kMaxCanonicalId) +
           (acl ? acl->grants.size() * (kMaxCanonicalId + sizeof(AclGrant)) : 0);
  }
};
using BucketAccessPtr = std::shared_ptr<const BucketAccess>;

/// The canonical id of the bucket's owner; empty: the first account.
inline std::string_view owner_of(const BucketAccess* access) {
  return access != nullptr ? std::string_view(access->owner) : std::string_view();
}
/// His account.
inline std::string_view owner_account(const BucketAccess* access) {
  return access != nullptr && !access->account.empty() ? std::string_view(access->account)
                                                       : policy::kAccount;
}

/// Sets the text and what follows from it. The error is for the author of the policy.
std::expected<void, std::string> set_policy(BucketAccess& access,
                                            std::string text,
                                            policy::Origin origin = policy::Origin::author);

std::string bucket_access_key(InodeId root);
std::string encode(const BucketAccess& access);
/// corrupt. A policy that does not compile is no error here: it is unreadable().
Result<BucketAccess> decode_bucket_access(std::string_view key, std::string_view value);

}  // namespace outcrop::access
