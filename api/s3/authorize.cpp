#include "api/s3/authorize.h"

#include <algorithm>
#include <array>

#include "api/s3/headers.h"
#include "api/s3/object_lock.h"
#include "auth/identity/identity.h"
#include "auth/policy/below.h"

namespace outcrop::s3 {
namespace {

using policy::Action;

/// Known since the table of actions has them; a typing error ends the first start.
Action known(std::string_view name) { return policy::find_action(name).value(); }

policy::Subject subject_of(const Asker& asker) {
  if (asker.who.anonymous()) {
    return {};
  }
  if (asker.who.identity) {
    return asker.who.identity->subject(asker.owner_id);
  }
  // A key store without identities knows the root user only.
  static const std::string kRootArn = "arn:aws:iam::" + std::string(policy::kAccount) + ":root";
  if (!asker.who.root) {
    return {};
  }
  return {.kind = policy::Subject::Kind::root,
          .account = policy::kAccount,
          .arn = kRootArn,
          .role_arn = {},
          .canonical_id = asker.owner_id};
}

/// "bucket/key"; valid until the thread's next call.
std::string_view resource_text(std::string_view bucket, std::string_view key) {
  thread_local std::string text;
  text.assign(bucket.empty() ? std::string_view("*") : bucket);
  if (!key.empty()) {
    text.append("/").append(key);
  }
  return text;
}

/// The usual owner of a usual bucket: there is nothing to ask.
bool unrestricted(const Asker& asker, const access::BucketAccessPtr& access) {
  return asker.who.root && !asker.who.anonymous() && !access;
}

/// What a decision is about.
enum class About : std::uint8_t {
  existing,    ///< a bucket or object, which need not be there
  new_object,  ///< what the object that the request makes is to have
  new_bucket,  ///< the bucket that it makes
};

/// Whose the bucket is, and what its ACL and that of the object say. The server's root user is the
/// owner of everything.
void add_acls(const Asker& asker,
              Action action,
              About about,
              const policy::Subject& subject,
              const access::BucketAccess* access,
              policy::PolicySet& set) {
  const std::string_view owner = asker.owner_of(access);
  set.foreign = !asker.who.root && subject.canonical_id != owner;
  // Who may write an object may say what it is to have.
  const auto need =
      about == About::new_object
          ? access::AclNeed{.of_object = false, .permission = access::Permission::write}
          : access::acl_need(action);
  const auto& kept = asker.context.object_acl();
  if (!need || access == nullptr || access->ownership == access::Ownership::enforced ||
      (need->of_object && !kept)) {
    return;
  }
  const access::Acl acl =
      need->of_object ? acl_of_object(asker, access, *kept) : acl_of_bucket(asker, access);
  set.foreign = !asker.who.root && subject.canonical_id != acl.owner;
  set.bucket_only_denies = acl.owner != owner;
  const access::AclAnswer answer = access::ask(acl, need->permission, subject, set.foreign);
  set.acl_allows = answer.allows;
  set.acl_public = answer.only_public;
}

/// Borrows from the asker and from `access`.
policy::PolicySet policies_of(const Asker& asker, const access::BucketAccess* access) {
  const auth::Identity* const identity = asker.who.identity.get();
  policy::PolicySet set;
  if (identity != nullptr) {
    set = identity->policy_set();
  }
  if (access != nullptr) {
    set.bucket = access->policy ? &*access->policy : nullptr;
    set.bucket_is_public = access->is_public;
    set.bucket_unreadable = access->unreadable();
  }
  set.block = asker.access.block_of(access);
  return set;
}

policy::Decision decide(const Asker& asker,
                        Action action,
                        std::string_view bucket,
                        std::string_view key,
                        const access::BucketAccess* access,
                        About about = About::existing) {
  const policy::Subject subject = subject_of(asker);
  policy::PolicySet set = policies_of(asker, access);
  // That the name of a new bucket is taken is told by the attempt to make it.
  if (!bucket.empty() && about != About::new_bucket) {
    add_acls(asker, action, about, subject, access, set);
  }
  const policy::Request request{.action = action,
                                .resource = {{"aws", "s3", "", "", resource_text(bucket, key)}},
                                .subject = subject,
                                .context = asker.context};
  return policy::decide(set, request);
}

/// Further permissions that headers ask for.
struct HeaderAction {
  std::string_view header;
  OpId op;
  std::string_view action;
};
constexpr auto kHeaderActions = std::to_array<HeaderAction>({
    {"x-amz-object-ownership", OpId::create_bucket, "s3:PutBucketOwnershipControls"},
});
/// The same of any header that brings an ACL.
constexpr auto kAclActions = std::to_array<std::pair<OpId, std::string_view>>({
    {OpId::create_bucket, "s3:PutBucketAcl"},
    {OpId::put_object, "s3:PutObjectAcl"},
    {OpId::copy_object, "s3:PutObjectAcl"},
    {OpId::create_multipart_upload, "s3:PutObjectAcl"},
});
/// And of headers that bring a lock. Who may write objects need not be one who may lock them.
constexpr auto kLockActions = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"x-amz-object-lock-mode", "s3:PutObjectRetention"},
    {"x-amz-object-lock-legal-hold", "s3:PutObjectLegalHold"},
});
bool brings_acl(const RequestContext& context) {
  constexpr auto kHeaders = std::to_array<std::string_view>(
      {"x-amz-acl", "x-amz-grant-read", "x-amz-grant-write", "x-amz-grant-read-acp",
       "x-amz-grant-write-acp", "x-amz-grant-full-control"});
  return std::ranges::any_of(
      kHeaders, [&](std::string_view name) { return context.header(name).value_or("") != ""; });
}

}  // namespace

