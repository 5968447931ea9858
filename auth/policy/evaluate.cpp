#include "auth/policy/evaluate.h"

namespace outcrop::policy {
namespace {

/// What the root user may do whatever the bucket policy says: it must not lock itself out.
bool always_for_root(Action action) {
  static const Action get = *find_action("s3:GetBucketPolicy");
  static const Action put = *find_action("s3:PutBucketPolicy");
  static const Action erase = *find_action("s3:DeleteBucketPolicy");
  return action == get || action == put || action == erase;
}

Decision denied(Reason reason, const Statement* statement = nullptr) {
  return {.allowed = false, .reason = reason, .statement = statement};
}
Decision allowed(Reason reason, const Statement* statement = nullptr) {
  return {.allowed = true, .reason = reason, .statement = statement};
}

const Statement* find_identity(const PolicySet& set, Effect effect, const Request& request) {
  for (const Policy* policy : set.identity) {
    if (const Statement* s = policy->find(effect, request)) {
      return s;
    }
  }
  return nullptr;
}

/// The bucket's side: its policy, then its ACLs.
Decision by_bucket(const PolicySet& set, const Request& request) {
  const bool anonymous = request.subject.kind == Subject::Kind::anonymous;
  const Statement* const s = set.bucket != nullptr && !set.bucket_only_denies
                                 ? set.bucket->find(Effect::allow, request)
                                 : nullptr;
  const bool policy_blocked =
      (anonymous || set.foreign) && set.bucket_is_public && set.block.restrict_public_buckets;
  if (s != nullptr && !policy_blocked) {
    return allowed(Reason::bucket_policy, s);
  }
  const bool acl_blocked = set.acl_public && set.block.ignore_public_acls;
  if (set.acl_allows && !acl_blocked) {
    return allowed(Reason::acl);
  }
  if (s != nullptr || set.acl_allows) {
    return denied(Reason::public_access_block, s);
  }
  return denied(anonymous ? Reason::anonymous : Reason::not_allowed);
}

/// Whether the other side says it of the caller himself: then his boundary need not say it, too.
bool names_caller(const PolicySet& set, const Request& request) {
  return set.acl_names_caller || (set.bucket != nullptr && !set.bucket_only_denies &&
                                  set.bucket->find_named(request) != nullptr);
}

/// By what his own side and the other one allow; nobody denies it.
Decision by_both(const PolicySet& set, const Request& request) {
  const bool root = request.subject.kind == Subject::Kind::root;
  const Statement* const own = root ? nullptr : find_identity(set, Effect::allow, request);
  const bool bounded =
      set.boundary == nullptr || set.boundary->find(Effect::allow, request) != nullptr;
  if (set.foreign) {
    const bool anonymous = request.subject.kind == Subject::Kind::anonymous;
    return root || (own != nullptr && bounded) || anonymous
               ? by_bucket(set, request)
               : denied(own != nullptr ? Reason::outside_boundary : Reason::not_allowed);
  }
  if (root) {
    return allowed(Reason::root);
  }
  if (own != nullptr && bounded) {
    return allowed(Reason::identity_policy, own);
  }
  const Decision theirs = by_bucket(set, request);
  if (bounded || (theirs.allowed && names_caller(set, request))) {
    return theirs;
  }
  return own != nullptr || theirs.allowed ? denied(Reason::outside_boundary) : theirs;
}

}  // namespace

Decision decide(const PolicySet& set, const Request& request) {
  const bool root = request.subject.kind == Subject::Kind::root;
  const bool own_policy = root && !set.foreign && always_for_root(request.action);
  if (set.unreadable || (set.bucket_unreadable && !own_policy)) {
    return denied(Reason::unreadable);
  }
  if (const Statement* s = find_identity(set, Effect::deny, request)) {
    return denied(Reason::denied_by_identity, s);
  }
  if (set.boundary != nullptr) {
    if (const Statement* s = set.boundary->find(Effect::deny, request)) {
      return denied(Reason::denied_by_boundary, s);
    }
  }
  if (set.session != nullptr) {
    if (const Statement* s = set.session->find(Effect::deny, request)) {
      return denied(Reason::denied_by_session, s);
    }
    if (set.session->find(Effect::allow, request) == nullptr) {
      return denied(Reason::outside_session);
    }
  }
  if (set.bucket != nullptr && !own_policy) {
    if (const Statement* s = set.bucket->find(Effect::deny, request)) {
      return denied(Reason::denied_by_bucket, s);
    }
  }
  return by_both(set, request);
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::root:
      return "root";
    case Reason::identity_policy:
      return "identity_policy";
    case Reason::bucket_policy:
      return "bucket_policy";
    case Reason::acl:
      return "acl";
    case Reason::trust_policy:
      return "trust_policy";
    case Reason::own_rights:
      return "own_rights";
    case Reason::denied_by_identity:
      return "denied_by_identity";
    case Reason::denied_by_session:
      return "denied_by_session";
    case Reason::denied_by_boundary:
      return "denied_by_boundary";
    case Reason::denied_by_bucket:
      return "denied_by_bucket";
    case Reason::denied_by_trust:
      return "denied_by_trust";
    case Reason::not_allowed:
      return "not_allowed";
    case Reason::outside_session:
      return "outside_session";
    case Reason::outside_boundary:
      return "outside_boundary";
    case Reason::anonymous:
      return "anonymous";
    case Reason::public_access_block:
      return "public_access_block";
    case Reason::not_all_below:
      return "not_all_below";
    case Reason::undecided:
      return "undecided";
    case Reason::unreadable:
      return "unreadable";
  }
  return "unknown";
}

std::string to_string(const Why& why) {
  std::string out(to_string(why.reason));
  if (!why.sid.empty()) {
    out.append(" (").append(why.sid).append(")");
  }
  return out;
}

}  // namespace outcrop::policy
