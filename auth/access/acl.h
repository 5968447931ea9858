// Access control lists: what others than the owner may do with a bucket or an object. They count
// where ObjectOwnership is not BucketOwnerEnforced. Pure functions; accounts go by canonical id.
// Source: Amazon S3 User Guide, "Access control list (ACL) overview".
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/policy/action.h"
#include "auth/policy/principal.h"
#include "storage/base/result.h"

namespace outcrop::access {

inline constexpr std::size_t kMaxGrants = 100;
/// Of an encoded list: an owner, and grants with a canonical id each.
inline constexpr std::size_t kMaxAclBytes = 8 << 10;
inline constexpr std::size_t kMaxCanonicalId = 64;

/// Who owns the objects of a bucket, and whether its ACLs count.
enum class Ownership : std::uint8_t {
  enforced,   ///< the owner of the bucket; there are no ACLs
  preferred,  ///< who wrote it, or the bucket's owner if it was given him whole
  writer,     ///< who wrote it
  none,       ///< nothing is said, which is the same
};
/// "BucketOwnerEnforced"; of none "".
std::string_view to_string(Ownership ownership);
/// None of them is none.
std::optional<Ownership> parse_ownership(std::string_view name);

/// A set of bits; full_control is all of them.
enum class Permission : std::uint8_t {
  read = 1,
  write = 2,
  read_acp = 4,
  write_acp = 8,
  full_control = 15,
};
/// "READ_ACP".
std::string_view to_string(Permission permission);
std::optional<Permission> parse_permission(std::string_view name);

struct Grantee {
  enum class Kind : std::uint8_t { account, everyone, authenticated, log_delivery };
  Kind kind = Kind::account;
  std::string id{};  ///< canonical; of accounts only
  bool operator==(const Grantee&) const = default;
};
/// The URI of a group; empty for an account.
std::string_view group_uri(Grantee::Kind kind);
std::optional<Grantee::Kind> parse_group(std::string_view uri);

struct AclGrant {
  Grantee grantee;
  Permission permission = Permission::read;
  bool operator==(const AclGrant&) const = default;
};

struct Acl {
  std::string owner;  ///< canonical id
  std::vector<AclGrant> grants;
  bool operator==(const Acl&) const = default;
};

/// What everything has to which no ACL was given: the owner's full control.
Acl private_acl(std::string_view owner);
/// A canned ACL by its name; `bucket_owner` differs from `owner` for objects only. Empty: there is
/// no such name.
std::optional<Acl> canned_acl(std::string_view name,
                              std::string_view owner,
                              std::string_view bucket_owner);
/// Grants something to everybody, or to everybody who signs.
bool is_public(const Acl& acl);

/// As it is kept. An empty text is a private ACL whose owner is the bucket's.
std::string encode(const Acl& acl);
/// corrupt.
Result<Acl> decode_acl(std::string_view text);

/// Which ACL decides about an action, and what it must grant.
struct AclNeed {
  bool of_object = false;
  Permission permission = Permission::read;
};
/// Empty: no ACL has a say.
std::optional<AclNeed> acl_need(policy::Action action);

struct AclAnswer {
  bool allows = false;
  bool only_public = false;  ///< what allows it is for everybody, or everybody who signs
};
/// `foreign`: the subject is of another account than the owner; then a grant to his account counts
/// for his users, too, whom his own account must allow it.
AclAnswer ask(const Acl& acl, Permission needed, const policy::Subject& subject, bool foreign);

}  // namespace outcrop::access
