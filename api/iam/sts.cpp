// STS: who am I, and credentials that end by themselves.
#include "api/iam/sts.h"

#include <charconv>

#include "api/iam/answer.h"
#include "api/iam/form_context.h"
#include "api/iam/lists.h"
#include "auth/identity/names.h"

namespace outcrop::iam {
namespace {

using identity::Checked;
using identity::IamCode;

constexpr std::int64_t kLeastSeconds = 900;
constexpr std::int64_t kMostSeconds = 129'600, kUsualSeconds = 43'200;  // GetSessionToken
constexpr std::int64_t kMostRootSeconds = identity::kMaxRoleSeconds;    // of root's tokens
constexpr std::size_t kLeastSessionName = 2, kMostSessionName = 64;

/// The role's trust policy must allow the caller by name, or the account: then the caller's own
/// policies must, too. A Deny on either side wins. The statement is the role's or the caller's.
policy::Decision decide_assume(const Call& call,
                               const identity::Entity& role,
                               std::string_view permission) {
  using policy::Reason;
  if (!role.trust->compiled || call.who.unreadable) {
    return {.reason = Reason::unreadable};
  }
  const std::string arn = role.arn();
  policy::ArnParts parts;
  const FormContext context(call.context, call.form, {.tags = role.tags});
  const policy::Subject subject = call.who.subject({});
  policy::Subject account = subject;
  account.kind = policy::Subject::Kind::root;
  if (!policy::split_arn(arn, parts)) {
    return {};
  }
  const policy::Action action = policy::find_action(permission).value();
  const policy::Request request{
      .action = action, .resource = parts, .subject = subject, .context = context};
  const policy::Request for_account{
      .action = action, .resource = parts, .subject = account, .context = context};
  const policy::Policy& trust = *role.trust->compiled;
  if (const auto* const deny = trust.find(policy::Effect::deny, request)) {
    return {.reason = Reason::denied_by_trust, .statement = deny};
  }
  policy::PolicySet own = call.who.policy_set();
  // Named by the trust policy: nothing of his own may forbid it. Else his own must allow it.
  const auto* const named = trust.find(policy::Effect::allow, request);
  own.acl_allows = named != nullptr;
  own.acl_names_caller = trust.find_named(request) != nullptr;
  if (named == nullptr && trust.find(policy::Effect::allow, for_account) == nullptr) {
    return {};
  }
  const policy::Decision decision = policy::decide(own, request);
  return decision.reason == Reason::acl
             ? policy::Decision{.allowed = true, .reason = Reason::trust_policy, .statement = named}
             : decision;
}

Checked<> check_session(const std::string& name, const std::string& policy) {
  if (name.size() < kLeastSessionName) {
    return identity::refuse(IamCode::validation,
                            "The length of roleSessionName must be between 2 and 64 characters.");
  }
  if (auto checked = identity::check_name("roleSessionName", name, kMostSessionName); !checked) {
    return checked;
  }
  if (policy.size() > identity::kMaxSessionPolicyBytes) {
    return identity::refuse(IamCode::limit_exceeded,
                            "The session policy has more than " +
                                std::to_string(identity::kMaxSessionPolicyBytes) + " bytes.");
  }
  if (!policy.empty()) {
    const auto compiled = policy::Policy::compile(policy, policy::PolicyKind::identity);
    if (!compiled) {
      return identity::refuse(IamCode::malformed_policy, compiled.error());
    }
  }
  return {};
}

std::unexpected<identity::IamError> not_allowed(const Call& call, std::string_view permission) {
  return identity::refuse(IamCode::access_denied,
                          "User: " + call.who.arn +
                              " is not authorized to perform: " + std::string(permission) +
                              " on resource: " + call.form.get("RoleArn"));
}

/// That he may have the role, and tag its session if he does. AccessDenied.
Checked<> check_assume(Call& call, const identity::EntityPtr& role, bool tags) {
  for (const std::string_view permission : {"sts:AssumeRole", "sts:TagSession"}) {
    if (permission == "sts:TagSession" && !tags) {
      break;
    }
    const policy::Decision decision =
        role ? decide_assume(call, *role, permission) : policy::Decision();
    call.why = decision.why();
    if (!decision.allowed) {
      return not_allowed(call, permission);
    }
  }
  return {};
}

}  // namespace

Checked<std::int64_t> duration(const Call& call, std::int64_t usual, std::int64_t most) {
  const auto text = call.form.find("DurationSeconds");
  std::int64_t seconds = std::min(usual, most);
  if (text) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
    if (error != std::errc() || end != text->data() + text->size() || seconds < kLeastSeconds ||
        seconds > most) {
      return identity::refuse(IamCode::validation, "DurationSeconds must be between " +
                                                       std::to_string(kLeastSeconds) + " and " +
                                                       std::to_string(most) + ".");
    }
  }
  return seconds;
}

Checked<std::int64_t> role_duration(const Call& call) {
  return duration(call, identity::kMaxRoleSeconds, identity::kLongestRoleSeconds);
}

Checked<> within(const Call& call, const identity::Entity& role, std::int64_t seconds) {
  const std::int64_t most =
      call.who.temporary ? std::min(role.max_session, identity::kMaxRoleSeconds) : role.max_session;
  return seconds <= most
             ? Checked<>()
             : identity::refuse(IamCode::validation,
                                "The requested DurationSeconds exceeds the MaxSessionDuration set "
                                "for this role, or an hour for sessions that come from sessions.");
}

