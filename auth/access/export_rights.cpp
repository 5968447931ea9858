#include "auth/access/export_rights.h"

#include "auth/policy/below.h"

namespace outcrop::access {
namespace {

/// What is the same for all requests of the caller.
class CallerContext final : public policy::Context {
 public:
  CallerContext(const auth::Identity& who, std::string_view owner) : x_who(who), x_owner(owner) {}
  void values(const policy::KeyName& key, policy::Values& out) const override {
    using policy::Key;
    const auto add = [&out](std::string_view text) {
      if (!text.empty()) {
        out.add(text);
      }
    };
    switch (key.key) {
      case Key::principal_account:
        return add(x_who.account);
      case Key::principal_arn:
        return add(x_who.arn);
      case Key::principal_is_aws_service:
      case Key::via_aws_service:
        return add("false");
      case Key::principal_tag:
        if (const std::string* const tag = identity::find_tag(x_who.tags, key.suffix)) {
          out.add(*tag);
        }
        return;
      case Key::principal_type:
        return add(x_who.kind == policy::Subject::Kind::root ? "Account" : "User");
      case Key::resource_account:
        return add(x_owner);
      case Key::userid:
        return add(x_who.user_id);
      case Key::username:
        return add(x_who.user_name);
      default:
        return;
    }
  }

 private:
  const auth::Identity& x_who;
  const std::string_view x_owner;  ///< account of the bucket
};

}  // namespace

Rights rights_below(const identity::IdentityStore& identities,
                    const AccessTable& table,
                    std::string_view access_key,
                    std::string_view bucket,
                    std::string_view prefix) {
  auth::IdentityPtr who;
  if (access_key.empty()) {
    who = identities.state()->root;
  } else if (const auto credential = identities.find(access_key)) {
    who = credential->identity;
  }
  if (!who) {
    return {};
  }
  const BucketAccessPtr access = table.find(bucket);
  policy::PolicySet set = who->policy_set();
  set.bucket = access && access->policy ? &*access->policy : nullptr;
  set.bucket_unreadable = access && access->unreadable();
  set.bucket_is_public = access && access->is_public;
  set.block = table.block_of(access.get());
  const bool server_root =
      who->kind == policy::Subject::Kind::root && who->account == policy::kAccount;
  set.foreign = !server_root && owner_of(access.get()) != who->canonical_id;
  const CallerContext context(*who, owner_account(access.get()));
  const policy::Subject subject = who->subject({});
  const std::string directory = prefix.empty() ? std::string() : std::string(prefix) + "/";
  const policy::Below below{
      .bucket = bucket, .prefix = directory, .subject = subject, .context = context};
  const auto may = [&](std::string_view action) {
    return policy::allowed_below(set, policy::find_action(action).value(), below);
  };
  // Where ACLs count, objects may be others': that all of them may be read cannot be said.
  const bool all_his = server_root || !access || access->ownership == Ownership::enforced;
  return {.read = all_his && may("s3:GetObject"),
          .write = may("s3:PutObject") && may("s3:DeleteObject"),
          .list = may("s3:ListBucket")};
}

}  // namespace outcrop::access
