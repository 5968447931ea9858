// What of a compound's operations goes into the audit log (api/nfs/audit.h).
#pragma once
#include "api/nfs/v4/compound.h"

namespace outcrop::nfs::v4 {

/// Before the handler: forgets the last operation, and notes what this one is about.
void begin_audit(Compound& c, const OpRow& row);
/// After it, with the status that the client gets.
Async<> end_audit(Compound& c, const OpRow& row, Status status);

}  // namespace outcrop::nfs::v4
