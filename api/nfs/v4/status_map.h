// From the errors of the store to those of NFSv4 (RFC 8881 section 15, RFC 7862 section 11).
#pragma once
#include "api/nfs/v4state/status.h"
#include "storage/base/error.h"

namespace outcrop::nfs::v4 {

Status to_status(Errc code);
inline Status to_status(const Error& error) { return to_status(error.code()); }

}  // namespace outcrop::nfs::v4