void write_credentials(Call& call, const identity::IdentityStore::Temporary& made) {
  call.new_key = made.access_key;
  call.xml.open("Credentials").text("AccessKeyId", made.access_key);
  call.xml.text("SecretAccessKey", made.secret).text("SessionToken", made.token);
  call.xml.text("Expiration", date_text(made.expires_ns)).close();
}

Checked<identity::SessionTags> session_tags(const identity::TagsPtr& inherited,
                                            const identity::Tags& asked,
                                            const std::vector<std::string>& transitive) {
  identity::SessionTags out;
  for (const auto& [key, value] : identity::tags_of(inherited)) {
    out.emplace(key, identity::SessionTag{.value = value, .transitive = true});
  }
  for (const auto& [key, value] : asked) {
    if (!out.emplace(key, identity::SessionTag{.value = value}).second) {
      return identity::refuse(
          IamCode::validation,
          "The tag key " + key + " conflicts with a transitive tag of the calling session.");
    }
  }
  for (const std::string& key : transitive) {
    if (!asked.contains(key)) {
      return identity::refuse(IamCode::validation,
                              "The transitive tag key " + key + " is none of the Tags.");
    }
    out.find(key)->second.transitive = true;
  }
  return out.size() <= identity::kMaxTags
             ? Checked<identity::SessionTags>(std::move(out))
             : identity::refuse(
                   IamCode::validation,
                   "A session has at most " + std::to_string(identity::kMaxTags) + " tags.");
}

identity::EntityPtr named_role(const Call& call) {
  const std::string arn = call.form.get("RoleArn");
  identity::EntityPtr role =
      call.state->find(identity::EntityKind::role, arn.substr(arn.rfind('/') + 1));
  return role && role->arn() == arn ? role : nullptr;
}

void write_assumed_role(Call& call, const identity::Entity& role, const std::string& session) {
  call.xml.open("AssumedRoleUser").text("AssumedRoleId", role.id + ":" + session);
  call.xml.text("Arn", "arn:aws:sts::" + std::string(policy::kAccount) + ":assumed-role/" +
                           role.name + "/" + session);
  call.xml.close();
}

Checked<identity::IdentityStore::RoleSession> role_session(const Call& call) {
  identity::IdentityStore::RoleSession out{.name = call.form.get("RoleSessionName"),
                                           .policy = call.form.get("Policy")};
  if (auto checked = check_session(out.name, out.policy); !checked) {
    return std::unexpected(checked.error());
  }
  for (const auto& [name, arn] : call.form.parameters()) {
    if (!name.starts_with("PolicyArns.member.")) {
      continue;
    }
    const identity::ManagedPtr policy =
        name.ends_with(".arn") ? call.state->find_policy_arn(arn) : nullptr;
    if (!policy) {
      return identity::refuse(IamCode::malformed_policy,
                              "PolicyArns names a policy that does not exist: " + arn);
    }
    out.managed.push_back(policy->key());
  }
  if (out.managed.size() > identity::kMaxSessionPolicies) {
    return identity::refuse(
        IamCode::limit_exceeded,
        "A session has at most " + std::to_string(identity::kMaxSessionPolicies) + " PolicyArns.");
  }
  return out;
}

Answer get_caller_identity(Call& call) {
  call.xml.text("Arn", call.who.arn).text("UserId", call.who.user_id);
  call.xml.text("Account", call.who.account);
  co_return Checked<>{};
}

Answer get_session_token(Call& call) {
  if (call.who.temporary) {
    co_return identity::refuse(IamCode::access_denied,
                               "Cannot call GetSessionToken with session credentials");
  }
  if (call.who.account != policy::kAccount) {
    co_return identity::refuse(IamCode::access_denied,
                               "Sessions are of the server's first account only.");
  }
  const bool root = call.who.kind == policy::Subject::Kind::root;
  const auto seconds = duration(call, kUsualSeconds, root ? kMostRootSeconds : kMostSeconds);
  if (!seconds) {
    co_return std::unexpected(seconds.error());
  }
  const auto made = call.store.issue(call.who, call.access_key, nullptr, {}, *seconds);
  if (!made) {
    co_return std::unexpected(made.error());
  }
  write_credentials(call, *made);
  co_return Checked<>{};
}

Answer assume_role(Call& call) {
  auto session = role_session(call);
  if (!session) {
    co_return std::unexpected(session.error());
  }
  const auto seconds = role_duration(call);
  if (!seconds) {
    co_return std::unexpected(seconds.error());
  }
  if (call.who.kind == policy::Subject::Kind::root) {
    co_return identity::refuse(IamCode::access_denied,
                               "Roles may not be assumed by root accounts.");
  }
  const auto asked = tags_of(call.form);
  const auto transitive = list_of(call.form, "TransitiveTagKeys");
  if (!asked || !transitive) {
    co_return std::unexpected(asked ? transitive.error() : asked.error());
  }
  auto tags = session_tags(call.who.transitive, *asked, *transitive);
  if (!tags) {
    co_return std::unexpected(std::move(tags).error());
  }
  const identity::EntityPtr role = named_role(call);
  if (auto allowed = check_assume(call, role, !asked->empty()); !allowed) {
    co_return allowed;
  }
  if (auto allowed = within(call, *role, *seconds); !allowed) {
    co_return allowed;
  }
  const std::string name = session->name;
  session->tags = *std::move(tags);
  const auto made =
      call.store.issue(call.who, call.access_key, role.get(), *std::move(session), *seconds);
  if (!made) {
    co_return std::unexpected(made.error());
  }
  write_credentials(call, *made);
  write_assumed_role(call, *role, name);
  co_return Checked<>{};
}

}  // namespace outcrop::iam
