// What the answer of GET /v1/drives means to a person: which drive a name is of, and how far repair
// is. Pure; what the answer lacks counts as empty.
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace outcrop::tools {

/// As many characters of a uuid as lists show; a name of a drive has at least so many of it.
inline constexpr std::size_t kShortUuid = 8;

/// By slot, path, the last path of a missing drive, or the beginning of a uuid. Errors: not_found
/// and conflict (more than one); the detail is for the user.
Result<boost::json::object> find_drive(const boost::json::object& status, std::string_view name);

struct RepairView {
  bool busy = false;   ///< it works, or will
  bool whole = false;  ///< nothing is degraded, damaged, or has to move
  std::string line;    ///< for people
};
RepairView view_repair(const boost::json::object& status);

/// Of data that is spread over drives that were added: how far that is, or when it begins. Empty:
/// nothing is to be done.
std::string rebalance_text(const boost::json::object& status);
/// The part of GET /v1/drives about repair, restriping or rebalancing, while it is busy.
std::string progress_text(const boost::json::object& repair);
/// What is the matter with segments that are blocked, and what becomes of them.
std::string blocked_text(const boost::json::object& status);

}  // namespace outcrop::tools
