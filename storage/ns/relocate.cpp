#include "storage/ns/relocate.h"

#include <algorithm>
#include <map>

#include "storage/meta/extent_ref.h"
#include "storage/ns/fs_inode.h"
#include "storage/ns/payload_mover.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {
namespace {

constexpr std::size_t kOwnersPerCommit = 64;
// One transaction holds the lists of its owners before and after: below meta::kMaxBatchBytes.
constexpr std::size_t kPiecesPerCommit = 10'000;
constexpr std::size_t kRefsPerBatch = 4096;

using Ranges = std::vector<ByteRange>;  // ascending, apart

struct Source {
  Extent extent;
  Ranges live;  ///< what owners use of it, together
};

/// Extents of the segment, by offset, and whose they are.
struct Batch {
  std::map<std::uint64_t, Source> sources;
  std::vector<InodeId> owners;
  std::uint64_t bytes = 0;
};

Ranges merged(Ranges ranges) {
  std::ranges::sort(ranges, {}, &ByteRange::offset);
  Ranges out;
  for (const ByteRange& range : ranges) {
    if (!out.empty() && range.offset <= out.back().offset + out.back().length) {
      const std::uint64_t end =
          std::max(out.back().offset + out.back().length, range.offset + range.length);
      out.back().length = end - out.back().offset;
    } else {
      out.push_back(range);
    }
  }
  return out;
}

std::uint64_t total(const Ranges& ranges) {
  std::uint64_t bytes = 0;
  for (const ByteRange& range : ranges) {
    bytes += range.length;
  }
  return bytes;
}

class Relocation {
 public:
  Relocation(Core& core, SegmentId segment, std::uint64_t most_bytes, segment::Purpose purpose)
      : x_core(core), x_segment(segment), x_purpose(purpose), x_left(most_bytes) {
    x_lower = meta::table_key(meta::Table::extent_ref);
    put_be64(x_lower, segment);
    x_upper = meta::prefix_end(x_lower);
  }

  Task<Relocated> run() {
    // What is referred to once this is held cannot go before it is read.
    const segment::PinPtr pin = x_core.blobs.pin_segment(x_segment);
    while (x_left > 0 && !x_done.finished) {
      CO_TRY(Batch batch, co_await next_batch());
      // What could not be moved does not count, or a call might never get behind it.
      const std::uint64_t before = x_done.bytes;
      if (!batch.sources.empty()) {
        CO_TRYV(co_await move(batch));
      }
      x_left -= std::min(x_left, x_done.bytes - before);
    }
    co_return x_done;
  }

 private:
  /// Whole extents with all their owners, until there are enough bytes.
  Task<Batch> next_batch() {
    Batch batch;
    std::map<InodeId, std::vector<std::uint64_t>> owners;
    std::uint64_t bytes = 0, last = UINT64_MAX;
    std::size_t refs = 0;
    for (bool more = true; more;) {
      CO_TRY(const meta::ScanPage page,
             co_await x_core.meta.scan({.lower = x_lower, .upper = x_upper}));
      for (const auto& [key, value] : page.entries) {
        const std::string_view rest = std::string_view(key).substr(1 + sizeof(SegmentId));
        const std::uint64_t offset = get_be64(rest);
        const InodeId owner = get_be64(rest.substr(sizeof offset));
        if (offset != last && (bytes >= x_left || refs >= kRefsPerBatch)) {
          co_return co_await with_ranges(std::move(batch), owners);
        }
        CO_TRY(const meta::ExtentRef ref, meta::decode_extent_ref(value));
        bytes += ref.used;
        ++refs;
        last = offset;
        owners[owner].push_back(offset);
        x_lower = key + '\0';
      }
      more = page.more && !page.entries.empty();
    }
    x_done.finished = true;
    co_return co_await with_ranges(std::move(batch), owners);
  }

