// What the audit log learns of S3 requests: one record for each write, and for each key that a
// DeleteObjects names; refused ones too. Reads leave none.
#pragma once
#include <optional>
#include <string>

#include "api/http/message.h"
#include "api/s3/error.h"
#include "api/s3/op_table.h"
#include "auth/audit/event.h"
#include "auth/authenticator.h"
#include "auth/policy/evaluate.h"
#include "auth/target.h"

namespace outcrop::s3 {

struct Call;
class Grant;

/// What is known of a request by the time it is answered.
struct Seen {
  auth::Target target;
  const Op* op = nullptr;                ///< null: it was refused before it was routed
  std::optional<auth::Principal> who{};  ///< empty: it was not authenticated
  std::string_view code{};               ///< of the error; empty: there was none
  std::optional<policy::Why> why{};      ///< what let it through or refused it
};

/// False for reads: most requests, which the log costs nothing.
bool may_leave_record(const http::Request& request);
/// Into `sink`, if the request is one of those.
void audit_request(audit::Sink& sink, const http::Request& request, const Seen& seen, int status);
/// One key of a DeleteObjects, and what became of it; nothing without a log.
void audit_key(const Call& call, std::string_view key, const Outcome<Grant>& deleted);

}  // namespace outcrop::s3
