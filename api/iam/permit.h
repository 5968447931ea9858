// That a request may be served, and why. Only authorize() makes one, and no handler runs without.
#pragma once
#include <expected>
#include <utility>

#include "auth/identity/state.h"
#include "auth/policy/evaluate.h"

namespace outcrop::iam {

struct Action;
struct Failure;
class Form;

class Permit {
 public:
  const policy::Why& why() const { return x_why; }
  friend std::expected<Permit, Failure> authorize(const Action& action,
                                                  const Form& form,
                                                  const identity::State& state,
                                                  const auth::Identity& who,
                                                  const policy::Context& context);

 private:
  explicit Permit(policy::Why why) : x_why(std::move(why)) {}
  policy::Why x_why;
};

}  // namespace outcrop::iam
