#include "auth/policy/below.h"

#include <algorithm>

namespace outcrop::policy {
namespace {

/// Keys that are the same in every request of a caller, or absent in all.
bool about_caller(Key key) {
  switch (key) {
    case Key::never:
    case Key::principal_account:
    case Key::principal_arn:
    case Key::principal_is_aws_service:
    case Key::principal_tag:
    case Key::principal_type:
    case Key::resource_account:
    case Key::userid:
    case Key::username:
    case Key::via_aws_service:
      return true;
    default:
      return false;
  }
}

/// The keys that have one value each for the whole question.
KeySet keys_known(const Below& below) {
  KeySet out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto key = static_cast<Key>(i);
    // Of the one request everything is known but what each object says of itself.
    out.set(i, below.one_request ? key != Key::existing_object_tag : about_caller(key));
  }
  return out;
}

/// A pattern or condition that asks for nothing else.
template <class Asks>
bool asks_only(const Asks& asks, const KeySet& known) {
  KeySet keys;
  asks.collect_keys(keys);
  return (keys & ~known).none();
}

class Question {
 public:
  Question(Action action, const Below& below)
      : x_action(action),
        x_below(below),
        x_of_bucket(action_target(action) == Target::bucket),
        x_known(keys_known(below)),
        x_text(std::string(below.bucket) + (x_of_bucket ? "" : "/" + std::string(below.prefix))) {}

  /// Whether the statement speaks about all of it (an Allow), or may speak about some of it (a
  /// Deny).
  bool applies(const Statement& s, PolicyKind kind) const {
    const bool deny = s.effect == Effect::deny;
    if (!s.actions.test(x_action)) {
      return false;
    }
    if (kind == PolicyKind::bucket &&
        s.principals.contains(x_below.subject, deny != s.not_principals) == s.not_principals) {
      return false;
    }
    // The complement of what may match is what surely does not, and the other way round.
    const bool some = deny != s.not_resources;
    const bool named = std::ranges::any_of(
        s.resources, [&](const ArnPattern& p) { return some ? may_match(p) : covers(p); });
    if (named == s.not_resources) {
      return false;
    }
    return std::ranges::all_of(s.conditions, [&](const Condition& c) {
      const Truth truth = holds(c);
      return truth == Truth::unclear ? deny : truth == Truth::yes;
    });
  }

 private:
  bool covers(const ArnPattern& p) const {
    if (p.everything()) {
      return true;
    }
    const Pattern& resource = p.part(4);
    return asks_only(p, x_known) && service(p) == Truth::yes &&
           resource.matches(x_text, x_below.context) == Truth::yes &&
           (x_of_bucket || resource.ends_open());
  }
  bool may_match(const ArnPattern& p) const {
    if (p.everything()) {
      return true;
    }
    const Pattern& resource = p.part(4);
    if (!asks_only(p, x_known)) {
      return x_of_bucket || resource.may_match_below(x_text);
    }
    return service(p) != Truth::no &&
           (x_of_bucket ? resource.matches(x_text, x_below.context) != Truth::no
                        : resource.may_match_below(x_text));
  }
  Truth service(const ArnPattern& p) const {
    const std::string_view parts[] = {"aws", "s3", "", ""};
    Truth out = Truth::yes;
    for (std::size_t i = 0; i < 4; ++i) {
      const Truth one = p.part(i).matches(parts[i], x_below.context);
      if (one == Truth::no) {
        return one;
      }
      out = one == Truth::unclear ? one : out;
    }
    return out;
  }
  /// Listing any directory below is allowed by a pattern that is open at its end.
  Truth holds(const Condition& c) const {
    if (c.key().key == Key::prefix && x_of_bucket) {
      KeySet known = x_known;
      known.set(static_cast<std::size_t>(Key::prefix));
      return asks_only(c, known) && c.covers_below(x_below.prefix, x_below.context)
                 ? Truth::yes
                 : Truth::unclear;
    }
    return asks_only(c, x_known) ? c.holds(x_below.context) : Truth::unclear;
  }

  const Action x_action;
  const Below& x_below;
  const bool x_of_bucket;
  const KeySet x_known;
  const std::string x_text;
};

bool says(const Policy& policy, Effect effect, const Question& question) {
  return std::ranges::any_of(policy.statements(), [&](const Statement& s) {
    return s.effect == effect && question.applies(s, policy.kind());
  });
}

/// Allows it to the caller by name.
bool says_to(const Subject& subject, const Policy& policy, const Question& question) {
  return std::ranges::any_of(policy.statements(), [&](const Statement& s) {
    return s.names(subject) && question.applies(s, policy.kind());
  });
}

}  // namespace

bool allowed_below(const PolicySet& set, Action action, const Below& below) {
  const Question question(action, below);
  const auto identity = [&](Effect effect) {
    return std::ranges::any_of(set.identity,
                               [&](const Policy* p) { return says(*p, effect, question); });
  };
  const auto bucket = [&](Effect effect) {
    return set.bucket != nullptr && says(*set.bucket, effect, question);
  };
  const bool stranger = set.foreign || below.subject.kind == Subject::Kind::anonymous;
  const bool blocked = stranger && set.bucket_is_public && set.block.restrict_public_buckets;
  if (set.unreadable || set.bucket_unreadable || identity(Effect::deny) || bucket(Effect::deny)) {
    return false;
  }
  if (set.session != nullptr && (says(*set.session, Effect::deny, question) ||
                                 !says(*set.session, Effect::allow, question))) {
    return false;
  }
  if (set.boundary != nullptr && says(*set.boundary, Effect::deny, question)) {
    return false;
  }
  const bool bounded = set.boundary == nullptr || says(*set.boundary, Effect::allow, question);
  const bool own =
      below.subject.kind == Subject::Kind::root || (bounded && identity(Effect::allow));
  const bool theirs = !blocked && (bounded ? bucket(Effect::allow)
                                           : set.bucket != nullptr &&
                                                 says_to(below.subject, *set.bucket, question));
  return set.foreign ? own && theirs : own || theirs;
}

}  // namespace outcrop::policy
