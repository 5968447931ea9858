// Who may use IAM: the caller's own policies decide.
#pragma once
#include <expected>
#include <string>

#include "api/iam/answer.h"
#include "api/iam/permit.h"
#include "api/iam/table.h"

namespace outcrop::iam {

/// The ARN of what the action is about.
std::string resource_of(const Action& action,
                        const Form& form,
                        const identity::State& state,
                        const auth::Identity& who);

/// AccessDenied, in IAM's words.
std::expected<Permit, Failure> authorize(const Action& action,
                                         const Form& form,
                                         const identity::State& state,
                                         const auth::Identity& who,
                                         const policy::Context& context);

}  // namespace outcrop::iam
