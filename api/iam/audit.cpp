#include "api/iam/audit.h"

namespace outcrop::iam {
namespace {

constexpr int kOk = 200, kForbidden = 403;

audit::Decision decision(const Failure* failure) {
  if (failure == nullptr) {
    return audit::Decision::ok;
  }
  return failure->status == kForbidden ? audit::Decision::denied : audit::Decision::failed;
}

std::string reason_of(const Seen& seen, const Failure* failure) {
  const std::optional<policy::Why>& why = failure != nullptr ? failure->why : seen.why;
  std::string out = failure != nullptr ? failure->code : std::string();
  if (why) {
    out.append(out.empty() ? "" : ": ").append(policy::to_string(*why));
  }
  return out;
}

}  // namespace

std::string target_of(const Action& action, const Form& form) {
  if (const auto key = form.find("AccessKeyId")) {
    const std::string status = form.get("Status");
    return std::string(*key) + (status.empty() ? "" : " ") + status;
  }
  for (const std::string_view renamed :
       {"NewUserName", "NewGroupName", "NewPath", "VersionId", "PermissionsBoundary"}) {
    if (const auto next = form.find(renamed)) {
      return std::string(*next);
    }
  }
  switch (action.subject) {
    case Subject::group:
      if (const auto member = form.find("UserName")) {
        return std::string(*member);
      }
      [[fallthrough]];
    case Subject::user:
    case Subject::role:
      return std::string(form.find("PolicyArn").value_or(form.find("PolicyName").value_or("")));
    default:
      return {};
  }
}

void audit_request(audit::Sink& sink,
                   const http::Request& request,
                   const Seen& seen,
                   const Failure* failure) {
  const audit::Decision result = decision(failure);
  const bool reads = seen.action != nullptr && seen.action->access == Access::read;
  if (reads && result != audit::Decision::denied) {
    return;
  }
  const std::string action = seen.service + ":" + (seen.name.empty() ? request.method : seen.name);
  const std::string status = std::to_string(failure != nullptr ? failure->status : kOk);
  const std::string reason = reason_of(seen, failure);
  sink.record({.protocol = seen.service,
               .address = request.address(),
               .identity = seen.access_key,
               .request = request.id,
               .action = action,
               .resource = seen.resource,
               .target = seen.target,
               .result = result,
               .status = status,
               .reason = reason});
}

}  // namespace outcrop::iam
