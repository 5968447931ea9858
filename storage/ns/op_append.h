// Appending to an object that is there: its file changes in place, once, as by a file client; in a
// bucket with versions, what it was stays one. The old bytes are not touched: the new ones are
// further pieces. Used by op_put.cpp.
#pragma once
#include <optional>
#include <string_view>

#include "storage/ns/core.h"
#include "storage/ns/file_change.h"
#include "storage/ns/payload_writer.h"

namespace outcrop::ns {

struct AppendOp {
  std::string_view bucket, key;
  const PayloadWriter& payload;
  const PutRequest& request;
  /// Of a payload that is small, but too large to ride with the transaction beside what the record
  /// may hold: stored ahead.
  std::optional<PayloadStream> stream{};
  InodeId ino = 0;  ///< of the object that the last attempt found
  InodeId busy = 0;
  InodeId spare = 0;  ///< the first of `spares`, for versions of what it was
  std::uint32_t spares = 0, spares_needed = 0;
  std::size_t pieces = 0;  ///< of the object, after success
};

/// One attempt. Empty: there is no object, or the plan was outrun; `op.ino` is 0 or tells which.
Task<std::optional<ObjectInfo>> try_append(Core& core, AppendOp& op);

}  // namespace outcrop::ns
