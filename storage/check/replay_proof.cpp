#include "storage/check/replay_proof.h"

#include "storage/check/shard_reader.h"
#include "storage/meta/meta_store.h"
#include "storage/meta/tables.h"
#include "storage/segment/blob_store.h"

namespace outcrop::check {

// As SegmentStore does: without a segment the transaction that made it was not proven either.
Task<bool> ReplayProof::verify_and_complete(const Extent& extent) {
  CO_TRY(const auto stored, co_await x_store->get(meta::segment_key(extent.segment), {}));
  const auto record = stored ? segment::decode_segment(*stored)
                             : Result<segment::SegmentRecord>(fail(Errc::not_found));
  if (!record || !record->small || extent.length == 0 || extent.length > segment::kSmallMax ||
      extent.offset > record->shard_bytes ||
      segment::kHeaderBytes + extent.length > record->shard_bytes - extent.offset) {
    co_return false;
  }
  ShardReader reader(*record, x_drives);
  std::array<Row, 1> row{Row{.offset = extent.offset,
                             .stamp = extent.stamp,
                             .length = static_cast<std::uint32_t>(extent.length),
                             .extent = 0,
                             .good = 0}};
  CO_TRYV(co_await reader.read(row, nullptr));
  co_return row[0].good != 0;
}

}  // namespace outcrop::check
