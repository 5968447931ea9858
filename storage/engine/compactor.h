// Wins back the space of segments that are mostly garbage: measures them one after the other, and
// has the namespace move out what lives in the emptiest. How empty a segment must be depends on how
// full the drives are: rewriting costs writes, which flash has only so many of. Where room is
// scarce, small records that have lived for a while are striped as well, full segments or not.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "storage/ns/make_namespace.h"
#include "storage/segment/segment_store.h"

namespace outcrop::engine {

/// Relaxed counters for metrics.
struct CompactorStats {
  std::atomic<std::uint64_t> segments{0}, bytes{0};
};

/// Used on one worker, one call at a time.
class Compactor {
 public:
  /// The segment that is `busy` is left alone: restriping has it. 0: none.
  Compactor(segment::SegmentStore& segments,
            ns::TreeNamespace& tree,
            std::function<SegmentId()> busy)
      : x_segments(segments), x_tree(tree), x_busy(std::move(busy)) {}

  /// A bounded share of the work; `free` and `total` are bytes of the store. Errors: what could not
  /// be read or written; the next step goes on behind it. no_space and read_only are not errors: it
  /// waits.
  Task<> step(std::uint64_t free, std::uint64_t total);
  /// Looks at every sealed segment once and moves out what lives in those with at least `garbage`
  /// of their payload dead (0..1).
  Task<> run(double garbage);
  /// So little is free that clients may soon wait for what it wins: it hurries.
  static bool urgent(std::uint64_t free, std::uint64_t total) { return free < total / 10; }
  /// What it is at; 0: nothing.
  SegmentId victim() const { return x_victim; }
  const CompactorStats& stats() const { return x_stats; }

 private:
  /// What one step may do yet: bytes to move, references to look at.
  struct Share {
    std::uint64_t bytes;
    std::size_t references;
  };
  Task<> measure(double garbage, std::optional<double> stripe_cost, Share& share);
  Task<> move(Share& share);
  Task<> work(std::uint64_t free, std::uint64_t total);
  void begin_round();
  bool round_done() const { return x_next == x_round.size(); }

  segment::SegmentStore& x_segments;
  ns::TreeNamespace& x_tree;
  const std::function<SegmentId()> x_busy;
  std::vector<SegmentId> x_round;  ///< sealed segments when the round began
  std::size_t x_next = 0;          ///< of them, to be measured
  std::deque<SegmentId> x_ends;    ///< the last segments of rounds before this one
  unsigned x_rest = 0;             ///< steps until the next round, if there is no hurry
  SegmentId x_victim = 0;          ///< 0: none
  bool x_moved = false;            ///< something of it
  /// Segments of which nothing could be moved, and for how many rounds they are left alone: parts
  /// of uploads may have become objects by then, damaged payload readable.
  std::map<SegmentId, unsigned> x_stuck;
  CompactorStats x_stats;
};

/// The share of a segment that must be garbage for it to be worth moving the rest.
double worthwhile_garbage(std::uint64_t free, std::uint64_t total);

}  // namespace outcrop::engine
