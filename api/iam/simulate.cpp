// Simulations: what the evaluator that decides requests says of policies, actions and resources.
#include "api/iam/simulate.h"

#include <algorithm>

#include "api/iam/answer.h"

namespace outcrop::iam {
namespace {

using identity::Checked;
using policy::Effect;

/// One action on one resource.
struct Outcome {
  policy::Decision decision;
  std::string_view word;  ///< AWS's EvalDecision
  std::optional<bool> within_boundary{};
  struct Match {
    const Source* source;
    policy::Span at;
  };
  std::vector<Match> matches{};
};

bool is_explicit(policy::Reason reason) {
  using policy::Reason;
  return reason == Reason::denied_by_identity || reason == Reason::denied_by_boundary ||
         reason == Reason::denied_by_bucket;
}

policy::ArnParts parts_of(const std::string& resource) {
  policy::ArnParts out;
  if (!policy::split_arn(resource, out)) {
    out.part.fill("*");  // everything, which only a pattern for everything names
  }
  return out;
}

/// The resource's policy, compiled once for each bucket.
class ResourcePolicies {
 public:
  explicit ResourcePolicies(const Simulation& s) : x_simulation(s) {}
  /// Null: there is none. InvalidInput: it does not fit the resource, or that is in no bucket.
  Checked<const policy::Policy*> find(const policy::ArnParts& resource) {
    if (!x_simulation.resource) {
      return nullptr;
    }
    const std::string bucket(resource.part[4].substr(0, resource.part[4].find('/')));
    if (resource.part[1] != "s3" || bucket.empty()) {
      return identity::refuse(identity::IamCode::invalid_input,
                              "A ResourcePolicy is simulated for buckets and objects of S3.");
    }
    const auto known = x_compiled.find(bucket);
    if (known != x_compiled.end()) {
      return &known->second;
    }
    auto compiled = policy::Policy::compile(x_simulation.resource->policy->text,
                                            policy::PolicyKind::bucket, bucket);
    if (!compiled) {
      return identity::refuse(identity::IamCode::invalid_input,
                              "ResourcePolicy: " + compiled.error());
    }
    return &x_compiled.emplace(bucket, *std::move(compiled)).first->second;
  }

