// All that lives in a segment on its way out of it, parts of unfinished uploads, too: what
// restriping and rebalancing are made of. Garbage collection frees the segment.
#pragma once
#include <cstdint>

#include "storage/ns/make_namespace.h"

namespace outcrop::engine {

/// One coroutine.
class Evacuation {
 public:
  Evacuation(ns::TreeNamespace& tree, segment::Purpose purpose)
      : x_tree(tree), x_purpose(purpose) {}

  struct Moved {
    std::uint64_t bytes = 0;  ///< stored anew
    bool finished = false;    ///< all of the segment was looked at
  };
  /// About `most_bytes`. Errors of the stores; what was moved before stays moved.
  Task<Moved> move(SegmentId segment, std::uint64_t most_bytes) {
    ns::Relocated moved;
    if (x_parts) {
      CO_TRY(moved, co_await x_tree.relocate_parts(segment, most_bytes, x_part, x_purpose));
    } else {
      CO_TRY(moved, co_await x_tree.relocate(segment, most_bytes, x_purpose));
    }
    // What stayed may be parts of uploads.
    const bool all = moved.finished &&
                     (std::exchange(x_parts, x_parts || moved.finished) || moved.left_behind == 0);
    co_return Moved{moved.bytes, all};
  }
  /// The next segment is another one.
  void end() {
    x_parts = false;
    x_part = {};
  }

 private:
  ns::TreeNamespace& x_tree;
  const segment::Purpose x_purpose;
  bool x_parts = false;  ///< only parts of uploads are left
  ns::PartPosition x_part;
};

}  // namespace outcrop::engine
