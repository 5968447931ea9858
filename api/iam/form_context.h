// What conditions may ask of an IAM or STS request beside what they ask of every one: the tags that
// it brings and those of what it is about, and what it says of a session. One request long.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/iam/form.h"
#include "auth/identity/tags.h"
#include "auth/policy/condition_key.h"

namespace outcrop::iam {

/// What the request is about, as it is before the request. Null and empty: it has none, or is not
/// there.
struct About {
  identity::TagsPtr tags{};
  std::string boundary{};  ///< of a user or role: ARN of his permissions boundary
};

/// Borrows the request's own context and the form. A list that is malformed is refused by whoever
/// serves the action.
class FormContext : public policy::Context {
 public:
  FormContext(const policy::Context& request, const Form& form, About about);
  void values(const policy::KeyName& key, policy::Values& out) const override;

 private:
  void add_boundary(policy::Values& out) const;

  const policy::Context& x_request;
  const Form& x_form;
  const About x_about;
  std::vector<std::pair<std::string_view, std::string_view>> x_tags;
  std::vector<std::string_view> x_tag_keys, x_transitive;
};

}  // namespace outcrop::iam
