// One fdatasync per shard file serves every stripe writer that waits: callers who arrive while a
// sync runs share the next one. One per worker; used on that worker only.
#pragma once
#include <map>
#include <vector>

#include "storage/segment/catalogue.h"
#include "storage/segment/context.h"

namespace outcrop::segment {

class SyncQueue {
 public:
  explicit SyncQueue(Context& context) : x_context(context) {}
  /// All writes that completed before this call are on stable storage on every live drive of the
  /// segment. A drive whose sync fails is ejected, never asked again.
  Task<> sync(SegmentPtr segment);

 private:
  struct State {
    bool running = false;
    std::vector<Resume<bool>> waiting;  // came while a sync ran; true makes one of them the lead
    std::vector<Resume<bool>> joined;   // served by the sync that the new lead runs
  };
  Task<> run(const SegmentPtr& segment);

  Context& x_context;
  std::map<SegmentId, State> x_states;
};

}  // namespace outcrop::segment
