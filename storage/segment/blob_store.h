// BlobStore: durable, erasure-coded payload bytes, addressed by extents. The other half of the
// engine seam (see meta/meta_store.h). Extents are immutable; nothing here knows keys or inodes.
#pragma once
#include <memory>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"
#include "storage/base/task.h"

namespace outcrop::segment {

/// Payloads up to this are whole records in (1, m) segments; larger ones are striped over (k, m).
inline constexpr std::uint64_t kSmallMax = 128 << 10;

/// Who asks. Upkeep (compaction) may use room that is kept back from clients: it is what makes room
/// for them again. Rebalancing writes over the drives that it was given, all of them, or not at
/// all. What these read is in nobody's way for that, and stays out of caches.
enum class Purpose : std::uint8_t { client, upkeep, rebalance };

/// Keeps the segments of some extents from being recycled while it lives. Any thread.
class Pin {
 public:
  virtual ~Pin() = default;
};
using PinPtr = std::shared_ptr<const Pin>;

struct Placed {
  Extent extent;
  PinPtr pin;  ///< hold until the transaction that references the extent is committed or given up
};

/// One payload on its way in. open -> finished | abandoned: destroying an unfinished writer
/// abandons its space, which garbage collection finds. One caller at a time, one worker.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  /// Where the next payload bytes go: not empty; stripe memory that goes to the drives as it is.
  /// May wait for earlier stripes (back-pressure). Valid until advance() or the next buffer().
  virtual Task<MutBytes> buffer() = 0;
  /// The first `n` bytes of the last buffer() are filled. Full stripes are encoded and written
  /// while the caller goes on.
  virtual Task<> advance(std::size_t n) = 0;
  /// Pads and writes the last stripe; on return every extent is durable with full parity. The
  /// writer pins its segments until it is destroyed: keep it until the commit.
  virtual Task<std::vector<Extent>> finish() = 0;
};

/// Payload bytes of an extent that are verified together: reading a part costs as much as reading
/// all. And those that lie in the same stripe, whose units are read from different drives at once.
struct ReadUnit {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t stripe_begin = 0, stripe_end = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  /// Reserves room for a payload of 1..kSmallMax bytes in this worker's open (1, m) segment and
  /// copies it. It reaches the drives with this worker's next MetaStore::commit: name the extent
  /// in that Batch's `fresh`, and do not suspend between place_small's return and that commit.
  virtual Task<Placed> place_small(ConstBytes payload) = 0;
  /// A striped payload. `size_hint` is the expected size (0: unknown) and only affects placement.
  virtual Task<std::unique_ptr<BlobWriter>> open_writer(std::uint64_t size_hint,
                                                        Purpose purpose) = 0;
  /// Verified payload bytes [offset, offset + length) of the extent, reconstructed if need be, as
  /// slices in order. Keep `length` at or below a few MiB per call. Errors: unavailable, corrupt.
  virtual Task<std::vector<Buffer>> read(Extent extent,
                                         std::uint64_t offset,
                                         std::uint64_t length,
                                         Purpose purpose) = 0;
  /// The unit of the byte at `offset` < extent.length: a hint, any answer reads the right bytes.
  virtual ReadUnit read_unit(const Extent& extent, std::uint64_t offset) = 0;
  virtual PinPtr pin(std::span<const Extent> extents) = 0;
  /// Everything in it.
  virtual PinPtr pin_segment(SegmentId segment) = 0;
};

}  // namespace outcrop::segment