 private:
  const Simulation& x_simulation;
  std::map<std::string, policy::Policy> x_compiled;
};

void add_matches(const Source& source,
                 const policy::Policy& compiled,
                 Effect effect,
                 const policy::Request& request,
                 Outcome& out) {
  const policy::Statement* const first = compiled.statements().data();
  for (const policy::Statement* const s : compiled.find_all(effect, request)) {
    const auto index = static_cast<std::size_t>(s - first);
    out.matches.push_back(
        {&source, index < source.spans.size() ? source.spans[index] : policy::Span{}});
  }
}

/// What decided: the statements that deny it, or all that allow it.
void explain(const Simulation& s,
             const policy::Policy* resource,
             const policy::Request& request,
             Outcome& out) {
  const bool denied = is_explicit(out.decision.reason);
  if (!denied && !out.decision.allowed) {
    return;
  }
  const Effect effect = denied ? Effect::deny : Effect::allow;
  for (const Source& source : s.own) {
    add_matches(source, *source.policy->compiled, effect, request, out);
  }
  if (s.boundary && denied) {
    add_matches(*s.boundary, *s.boundary->policy->compiled, effect, request, out);
  }
  if (resource != nullptr) {
    add_matches(*s.resource, *resource, effect, request, out);
  }
}

Outcome simulate(const Simulation& s,
                 const std::string& action,
                 const policy::ArnParts& parts,
                 const policy::Policy* resource) {
  std::vector<const policy::Policy*> own;
  policy::PolicySet set;
  set.unreadable = s.unreadable;
  for (const Source& source : s.own) {
    own.push_back(source.policy->compiled ? &*source.policy->compiled : nullptr);
    set.unreadable = set.unreadable || own.back() == nullptr;
  }
  const identity::PolicyPtr boundary = s.boundary ? s.boundary->policy : nullptr;
  set.identity = own;
  set.boundary = boundary && boundary->compiled ? &*boundary->compiled : nullptr;
  set.bucket = resource;
  set.foreign = s.owner != policy::kAccount;
  const policy::Subject subject{.kind = s.kind,
                                .account = policy::kAccount,
                                .arn = s.arn,
                                .role_arn = s.role_arn,
                                .canonical_id = {},
                                .id = s.id};
  const policy::Request request{.action = policy::find_action(action).value(),
                                .resource = parts,
                                .subject = subject,
                                .context = s.context};
  Outcome out;
  out.decision = policy::decide(set, request);
  out.word = out.decision.allowed               ? "allowed"
             : is_explicit(out.decision.reason) ? "explicitDeny"
                                                : "implicitDeny";
  if (set.boundary != nullptr) {
    out.within_boundary = set.boundary->find(Effect::deny, request) == nullptr &&
                          set.boundary->find(Effect::allow, request) != nullptr;
  }
  if (!set.unreadable) {
    explain(s, resource, request, out);
  }
  return out;
}

/// What the policies ask for and nobody has given.
std::vector<std::string> missing_keys(const Simulation& s) {
  std::vector<const Source*> all;
  std::ranges::transform(s.own, std::back_inserter(all), [](const Source& one) { return &one; });
  for (const std::optional<Source>* one : {&s.boundary, &s.resource}) {
    if (*one) {
      all.push_back(&**one);
    }
  }
  std::set<std::string> out;
  for (const Source* source : all) {
    for (const std::string& key : policy::context_keys(source->policy->text)) {
      const auto known = policy::find_key(key);
      if (known && known->key != policy::Key::never && !s.context.has(key)) {
        out.insert(key);
      }
    }
  }
  return {out.begin(), out.end()};
}

void write_place(s3::XmlWriter& xml, std::string_view element, const policy::Place& place) {
  xml.open(element).number("Line", place.line).number("Column", place.column).close();
}

/// What a result and its part for the resource have in common.
void write_reasons(s3::XmlWriter& xml,
                   const Outcome& outcome,
                   const std::vector<std::string>& missing) {
  xml.open("MatchedStatements");
  for (const Outcome::Match& match : outcome.matches) {
    xml.open("member").text("SourcePolicyId", match.source->id);
    xml.text("SourcePolicyType", match.source->type);
    write_place(xml, "StartPosition", match.at.begin);
    write_place(xml, "EndPosition", match.at.end);
    xml.close();
  }
  xml.close().open("MissingContextValues");
  for (const std::string& key : missing) {
    xml.text("member", key);
  }
  xml.close();
  if (outcome.within_boundary) {
    xml.open("PermissionsBoundaryDecisionDetail");
    xml.flag("AllowedByPermissionsBoundary", *outcome.within_boundary).close();
  }
}

void write_result(s3::XmlWriter& xml,
                  const std::string& action,
                  const std::string& resource,
                  const Outcome& outcome,
                  const std::vector<std::string>& missing) {
  xml.open("member").text("EvalActionName", action).text("EvalResourceName", resource);
  xml.text("EvalDecision", outcome.word);
  write_reasons(xml, outcome, missing);
  xml.open("ResourceSpecificResults");
  if (resource != "*") {
    xml.open("member").text("EvalResourceName", resource);
    xml.text("EvalResourceDecision", outcome.word);
    write_reasons(xml, outcome, missing);
    xml.close();
  }
  xml.close().close();
}

/// Pages are of pairs of action and resource, by their numbers.
Checked<> answer(Call& call, const identity::EntityPtr& entity) {
  const auto simulation = read_simulation(call, entity);
  if (!simulation) {
    return std::unexpected(simulation.error());
  }
  constexpr std::size_t kDigits = 6;  // a form has some hundred parameters
  std::vector<std::string> numbers;
  const std::size_t resources = simulation->resources.size();
  for (std::size_t i = 0; i < simulation->actions.size() * resources; ++i) {
    const std::string number = std::to_string(i);
    numbers.push_back(std::string(kDigits - number.size(), '0') + number);
  }
  const auto page = page_of(call, std::move(numbers));
  if (!page) {
    return std::unexpected(page.error());
  }
  const std::vector<std::string> missing = missing_keys(*simulation);
  ResourcePolicies policies(*simulation);
  call.xml.open("EvaluationResults");
  for (const std::string& text : *page) {
    const std::size_t number = std::stoul(text);
    const std::string& action = simulation->actions[number / resources];
    const std::string& resource = simulation->resources[number % resources];
    const policy::ArnParts parts = parts_of(resource);
    const auto of_resource = policies.find(parts);
    if (!of_resource) {
      return std::unexpected(of_resource.error());
    }
    const Outcome outcome = simulate(*simulation, action, parts, *of_resource);
    write_result(call.xml, action, resource, outcome, missing);
  }
  call.xml.close();
  return {};
}

Checked<> write_keys(Call& call, const std::vector<Source>& sources) {
  std::set<std::string, identity::NameOrder> keys;
  for (const Source& source : sources) {
    for (std::string& key : policy::context_keys(source.policy->text)) {
      keys.insert(std::move(key));
    }
  }
  call.xml.open("ContextKeyNames");
  for (const std::string& key : keys) {
    call.xml.text("member", key);
  }
  call.xml.close();
  return {};
}

}  // namespace

Answer simulate_principal_policy(Call& call) {
  const auto entity = policy_source(call);
  co_return entity ? answer(call, *entity) : std::unexpected(entity.error());
}

Answer simulate_custom_policy(Call& call) { co_return answer(call, nullptr); }

Answer get_context_keys_for_principal(Call& call) {
  const auto entity = policy_source(call);
  if (!entity) {
    co_return std::unexpected(entity.error());
  }
  auto inputs = input_policies(call.form, "PolicyInputList");
  if (!inputs) {
    co_return std::unexpected(std::move(inputs).error());
  }
  std::vector<Source> sources = sources_of(*call.state, **entity);
  std::ranges::move(*inputs, std::back_inserter(sources));
  co_return write_keys(call, sources);
}

Answer get_context_keys_for_custom(Call& call) {
  const auto inputs = input_policies(call.form, "PolicyInputList");
  if (!inputs) {
    co_return std::unexpected(inputs.error());
  }
  if (inputs->empty()) {
    co_return identity::refuse(identity::IamCode::validation, "PolicyInputList has no policy.");
  }
  co_return write_keys(call, *inputs);
}

}  // namespace outcrop::iam
