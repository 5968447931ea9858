#include "storage/segment/sync_queue.h"

#include "storage/segment/settle.h"

namespace outcrop::segment {

Task<> SyncQueue::run(const SegmentPtr& segment) {
  std::vector<io::IoOp> ops;
  std::vector<drives::Slot> slots;
  for (unsigned shard = 0; shard < segment->record.slots.size(); ++shard) {
    if (io::File* file = segment->shard(shard, x_context.drives)) {
      ops.push_back({.kind = io::OpKind::sync,
                     .file = file,
                     .offset = 0,
                     .buffer = {},
                     .durable = false,
                     .result = {}});
      slots.push_back(segment->record.slots[shard]);
    }
  }
  co_await io::run(x_context.backend(), ops);
  co_return co_await settle(x_context, ops, slots, segment->record.k);
}

// The first caller runs the sync; those who come meanwhile wait, then one of them runs the next
// for all of them.
Task<> SyncQueue::sync(SegmentPtr segment) {
  const SegmentId id = segment->record.id;
  if (x_states[id].running) {
    CO_TRY(const bool lead, co_await suspend<bool>([&](Resume<bool> resume) {
             State& state = x_states[id];
             state.waiting.push_back(std::move(resume));
           }));
    if (!lead) {
      co_return ok();
    }
  }
  x_states[id].running = true;
  std::vector<Resume<bool>> served = std::exchange(x_states[id].joined, {});
  Result<void> result = co_await run(segment);
  for (Resume<bool>& waiter : served) {
    waiter(result ? Result<bool>(false) : Result<bool>(fail(result.error())));
  }
  State& state = x_states[id];
  if (state.waiting.empty()) {
    x_states.erase(id);
  } else {
    Resume<bool> lead = std::move(state.waiting.front());
    state.waiting.erase(state.waiting.begin());
    state.joined = std::exchange(state.waiting, {});
    lead(true);
  }
  co_return result;
}

}  // namespace outcrop::segment
