// Files that were written in many small pieces get large ones again: a region is read, stored as
// one stream, and takes the place of its pieces if they are still the same. The content does not
// change, and neither do ETag and mtime.
#include <algorithm>

#include "storage/ns/file_change.h"
#include "storage/ns/file_state.h"
#include "storage/ns/fs_data.h"

namespace outcrop::ns {
namespace {

constexpr std::uint64_t kRegionBytes = 8 << 20;  // held in memory while it is rewritten
constexpr std::size_t kLeastPieces = 8;          // that a region must save, or it is left
constexpr std::uint64_t kPassBytes = 64 << 20;   // of one call

struct Region {
  std::uint64_t offset = 0;
  Pieces pieces;
};

// The first region at or behind `from` that is worth it. Holes stay holes.
std::optional<Region> next_region(const Pieces& pieces, std::uint64_t from) {
  Region region;
  std::uint64_t at = 0, bytes = 0;
  const auto worth = [&] { return region.pieces.size() >= kLeastPieces; };
  for (const Piece& piece : pieces) {
    const bool fits = !piece.hole() && bytes + piece.length <= kRegionBytes && at >= from;
    if (!fits) {
      if (worth()) {
        return region;
      }
      region.pieces.clear();
      bytes = 0;
    }
    if (at >= from && !piece.hole() && piece.length <= kRegionBytes) {
      if (region.pieces.empty()) {
        region.offset = at;
      }
      region.pieces.push_back(piece);
      bytes += piece.length;
    }
    at += piece.length;
  }
  return worth() ? std::optional(region) : std::nullopt;
}

Task<std::vector<PlacedBytes>> read_region(Core& core, const Region& region) {
  std::vector<PlacedBytes> out;
  std::uint64_t at = region.offset;
  for (const Piece& piece : region.pieces) {
    for (std::uint64_t done = 0; done < piece.length;) {
      const std::uint64_t n = std::min(piece.length - done, kMaxWriteBytes);
      CO_TRY(const auto slices, co_await core.blobs.read(piece.extent, piece.skip + done, n,
                                                         segment::Purpose::client));
      for (const Buffer& slice : slices) {
        out.push_back({at, slice});
        at += slice.size();
      }
      done += n;
    }
  }
  co_return out;
}

// Nothing happens if the region changed meanwhile: its writer left a new one to look at.
Task<> swap_region(Core& core,
                   FileId id,
                   const Region& region,
                   const PayloadStream& stream,
                   const std::vector<PlacedBytes>& bytes) {
  LockPlan plan;
  plan.add(inode_lock(id.ino), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(plan)));
  CO_TRY(const ObjectPtr before, co_await load_inode(core, id));
  const std::uint64_t length = mapped_bytes(region.pieces);
  if (slice_pieces(before->record.lists.pieces, {region.offset, length}) != region.pieces) {
    co_return ok();
  }
  Object after = *before;
  // Readers that pin its extents tell by this that the record is another one.
  after.record.change = core.changes.next();
  FileChange change{.bytes = {},
                    .pieces = stream.pieces_of(bytes),
                    .size = mapped_bytes(before->record.lists.pieces)};
  Transaction tx(core);
  CO_TRYV(co_await put_change(core, tx, *before, after, std::move(change)));
  co_return co_await tx.commit();
}

Task<> rewrite_region(Core& core, const FoundInode& inode, const Region& region) {
  const Object& object = *inode.object;
  std::vector<Extent> extents = distinct_extents(region.pieces);
  const segment::PinPtr pin = core.blobs.pin(extents);
  CO_TRY(const bool current, co_await still_current(core, object));
  if (!current) {
    co_return ok();
  }
  CO_TRY(const auto bytes, co_await read_region(core, region));
  CO_TRY(const PayloadStream stream, co_await PayloadStream::store(core, bytes));
  co_return co_await swap_region(core, {object.root, object.ino}, region, stream, bytes);
}

}  // namespace

Task<> defragment_file(Core& core, InodeId ino) {
  std::uint64_t from = 0;
  for (std::uint64_t done = 0; done < kPassBytes;) {
    CO_TRY(const FoundInode found, co_await find_inode(core, ino));
    if (!found.object || found.object->record.history) {
      co_return ok();
    }
    const Pieces& pieces = found.object->record.lists.pieces;
    const auto region = next_region(pieces, from);
    if (pieces.size() <= core.config.fragmented_pieces / 2 || !region) {
      co_return ok();
    }
    CO_TRYV(co_await rewrite_region(core, found, *region));
    const std::uint64_t length = mapped_bytes(region->pieces);
    from = region->offset + length;
    done += length;
  }
  core.fragmented.add(ino);  // more at the next pass
  co_return ok();
}

Task<> defragment(Core& core) {
  Result<void> first;
  for (const InodeId ino : core.fragmented.take()) {
    if (auto done = co_await defragment_file(core, ino);
        !done && done.error().code() != Errc::stale && first) {
      first = std::move(done);
    }
  }
  co_return first;
}

}  // namespace outcrop::ns
