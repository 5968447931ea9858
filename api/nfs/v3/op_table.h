// The procedures of NFSv3 (RFC 1813 section 3.3), one row each.
#pragma once
#include <span>

#include "api/nfs/v3/call.h"

namespace outcrop::nfs::v3 {

/// Reads the arguments, writes the whole result with its status, and returns that; garbage if the
/// arguments do not parse, and then what it wrote is dropped. Everything is borrowed until then.
using Handler = Async<Status> (*)(const Call& call, XdrReader& in, XdrWriter& out);

struct Op {
  std::uint32_t procedure;
  std::string_view name;
  Handler handler;
  bool writes;   ///< refused on read-only exports
  bool replays;  ///< must not be done twice: its replies are kept
};

inline constexpr std::uint32_t kProcedures = 22;

std::span<const Op> ops();
/// Null: no such procedure.
const Op* find_op(std::uint32_t procedure);

}  // namespace outcrop::nfs::v3
