// A MetaStore in memory: an ordered map with versions, so that snapshots are exact. It asserts what
// callers promise (transactions that touch the same keys do not overlap) and can make every call
// yield at random, so that one thread explores interleavings too. Any thread.
#pragma once
#include <atomic>
#include <map>
#include <set>
#include <shared_mutex>

#include "storage/meta/meta_store.h"

namespace outcrop::test {

class MemMetaStore final : public meta::MetaStore {
 public:
  /// One call in `yield_one_in` goes through the executor's queue; 0: none does.
  explicit MemMetaStore(unsigned yield_one_in = 0) : x_yield_one_in(yield_one_in) {}
  ~MemMetaStore() override;

  Task<> commit(meta::Batch batch) override;
  Task<std::optional<std::string>> get(std::string_view key, meta::SnapshotPtr at) override;
  Task<meta::ScanPage> scan(meta::ScanRequest request, meta::SnapshotPtr at) override;
  meta::SnapshotPtr snapshot() override;

  /// Called when a commit starts, before it can suspend.
  void on_commit(std::function<void(const meta::Batch&)> hook) { x_hook = std::move(hook); }
  /// The next commit fails so and applies nothing.
  void fail_next_commit(Errc code) { x_fail = code; }
  /// The next `times` scans of a given snapshot fail so, as when the mirror behind it is lost.
  void fail_scans(Errc code, unsigned times) {
    x_scan_error = code;
    x_scans_to_fail = times;
  }
  /// All current records, outside of any transaction.
  std::map<std::string, std::string> dump() const;
  std::uint64_t gets() const { return x_gets; }
  std::uint64_t scans() const { return x_scans; }
  std::uint64_t commits() const { return x_commits; }

 private:
  class View;
  struct Version {
    std::uint64_t sequence;
    std::optional<std::string> value;
  };
  using Versions = std::vector<Version>;

  Async<void> yield();
  void begin(const meta::Batch& batch);
  void apply(const meta::Batch& batch);
  static const std::optional<std::string>& at_sequence(const Versions& versions,
                                                       std::uint64_t sequence);
  void trim(Versions& versions) const;
  void drop_view(std::uint64_t sequence);

  const unsigned x_yield_one_in;
  std::atomic<std::uint64_t> x_calls{0}, x_gets{0}, x_scans{0}, x_commits{0};
  std::function<void(const meta::Batch&)> x_hook;
  std::atomic<Errc> x_fail{Errc::internal};  ///< internal: none
  std::atomic<Errc> x_scan_error{Errc::internal};
  std::atomic<unsigned> x_scans_to_fail{0};
  mutable std::shared_mutex x_mutex;
  std::map<std::string, Versions, std::less<>> x_records;
  std::uint64_t x_sequence = 0;
  std::multiset<std::uint64_t> x_views;
  std::set<std::string> x_erased;     ///< keys that only views still need
  std::set<std::string> x_in_flight;  ///< keys of commits that are on their way
};

}  // namespace outcrop::test
