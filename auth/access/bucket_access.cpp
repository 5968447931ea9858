#include "auth/access/bucket_access.h"

#include "storage/base/codec.h"
#include "storage/meta/tables.h"

namespace outcrop::access {
namespace {

constexpr std::uint8_t kVersion = 1;
/// With owner, ownership and ACL.
constexpr std::uint8_t kOwnedVersion = 2;
/// In place of Ownership::enforced, where somebody chose it.
constexpr std::uint8_t kChosenEnforced = 4;
constexpr std::size_t kMaxAccount = 12;
constexpr char kLetter = 'b';  // in table k, beside the identities
constexpr std::uint8_t kHasBlock = 16, kBlockSet = 32, kAllFlags = 63;

/// What the record of every bucket does not have to say.
bool is_owned(const BucketAccess& a) {
  return !a.owner.empty() || a.ownership != Ownership::enforced || a.ownership_chosen ||
         a.acl.has_value();
}

Result<void> read_owned(Reader& r, BucketAccess& out) {
  out.account = r.str(kMaxAccount);
  out.owner = r.str(kMaxCanonicalId);
  const std::uint8_t ownership = r.u8();
  out.ownership_chosen = ownership == kChosenEnforced;
  if (!out.ownership_chosen) {
    out.ownership = static_cast<Ownership>(ownership);
  }
  if (out.ownership > Ownership::none || out.account.empty() != out.owner.empty()) {
    r.fail();
  }
  if (const std::string_view acl = r.str(kMaxAclBytes); !acl.empty()) {
    TRY(out.acl, decode_acl(acl));
  }
  return is_owned(out) ? ok() : Result<void>(fail(Errc::corrupt, "bucket access record idle"));
}

}  // namespace

std::expected<void, std::string> set_policy(BucketAccess& access,
                                            std::string text,
                                            policy::Origin origin) {
  auto compiled = policy::Policy::compile(text, policy::PolicyKind::bucket, access.bucket, origin);
  if (!compiled) {
    return std::unexpected(std::move(compiled).error());
  }
  access.policy_text = std::move(text);
  access.policy = *std::move(compiled);
  access.is_public = policy::is_public(*access.policy);
  return {};
}

std::string bucket_access_key(InodeId root) {
  std::string key = meta::table_key(meta::Table::identity, std::string_view(&kLetter, 1));
  put_be64(key, root);
  return key;
}

std::string encode(const BucketAccess& a) {
  const policy::PublicAccessBlock block = a.block.value_or(policy::PublicAccessBlock{});
  Writer w;
  const bool owned = is_owned(a);
  w.u8(owned ? kOwnedVersion : kVersion);
  w.u8(static_cast<std::uint8_t>(
      (block.block_public_acls ? 1 : 0) | (block.ignore_public_acls ? 2 : 0) |
      (block.block_public_policy ? 4 : 0) | (block.restrict_public_buckets ? 8 : 0) |
      (a.block ? kHasBlock : 0) | (a.block_set ? kBlockSet : 0)));
  w.str(a.bucket);
  w.str(a.policy_text);
  if (owned) {
    w.str(a.account);
    w.str(a.owner);
    w.u8(a.ownership_chosen ? kChosenEnforced : static_cast<std::uint8_t>(a.ownership));
    w.str(a.acl ? encode(*a.acl) : std::string());
  }
  return std::move(w).take();
}

Result<BucketAccess> decode_bucket_access(std::string_view key, std::string_view value) {
  const std::string first = bucket_access_key(0);
  Reader r(value);
  const std::uint8_t version = r.u8();
  const std::uint8_t flags = r.u8();
  BucketAccess out;
  out.bucket = r.str(kMaxBucketName);
  const std::string text(r.str(policy::kMaxPolicyBytes));
  if (version == kOwnedVersion) {
    TRYV(read_owned(r, out));
  }
  if (key.size() != first.size() || !key.starts_with(first.substr(0, 2)) || !r.done() ||
      (version != kVersion && version != kOwnedVersion) || flags > kAllFlags ||
      ((flags & kHasBlock) == 0 && flags != 0)) {
    return fail(Errc::corrupt, "bucket access record malformed");
  }
  out.root = get_be64(key.substr(2));
  if ((flags & kHasBlock) != 0) {
    out.block = policy::PublicAccessBlock{.block_public_acls = (flags & 1) != 0,
                                          .ignore_public_acls = (flags & 2) != 0,
                                          .block_public_policy = (flags & 4) != 0,
                                          .restrict_public_buckets = (flags & 8) != 0};
    out.block_set = (flags & kBlockSet) != 0;
  }
  if (!text.empty() && !set_policy(out, text, policy::Origin::store)) {
    out.policy_text = text;
  }
  return out;
}

}  // namespace outcrop::access
