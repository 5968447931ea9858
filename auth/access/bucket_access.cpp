#include "auth/access/bucket_access.h"

#include "storage/base/codec.h"
#include "storage/meta/tables.h"

namespace outcrop::access {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr char kLetter = 'b';  // in table k, beside the identities
constexpr std::uint8_t kHasBlock = 16, kBlockSet = 32, kAllFlags = 63;

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
  w.u8(kVersion);
  w.u8(static_cast<std::uint8_t>(
      (block.block_public_acls ? 1 : 0) | (block.ignore_public_acls ? 2 : 0) |
      (block.block_public_policy ? 4 : 0) | (block.restrict_public_buckets ? 8 : 0) |
      (a.block ? kHasBlock : 0) | (a.block_set ? kBlockSet : 0)));
  w.str(a.bucket);
  w.str(a.policy_text);
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
  if (key.size() != first.size() || !key.starts_with(first.substr(0, 2)) || !r.done() ||
      version != kVersion || flags > kAllFlags || ((flags & kHasBlock) == 0 && flags != 0)) {
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
