#include "api/s3/audit.h"

#include "api/s3/call.h"

namespace outcrop::s3 {
namespace {

constexpr int kUnauthorized = 401, kForbidden = 403;

bool wanted(const Seen& seen, int status) {
  if (seen.op == nullptr) {
    return true;
  }
  // Of a DeleteObjects that was carried out there is one record for each key.
  const bool by_key = seen.op->id == OpId::delete_objects && status == 200;
  return seen.op->method != Method::get && seen.op->method != Method::head && !by_key;
}

audit::Decision decision(int status) {
  if (status < 400) {
    return audit::Decision::ok;
  }
  const bool denied = status == kUnauthorized || status == kForbidden;
  return denied ? audit::Decision::denied : audit::Decision::failed;
}

std::string_view identity_of(const std::optional<auth::Principal>& who) {
  if (!who) {
    return {};
  }
  return who->anonymous() ? audit::kAnonymous : std::string_view(who->access_key);
}

/// Why: the error, what let the request through, or both of a refusal.
std::string reason_of(const Seen& seen) {
  std::string out(seen.code);
  if (seen.why && (seen.code.empty() || seen.code == row(Code::access_denied).name)) {
    out.append(out.empty() ? "" : ": ").append(policy::to_string(*seen.why));
  }
  return out;
}

}  // namespace

bool may_leave_record(const http::Request& request) {
  return request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
}

void audit_request(audit::Sink& sink, const http::Request& request, const Seen& seen, int status) {
  if (!wanted(seen, status)) {
    return;
  }
  std::string action("s3:");
  std::string resource;
  if (seen.op != nullptr) {
    action.append(seen.op->name);
    resource.append(seen.target.bucket);
    if (!seen.target.key.empty()) {
      resource.append("/").append(seen.target.key);
    }
  } else {
    action.append(request.method);
    resource = request.target.substr(0, request.target.find('?'));
  }
  const std::string code = std::to_string(status), reason = reason_of(seen);
  sink.record({.protocol = "s3",
               .address = request.address(),
               .identity = identity_of(seen.who),
               .request = request.id,
               .action = action,
               .resource = resource,
               .target = request.header("x-amz-copy-source")
                             .value_or(request.header("x-amz-rename-source").value_or("")),
               .result = decision(status),
               .status = code,
               .reason = reason});
}

void audit_key(const Call& call, std::string_view key, const Outcome<Grant>& deleted) {
  if (call.config.audit == nullptr) {
    return;
  }
  Seen seen;
  seen.who = call.auth.principal;
  seen.code = deleted ? std::string_view() : row(deleted.error().code).name;
  seen.why = deleted ? deleted->why() : deleted.error().why;
  const int status = deleted ? 204 : deleted.error().status();
  const std::string resource = std::string(call.bucket()).append("/").append(key);
  const std::string code = std::to_string(status), reason = reason_of(seen);
  call.config.audit->record({.protocol = "s3",
                             .address = call.request.address(),
                             .identity = identity_of(seen.who),
                             .request = call.request.id,
                             .action = "s3:DeleteObjects",
                             .resource = resource,
                             .result = decision(status),
                             .status = code,
                             .reason = reason});
}

}  // namespace outcrop::s3