std::string_view Asker::canonical_id() const { return subject_of(*this).canonical_id; }

std::string_view Asker::owner_of(const access::BucketAccess* bucket) const {
  const std::string_view owner = access::owner_of(bucket);
  return owner.empty() ? owner_id : owner;
}

bool has_object_acls(const Asker& asker, std::string_view bucket) {
  const access::BucketAccessPtr access = asker.access.find(bucket);
  return access && access->ownership != access::Ownership::enforced;
}

access::Acl acl_of_object(const Asker& asker,
                          const access::BucketAccess* access,
                          std::string_view kept) {
  if (kept.empty()) {
    return access::private_acl(asker.owner_of(access));
  }
  auto acl = access::decode_acl(kept);
  return acl ? *std::move(acl) : access::Acl{std::string(access::kNobody), {}};
}

access::Acl acl_of_bucket(const Asker& asker, const access::BucketAccess* access) {
  return access != nullptr && access->acl ? *access->acl
                                          : access::private_acl(asker.owner_of(access));
}

Action versioned(Action action) {
  static const auto kPairs = std::to_array<std::pair<Action, Action>>({
      {known("s3:GetObject"), known("s3:GetObjectVersion")},
      {known("s3:GetObjectAcl"), known("s3:GetObjectVersionAcl")},
      {known("s3:GetObjectAttributes"), known("s3:GetObjectVersionAttributes")},
      {known("s3:GetObjectTagging"), known("s3:GetObjectVersionTagging")},
      {known("s3:GetObjectTorrent"), known("s3:GetObjectVersionTorrent")},
      {known("s3:DeleteObject"), known("s3:DeleteObjectVersion")},
      {known("s3:DeleteObjectTagging"), known("s3:DeleteObjectVersionTagging")},
      {known("s3:PutObjectAcl"), known("s3:PutObjectVersionAcl")},
      {known("s3:PutObjectTagging"), known("s3:PutObjectVersionTagging")},
  });
  const auto at = std::ranges::find(kPairs, action, &std::pair<Action, Action>::first);
  return at == kPairs.end() ? action : at->second;
}

/// In which the one decision becomes a grant.
struct Granting {
  static Outcome<Grant> decide_on(const Asker& asker,
                                  Action action,
                                  std::string_view bucket,
                                  std::string_view key,
                                  About about) {
    const bool none = bucket.empty() || about == About::new_bucket;
    const access::BucketAccessPtr access = none ? nullptr : asker.access.find(bucket);
    if (unrestricted(asker, access)) {
      return Grant({.reason = policy::Reason::root});
    }
    const policy::Decision decision = decide(asker, action, bucket, key, access.get(), about);
    return decision.allowed ? Outcome<Grant>(Grant(decision.why())) : denied(decision.why());
  }
};

Outcome<Grant> authorize(const Asker& asker,
                         Action action,
                         std::string_view bucket,
                         std::string_view key) {
  return Granting::decide_on(asker, action, bucket, key, About::existing);
}

