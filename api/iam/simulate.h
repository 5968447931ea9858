// What SimulatePrincipalPolicy and SimulateCustomPolicy ask, read from the form: policies, who is
// to have them, actions, resources, and values of condition keys. Private to api/iam.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/iam/call.h"
#include "auth/policy/explain.h"

namespace outcrop::iam {

/// A policy of the simulation and what an answer calls it.
struct Source {
  identity::PolicyPtr policy;
  std::string id;         ///< "PolicyInputList.1", "user_alice_p", or a managed policy's name
  std::string_view type;  ///< "IAM Policy" or "Resource Policy"
  std::vector<policy::Span> spans = policy::statement_spans(policy->text);
};

/// Values of condition keys: those of the form, and for what it does not give those that are known
/// of the caller and of the time.
class SimulatedContext final : public policy::Context {
 public:
  /// InvalidInput: a key that there is not, or that never has a value here.
  identity::Checked<> add(const std::string& name, std::vector<std::string> values);
  /// One that the form does not give.
  void fill(std::string_view name, std::string value);
  void values(const policy::KeyName& key, policy::Values& out) const override;
  /// Whether it has a value for the key of that name.
  bool has(std::string_view name) const;

 private:
  struct Order {
    bool operator()(const policy::KeyName& a, const policy::KeyName& b) const;
  };
  std::map<policy::KeyName, std::vector<std::string>, Order> x_values;
};

struct Simulation {
  std::vector<Source> own;  ///< of the caller's side
  std::optional<Source> boundary{};
  std::optional<Source> resource{};  ///< its text; it is compiled for each bucket
  bool unreadable = false;
  policy::Subject::Kind kind = policy::Subject::Kind::user;
  std::string arn{}, role_arn{}, id{};  ///< of the caller
  std::string owner;                    ///< account of the resources
  std::vector<std::string> actions, resources;
  SimulatedContext context{};
};

/// The policies of PolicySourceArn: a user with those of his groups, a group or a role.
/// NoSuchEntity.
identity::Checked<identity::EntityPtr> policy_source(const Call& call);
std::vector<Source> sources_of(const identity::State& state, const identity::Entity& entity);
/// Those of a list of documents. InvalidInput: one that does not compile.
identity::Checked<std::vector<Source>> input_policies(const Form& form, std::string_view list);

/// `entity` null: of a custom policy.
identity::Checked<Simulation> read_simulation(const Call& call, const identity::EntityPtr& entity);

}  // namespace outcrop::iam
