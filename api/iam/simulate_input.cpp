#include <algorithm>
#include <functional>

#include "api/iam/answer.h"
#include "api/iam/lists.h"
#include "api/iam/simulate.h"
#include "api/s3/headers.h"

namespace outcrop::iam {
namespace {

using identity::Checked;
using identity::EntityKind;

/// What AWS answers, whatever its list of SourcePolicyTypes has.
constexpr std::string_view kIamPolicy = "IAM Policy";

std::unexpected<identity::IamError> invalid(std::string message) {
  return identity::refuse(identity::IamCode::invalid_input, std::move(message));
}

/// AWS's ContextKeyTypes; with "List" behind them there may be several values.
bool is_type(std::string_view type) {
  constexpr std::string_view kTypes = "string numeric boolean ip binary date";
  return has_word(kTypes, type.substr(0, type.size() - (type.ends_with("List") ? 4 : 0)));
}

Checked<> read_context(const Form& form, SimulatedContext& out) {
  const auto entries =
      structures_of(form, "ContextEntries", "ContextKeyName ContextKeyType ContextKeyValues.");
  if (!entries) {
    return std::unexpected(entries.error());
  }
  for (const Structure& entry : *entries) {
    const auto name = entry.find("ContextKeyName"), type = entry.find("ContextKeyType");
    std::vector<std::string> values;
    for (const auto& [field, value] : entry) {
      if (field.starts_with("ContextKeyValues.member.")) {
        values.push_back(value);
      }
    }
    const bool one = type != entry.end() && !type->second.ends_with("List");
    if (name == entry.end() || type == entry.end() || !is_type(type->second) || values.empty() ||
        (one && values.size() != 1)) {
      return invalid("A context entry has a name, a type and values, of a type without List one.");
    }
    if (auto added = out.add(name->second, std::move(values)); !added) {
      return added;
    }
  }
  return {};
}

Checked<> read_actions(const Form& form, Simulation& out) {
  auto names = list_of(form, "ActionNames");
  if (!names) {
    return std::unexpected(std::move(names).error());
  }
  if (names->empty()) {
    return identity::refuse(identity::IamCode::validation, "ActionNames names no action.");
  }
  for (const std::string& name : *names) {
    if (!policy::find_action(name)) {
      return invalid("Invalid Action: no request to this server needs " + name + ".");
    }
  }
  out.actions = *std::move(names);
  return {};
}

Checked<> read_resources(const Form& form, Simulation& out) {
  auto arns = list_of(form, "ResourceArns");
  if (!arns) {
    return std::unexpected(std::move(arns).error());
  }
  for (const std::string& arn : *arns) {
    policy::ArnParts parts;
    if (arn != "*" && !policy::split_arn(arn, parts)) {
      return invalid("Invalid Resource ARN: " + arn);
    }
  }
  out.resources = *std::move(arns);
  if (out.resources.empty()) {
    out.resources.emplace_back("*");
  }
  return {};
}

/// "arn:aws:iam::ACCOUNT:root", or the number alone.
Checked<> read_owner(const Form& form, Simulation& out) {
  out.owner = policy::kAccount;
  if (const auto owner = form.find("ResourceOwner")) {
    policy::ArnParts parts;
    out.owner = policy::split_arn(*owner, parts) ? parts.part[3] : *owner;
    if (out.owner.size() != policy::kAccount.size() ||
        out.owner.find_first_not_of("0123456789") != std::string::npos) {
      return invalid("Invalid ResourceOwner: " + std::string(*owner));
    }
  }
  return {};
}

void act_as(Simulation& out, const identity::Entity& entity) {
  const bool role = entity.kind == EntityKind::role;
  out.kind = role ? policy::Subject::Kind::role_session : policy::Subject::Kind::user;
  out.arn = entity.arn();
  out.role_arn = role ? out.arn : "";
  out.id = entity.id;
}

/// Whoever calls: CallerArn, or the user or role whose policies they are.
Checked<> read_caller(const Call& call, const identity::EntityPtr& entity, Simulation& out) {
  identity::EntityPtr caller = entity && entity->kind != EntityKind::group ? entity : nullptr;
  if (const auto arn = call.form.find("CallerArn")) {
    caller = call.state->find_arn(*arn);
    if (!caller || caller->kind != EntityKind::user) {
      return invalid("CallerArn must be the ARN of a user: " + std::string(*arn));
    }
  }
  if (!caller) {
    return {};
  }
  act_as(out, *caller);
  SimulatedContext& context = out.context;
  context.fill("aws:PrincipalArn", out.arn);
  context.fill("aws:PrincipalAccount", std::string(policy::kAccount));
  const bool user = caller->kind == EntityKind::user;
  context.fill("aws:PrincipalType", user ? "User" : "AssumedRole");
  if (user) {
    context.fill("aws:userid", caller->id);
    context.fill("aws:username", caller->name);
  }
  for (const auto& [key, value] : identity::tags_of(caller->tags)) {
    context.fill("aws:PrincipalTag/" + key, value);
  }
  return {};
}

Checked<> read_boundary(const Call& call, const identity::EntityPtr& entity, Simulation& out) {
  auto inputs = input_policies(call.form, "PermissionsBoundaryPolicyInputList");
  if (!inputs) {
    return std::unexpected(std::move(inputs).error());
  }
  if (inputs->size() > 1) {
    return invalid("There is at most one permissions boundary.");
  }
  if (!inputs->empty()) {
    out.boundary = std::move(inputs->front());
  } else if (entity && !entity->boundary.empty()) {
    const identity::ManagedPtr kept = call.state->find_policy(entity->boundary);
    out.unreadable = out.unreadable || !kept || !kept->document->compiled;
    if (kept) {
      out.boundary = {kept->document, kept->name, kIamPolicy};
    }
  }
  return {};
}

Checked<> read_resource_policy(const Call& call, Simulation& out) {
  const auto text = call.form.find("ResourcePolicy");
  if (!text) {
    return {};
  }
  if (out.arn.empty() || out.kind != policy::Subject::Kind::user) {
    return invalid("A ResourcePolicy is simulated for a user: CallerArn names him.");
  }
  auto named = std::make_shared<identity::NamedPolicy>();
  named->text = *text;
  out.resource = {std::move(named), "ResourcePolicy", "Resource Policy"};
  return {};
}

}  // namespace

bool SimulatedContext::Order::operator()(const policy::KeyName& a, const policy::KeyName& b) const {
  return a.key != b.key ? a.key < b.key : identity::NameOrder()(a.suffix, b.suffix);
}

Checked<> SimulatedContext::add(const std::string& name, std::vector<std::string> values) {
  const auto key = policy::find_key(name);
  if (!key || key->key == policy::Key::never) {
    return invalid("Invalid context key: no request to this server has " + name + ".");
  }
  if (!x_values.emplace(*key, std::move(values)).second) {
    return invalid("The context key " + name + " comes twice.");
  }
  return {};
}

void SimulatedContext::fill(std::string_view name, std::string value) {
  if (const auto key = policy::find_key(name)) {
    x_values.emplace(*key, std::vector{std::move(value)});
  }
}

void SimulatedContext::values(const policy::KeyName& key, policy::Values& out) const {
  if (const auto at = x_values.find(key); at != x_values.end()) {
    std::ranges::for_each(at->second, [&](const std::string& value) { out.add(value); });
  }
}

bool SimulatedContext::has(std::string_view name) const {
  const auto key = policy::find_key(name);
  return key && x_values.contains(*key);
}

Checked<identity::EntityPtr> policy_source(const Call& call) {
  const std::string arn = call.form.get("PolicySourceArn");
  identity::EntityPtr found = call.state->find_arn(arn);
  if (!found) {
    found = call.state->find(EntityKind::group, arn.substr(arn.rfind('/') + 1));
    found = found && found->arn() == arn ? found : nullptr;
  }
  return found ? Checked<identity::EntityPtr>(std::move(found))
               : identity::refuse(identity::IamCode::no_such_entity,
                                  "The policy source " + arn + " cannot be found.");
}

std::vector<Source> sources_of(const identity::State& state, const identity::Entity& entity) {
  std::vector<Source> out;
  const std::string_view kind = identity::kind_name(entity.kind);
  for (const auto& [name, policy] : entity.inline_policies) {
    out.push_back({policy, std::string(kind) + "_" + entity.name + "_" + name, kIamPolicy});
  }
  for (const std::string& key : entity.attached) {
    if (const identity::ManagedPtr managed = state.find_policy(key)) {
      out.push_back({managed->document, managed->name, kIamPolicy});
    }
  }
  for (const std::string& name : entity.groups) {
    if (const identity::EntityPtr group = state.find(EntityKind::group, name)) {
      std::ranges::move(sources_of(state, *group), std::back_inserter(out));
    }
  }
  return out;
}

Checked<std::vector<Source>> input_policies(const Form& form, std::string_view list) {
  const auto texts = list_of(form, list);
  if (!texts) {
    return std::unexpected(texts.error());
  }
  std::vector<Source> out;
  for (const std::string& text : *texts) {
    const std::string id = std::string(list) + "." + std::to_string(out.size() + 1);
    identity::PolicyPtr made = identity::make_policy(id, text);
    if (!made->compiled) {
      return invalid(id + ": " +
                     policy::Policy::compile(text, policy::PolicyKind::identity).error());
    }
    out.push_back({std::move(made), id, kIamPolicy});
  }
  return out;
}

Checked<Simulation> read_simulation(const Call& call, const identity::EntityPtr& entity) {
  Simulation out;
  auto inputs = input_policies(call.form, "PolicyInputList");
  if (!inputs) {
    return std::unexpected(std::move(inputs).error());
  }
  if (entity) {
    out.own = sources_of(*call.state, *entity);
    out.unreadable = call.state->identity_of(*entity)->unreadable;
  } else if (inputs->empty()) {
    return identity::refuse(identity::IamCode::validation, "PolicyInputList has no policy.");
  }
  std::ranges::move(*inputs, std::back_inserter(out.own));
  const std::function<Checked<>()> steps[] = {[&] { return read_actions(call.form, out); },
                                              [&] { return read_resources(call.form, out); },
                                              [&] { return read_owner(call.form, out); },
                                              [&] { return read_context(call.form, out.context); },
                                              [&] { return read_caller(call, entity, out); },
                                              [&] { return read_boundary(call, entity, out); },
                                              [&] { return read_resource_policy(call, out); }};
  for (const auto& step : steps) {
    if (Checked<> read = step(); !read) {
      return std::unexpected(std::move(read).error());
    }
  }
  const std::int64_t now = call.clock.wall_ns();
  out.context.fill("aws:CurrentTime", s3::format_iso_date(now));
  out.context.fill("aws:EpochTime", std::to_string(now / 1'000'000'000));
  out.context.fill("aws:ResourceAccount", out.owner);
  return out;
}

}  // namespace outcrop::iam
