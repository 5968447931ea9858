// Exports as JSON objects with the fields of export_fields.h; for the state file and the admin API.
// Private to server.
#pragma once
#include <boost/json/object.hpp>

#include "api/nfs/export.h"
#include "storage/base/result.h"

namespace outcrop::server {

boost::json::object export_to_json(const nfs::Export& e);
/// invalid_argument, with "field: why".
Result<nfs::Export> export_from_json(const boost::json::value& value);

}  // namespace outcrop::server
