// What the audit log learns of IAM and STS: one record for each request that changes identities or
// gives out credentials, and for each that is refused. Never a secret, a token or a document.
#pragma once
#include <string>

#include "api/http/message.h"
#include "api/iam/answer.h"
#include "api/iam/table.h"
#include "auth/audit/event.h"

namespace outcrop::iam {

/// What is known of a request by the time it is answered.
struct Seen {
  std::string service;               ///< "iam" or "sts"
  std::string name{};                ///< of the action, as the form has it
  const Action* action = nullptr;    ///< null: refused before that, or there is no such action
  std::string access_key{};          ///< empty: it was not authenticated
  std::string resource{}, target{};  ///< what it is about, and the other thing it names
  std::optional<policy::Why> why{};  ///< what let it through
};

/// The second thing that the form names beside the subject: a policy, an access key, a member.
std::string target_of(const Action& action, const Form& form);

/// Into `sink`, if the request is one of those. `failure`: null if it was served.
void audit_request(audit::Sink& sink,
                   const http::Request& request,
                   const Seen& seen,
                   const Failure* failure);

}  // namespace outcrop::iam
