// Who may use IAM: the caller's own policies decide. A Permit cannot be made anywhere else, and no
// handler runs without one.
#pragma once
#include <expected>
#include <string>

#include "api/iam/answer.h"
#include "api/iam/table.h"
#include "auth/policy/evaluate.h"

namespace outcrop::iam {

class Permit {
 public:
  policy::Reason reason() const { return x_reason; }
  friend std::expected<Permit, Failure> authorize(const Action& action,
                                                  const Form& form,
                                                  const identity::State& state,
                                                  const auth::Identity& who,
                                                  const policy::Context& context);

 private:
  explicit Permit(policy::Reason reason) : x_reason(reason) {}
  policy::Reason x_reason;
};

/// AccessDenied, in IAM's words.
std::expected<Permit, Failure> authorize(const Action& action,
                                         const Form& form,
                                         const identity::State& state,
                                         const auth::Identity& who,
                                         const policy::Context& context);

}  // namespace outcrop::iam
