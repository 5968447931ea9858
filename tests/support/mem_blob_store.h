// A BlobStore in memory that notices misuse: reads outside of an extent, of freed extents or with a
// wrong stamp fail; a small payload that does not ride with its worker's next commit asserts.
// collect() frees at once what is neither referenced nor pinned. Any thread.
#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "storage/meta/meta_store.h"
#include "storage/segment/blob_store.h"
#include "tests/support/mem_meta_store.h"

namespace outcrop::test {

class MemBlobStore final : public segment::BlobStore {
 public:
  /// Striped payloads are cut into extents of `extent_bytes`.
  explicit MemBlobStore(MemMetaStore& meta, std::uint64_t extent_bytes = 256 << 10);
  ~MemBlobStore() override;

  Task<segment::Placed> place_small(ConstBytes payload) override;
  Task<std::unique_ptr<segment::BlobWriter>> open_writer(std::uint64_t size_hint,
                                                         segment::Purpose purpose) override;
  Task<std::vector<Buffer>> read(Extent extent,
                                 std::uint64_t offset,
                                 std::uint64_t length,
                                 segment::Purpose purpose) override;
  segment::ReadUnit read_unit(const Extent& extent, std::uint64_t offset) override;
  segment::PinPtr pin(std::span<const Extent> extents) override;
  segment::PinPtr pin_segment(SegmentId segment) override;

  /// Frees what no reference record names and no pin holds; returns how many extents.
  std::size_t collect();
  /// Segments that nothing is added to any more, as if they were sealed.
  std::vector<SegmentId> old_segments() const;
  /// Leaves the rest of the newest segment empty.
  void next_segment();
  /// From now on the first `n` extents of the segment cannot be read.
  void damage(SegmentId segment, std::size_t n);
  /// What is stored, for who changes it behind everybody's back. Nobody else uses the store.
  std::string& content(const Extent& extent);
  std::size_t extents() const;
  std::uint64_t reads() const { return x_reads; }
  std::uint64_t bytes() const;

 private:
  friend class MemBlobWriter;
  class MemPin;
  using Place = std::pair<SegmentId, std::uint64_t>;
  struct Stored {
    std::string bytes;
    std::uint64_t stamp = 0;
    unsigned pins = 0;
    bool damaged = false;
  };

  Extent store(ConstBytes payload);
  void unpin(const std::vector<Place>& places);
  void check_commit(const meta::Batch& batch);

  MemMetaStore& x_meta;
  const std::uint64_t x_extent_bytes;
  mutable std::mutex x_mutex;
  std::map<Place, Stored> x_extents;
  std::uint64_t x_next = 1;
  std::atomic<std::uint64_t> x_reads{0};
  std::map<std::thread::id, std::vector<Extent>> x_placed;  ///< by worker, until its next commit
};

}  // namespace outcrop::test