Outcome<> authorize_below(const Asker& asker,
                          Action action,
                          std::string_view bucket,
                          std::string_view directory) {
  const access::BucketAccessPtr access = asker.access.find(bucket);
  const policy::Subject subject = subject_of(asker);
  const policy::Below below{.bucket = bucket,
                            .prefix = directory,
                            .subject = subject,
                            .context = asker.context,
                            .one_request = true};
  policy::PolicySet set = policies_of(asker, access.get());
  set.foreign = !asker.who.root && subject.canonical_id != asker.owner_of(access.get());
  // Where ACLs count, objects below may be others'.
  const auto need = access::acl_need(action);
  const bool all_his =
      asker.who.root || !need || !need->of_object || !has_object_acls(asker, bucket);
  const bool allowed =
      unrestricted(asker, access) || (all_his && policy::allowed_below(set, action, below));
  return allowed ? Outcome<>() : denied({.reason = policy::Reason::not_all_below});
}

bool would_allow(const Asker& asker,
                 Action action,
                 std::string_view bucket,
                 const access::BucketAccess& access) {
  return decide(asker, action, bucket, {}, &access).allowed;
}

bool enables_lock(const RequestContext& context) {
  return same_text(context.header("x-amz-bucket-object-lock-enabled").value_or(""), "true");
}

bool takes_tags(OpId op, const RequestContext& context) {
  return op == OpId::put_object || op == OpId::create_multipart_upload ||
         (op == OpId::copy_object && context.header("x-amz-tagging-directive") == "REPLACE");
}

namespace {

/// Whether a policy that has a say about the bucket names a key like that.
template <class Asks>
bool any_policy(const Asker& asker, std::string_view bucket, Asks asks) {
  if (const auth::Identity* const who = asker.who.identity.get()) {
    const policy::PolicySet set = who->policy_set();
    const auto asked = [&](const policy::Policy* p) { return p != nullptr && asks(*p); };
    if (std::ranges::any_of(set.identity, asked) || asked(set.session) || asked(set.boundary)) {
      return true;
    }
  }
  const access::BucketAccessPtr access = asker.access.find(bucket);
  return access && access->policy && asks(*access->policy);
}

}  // namespace

bool asks_for_existing_tags(const Asker& asker, std::string_view bucket) {
  return any_policy(asker, bucket, [](const policy::Policy& p) {
    return p.names(policy::Key::existing_object_tag);
  });
}

bool asks_for_encryption(const Asker& asker, std::string_view bucket) {
  return any_policy(asker, bucket, [](const policy::Policy& p) {
    return p.names(policy::Key::sse) || p.names(policy::Key::sse_kms_key_id) ||
           p.names(policy::Key::sse_customer_algorithm);
  });
}

Outcome<Grant> authorize_request(const Asker& asker, const Op& op, const auth::Target& target) {
  if (op.id == OpId::delete_objects || op.id == OpId::create_bucket ||
      op.id == OpId::put_object_tagging || op.id == OpId::post_object ||
      op.id == OpId::put_object_retention || op.id == OpId::put_object_legal_hold) {
    return Grant({.reason = policy::Reason::undecided});
  }
  return authorize_now(asker, op, target);
}

Outcome<Grant> authorize_now(const Asker& asker, const Op& op, const auth::Target& target) {
  const bool version =
      op.scope == Scope::object && takes_version(op.id) && target.param("versionId").has_value();
  const bool makes_bucket = op.id == OpId::create_bucket;
  const auto check = [&](Action action, About about) {
    return Granting::decide_on(asker, version ? versioned(action) : action, target.bucket,
                               target.key, about);
  };
  const About about = makes_bucket ? About::new_bucket : About::existing;
  const About given = makes_bucket ? About::new_bucket : About::new_object;
  auto grant = check(action_of(op), about);
  if (op.id == OpId::get_object_attributes && grant) {
    static const Action get = known("s3:GetObject");
    grant = check(get, about);
  }
  const auto has = [&](std::string_view header) {
    return asker.context.header(header).value_or("") != "";
  };
  for (const HeaderAction& more : kHeaderActions) {
    if (grant && more.op == op.id && has(more.header)) {
      grant = check(known(more.action), given);
    }
  }
  if (grant && makes_bucket && enables_lock(asker.context)) {
    for (const std::string_view name :
         {"s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"}) {
      grant = grant ? check(known(name), given) : std::move(grant);
    }
  }
  for (const auto& [header, action] : kLockActions) {
    if (grant && takes_lock(op.id) && has(header)) {
      grant = check(known(action), about);
    }
  }
  const auto acl = std::ranges::find(kAclActions, op.id, &std::pair<OpId, std::string_view>::first);
  if (grant && acl != kAclActions.end() && brings_acl(asker.context)) {
    grant = check(known(acl->second), given);
  }
  if (grant && takes_tags(op.id, asker.context) && has("x-amz-tagging")) {
    static const Action tag = known("s3:PutObjectTagging");
    grant = check(tag, given);
  }
  return grant;
}

}  // namespace outcrop::s3