  Task<Batch> with_ranges(Batch batch,
                          const std::map<InodeId, std::vector<std::uint64_t>>& owners) {
    for (const auto& [ino, offsets] : owners) {
      CO_TRY(const FoundInode found, co_await find_inode(x_core, ino));
      if (!found.object) {
        x_done.left_behind += offsets.size();  // part of an upload, or gone meanwhile
        continue;
      }
      batch.owners.push_back(ino);
      for (const Piece& piece : found.object->record.lists.pieces) {
        if (piece.extent.segment == x_segment &&
            std::ranges::binary_search(offsets, piece.extent.offset)) {
          Source& source = batch.sources[piece.extent.offset];
          source.extent = piece.extent;
          source.live.push_back({piece.skip, piece.length});
        }
      }
    }
    for (auto& [offset, source] : batch.sources) {
      source.live = merged(std::move(source.live));
      batch.bytes += total(source.live);
    }
    co_return batch;
  }

  Task<> move(const Batch& batch) {
    PayloadMover mover(x_core, x_segment, x_purpose);
    CO_TRYV(co_await mover.open(batch.bytes));
    bool moved = false;
    for (const auto& [offset, source] : batch.sources) {
      for (const ByteRange& range : source.live) {
        CO_TRY(const bool copied, co_await mover.copy(source.extent, range));
        moved |= copied;
        x_done.left_behind += copied ? 0 : 1;
      }
    }
    CO_TRYV(co_await mover.finish());
    if (!moved) {
      co_return ok();
    }
    x_done.bytes += mover.bytes();
    co_return co_await swap_all(batch.owners, mover);
  }

  Task<> swap_all(const std::vector<InodeId>& owners, const PayloadMover& mover) {
    for (std::size_t at = 0; at < owners.size(); at += kOwnersPerCommit) {
      const std::size_t n = std::min(kOwnersPerCommit, owners.size() - at);
      CO_TRYV(co_await swap(std::span(owners).subspan(at, n), mover));
    }
    co_return ok();
  }

  Task<> swap(std::span<const InodeId> owners, const PayloadMover& mover) {
    LockPlan plan;
    for (const InodeId ino : owners) {
      plan.add(inode_lock(ino), LockMode::exclusive);
    }
    CO_TRY(const LockTable::Held held, co_await x_core.locks.acquire(std::move(plan)));
    auto tx = std::make_unique<Transaction>(x_core);
    std::size_t pieces = 0;
    for (const InodeId ino : owners) {
      CO_TRY(const FoundInode found, co_await find_inode(x_core, ino));
      if (!found.object) {
        continue;
      }
      CO_TRY(const ObjectPtr before, co_await load_object(x_core, ino, found.object->root));
      if (!before) {
        continue;
      }
      pieces += before->record.lists.pieces.size();
      point_to(*before, mover, *tx);
      if (pieces > kPiecesPerCommit) {
        CO_TRYV(co_await tx->commit());
        tx = std::make_unique<Transaction>(x_core);
        pieces = 0;
      }
    }
    if (!tx->batch.mutations.empty()) {
      CO_TRYV(co_await tx->commit());
    }
    co_return ok();
  }

  void point_to(const Object& before, const PayloadMover& mover, Transaction& tx) {
    Pieces pieces = mover.moved(before.record.lists.pieces);
    if (pieces == before.record.lists.pieces) {
      return;
    }
    Object after = before;
    // Readers that pin its extents tell by this that the record is another one.
    after.record.change = x_core.changes.next();
    after.record.lists.pieces = std::move(pieces);
    tx.rewrite_object(before, after);
    ++x_done.owners;
  }

  Core& x_core;
  const SegmentId x_segment;
  const segment::Purpose x_purpose;
  std::uint64_t x_left;
  std::string x_lower, x_upper;
  Relocated x_done;
};

}  // namespace

Task<Relocated> relocate(Core& core,
                         SegmentId segment,
                         std::uint64_t most_bytes,
                         segment::Purpose purpose) {
  Relocation relocation(core, segment, most_bytes, purpose);
  co_return co_await relocation.run();
}

}  // namespace outcrop::ns
