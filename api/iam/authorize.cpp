#include "api/iam/authorize.h"

#include <algorithm>
#include <array>

#include "api/iam/form_context.h"
#include "auth/oidc/issuer.h"

namespace outcrop::iam {
namespace {

std::string new_arn(std::string_view kind, const Form& form, std::string_view name) {
  const auto path = form.find("Path");
  std::string out = "arn:aws:iam::";
  out.append(policy::kAccount).append(":").append(kind).append(path ? *path : "/").append(name);
  return out;
}

std::string entity_arn(identity::EntityKind kind,
                       const std::string& name,
                       const Form& form,
                       const identity::State& state) {
  const identity::EntityPtr entity = state.find(kind, name);
  return entity ? entity->arn() : new_arn(identity::kind_name(kind), form, name);
}

}  // namespace

std::string resource_of(const Action& action,
                        const Form& form,
                        const identity::State& state,
                        const auth::Identity& who) {
  switch (action.subject) {
    case Subject::account:
      break;
    case Subject::self:
      return who.arn;
    case Subject::user: {
      const auto named = form.find("UserName");
      if (!named && who.user_name.empty()) {
        return who.arn;
      }
      return entity_arn(identity::EntityKind::user, named ? std::string(*named) : who.user_name,
                        form, state);
    }
    case Subject::group:
      return entity_arn(identity::EntityKind::group, form.get("GroupName"), form, state);
    case Subject::role:
      return entity_arn(identity::EntityKind::role, form.get("RoleName"), form, state);
    case Subject::key_owner: {
      const auto key = state.keys.find(form.get("AccessKeyId"));
      const bool of_user = key != state.keys.end() && key->second->account.empty();
      const identity::EntityPtr owner =
          of_user ? state.find(identity::EntityKind::user, key->second->user) : nullptr;
      if (owner) {
        return owner->arn();
      }
      break;
    }
    case Subject::policy:
      if (const auto arn = form.find("PolicyArn")) {
        return std::string(*arn);
      }
      break;
    case Subject::simulated:
      if (const auto arn = form.find("PolicySourceArn")) {
        return std::string(*arn);
      }
      break;
    case Subject::assumed_role:
      return form.get("RoleArn");
    case Subject::provider:
      if (const auto arn = form.find("OpenIDConnectProviderArn")) {
        return std::string(*arn);
      }
      break;
    case Subject::new_provider:
      return "arn:aws:iam::" + std::string(policy::kAccount) + ":oidc-provider/" +
             std::string(oidc::name_of(form.get("Url")));
    case Subject::new_policy:
      return new_arn("policy", form, form.get("PolicyName"));
  }
  return "arn:aws:iam::" + std::string(policy::kAccount) + ":*";
}

namespace {

/// All that the action needs a permission for: of a new name or path, too, as AWS has it.
std::vector<std::string> resources_of(const Action& action,
                                      const Form& form,
                                      const identity::State& state,
                                      const auth::Identity& who) {
  std::vector<std::string> out{resource_of(action, form, state, who)};
  const bool of_user = action.subject == Subject::user;
  if (!of_user && action.subject != Subject::group) {
    return out;
  }
  const auto kind = of_user ? identity::EntityKind::user : identity::EntityKind::group;
  const std::string parameter(parameter_of(kind));
  const auto name = form.find("New" + parameter), path = form.find("NewPath");
  const identity::EntityPtr old = state.find(kind, form.get(parameter));
  if (old && (name || path)) {
    identity::Entity next;
    next.kind = kind;
    next.name = name.value_or(old->name);
    next.path = path.value_or(old->path);
    out.push_back(next.arn());
  }
  return out;
}

policy::Decision decide(std::string_view permission,
                        const std::string& resource,
                        const auth::Identity& who,
                        const policy::Context& context) {
  policy::ArnParts parts;
  if (!policy::split_arn(resource, parts)) {
    return {};
  }
  const policy::Subject subject = who.subject({});
  return policy::decide(who.policy_set(), {.action = policy::find_action(permission).value(),
                                           .resource = parts,
                                           .subject = subject,
                                           .context = context});
}

/// What the action is about, as it is now.
About about(const Action& action,
            const Form& form,
            const identity::State& state,
            const std::string& resource) {
  switch (action.subject) {
    case Subject::user:
    case Subject::role:
    case Subject::simulated:
    case Subject::key_owner: {
      const identity::EntityPtr entity = state.find_arn(resource);
      if (!entity) {
        return {};
      }
      const identity::ManagedPtr boundary = state.find_policy(entity->boundary);
      return {.tags = entity->tags, .boundary = boundary ? boundary->arn() : std::string()};
    }
    case Subject::policy: {
      const identity::ManagedPtr policy = state.find_policy_arn(form.get("PolicyArn"));
      return policy ? About{.tags = policy->tags} : About{};
    }
    case Subject::provider: {
      const identity::ProviderPtr provider =
          state.find_provider_arn(form.get("OpenIDConnectProviderArn"));
      return provider ? About{.tags = provider->tags} : About{};
    }
    default:
      return {};
  }
}

/// What else whoever makes a thing with tags must be allowed, as on AWS.
constexpr auto kTagging = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"CreateUser", "iam:TagUser"},
    {"CreateRole", "iam:TagRole"},
    {"CreatePolicy", "iam:TagPolicy"},
    {"CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"},
});

std::vector<std::string_view> permissions_of(const Action& action, const Form& form) {
  std::vector<std::string_view> out{action.permission};
  const bool brings_tags = std::ranges::any_of(form.parameters(), [](const auto& parameter) {
    return parameter.first.starts_with("Tags.member.");
  });
  for (const auto& [name, permission] : kTagging) {
    if (brings_tags && name == action.name) {
      out.push_back(permission);
    }
  }
  return out;
}

Failure refusal(const auth::Identity& who,
                std::string_view permission,
                const std::string& resource,
                const policy::Decision& decision) {
  return {403, "AccessDenied",
          "User: " + who.arn + " is not authorized to perform: " + std::string(permission) +
              " on resource: " + resource,
          decision.why()};
}

}  // namespace

std::expected<Permit, Failure> authorize(const Action& action,
                                         const Form& form,
                                         const identity::State& state,
                                         const auth::Identity& who,
                                         const policy::Context& context) {
  if (action.permission.empty()) {
    return Permit({.reason = policy::Reason::own_rights});
  }
  if (who.account != policy::kAccount) {
    return std::unexpected(Failure{
        403, "AccessDenied", "Users, roles and sessions are of the server's first account only.",
        policy::Why{.reason = policy::Reason::not_allowed}});
  }
  // As in AWS: without a second factor, such credentials are for data.
  if (who.temporary && who.kind != policy::Subject::Kind::role_session) {
    return std::unexpected(
        Failure{403, "AccessDenied", "Credentials of GetSessionToken cannot be used for IAM.", {}});
  }
  policy::Decision decision;
  const std::vector<std::string_view> permissions = permissions_of(action, form);
  const std::vector<std::string> resources = resources_of(action, form, state, who);
  const FormContext asked(context, form, about(action, form, state, resources.front()));
  for (const std::string& resource : resources) {
    for (const std::string_view permission : permissions) {
      decision = decide(permission, resource, who, asked);
      if (!decision.allowed) {
        return std::unexpected(refusal(who, permission, resource, decision));
      }
    }
  }
  return Permit(decision.why());
}

}  // namespace outcrop::iam
