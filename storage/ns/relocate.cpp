#include "storage/ns/relocate.h"

#include <algorithm>
#include <map>

#include "storage/base/log.h"
#include "storage/meta/extent_ref.h"
#include "storage/ns/fs_inode.h"
#include "storage/ns/piece_map.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {
namespace {

constexpr std::uint64_t kReadBytes = 1 << 20;
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

/// Where the bytes of the batch lie now.
class NewPlaces {
 public:
  void add(const Extent& extent) {
    const std::uint64_t at =
        x_extents.empty() ? 0 : x_extents.rbegin()->first + x_extents.rbegin()->second.length;
    x_extents.emplace(at, extent);
  }
  void moved(std::uint64_t extent, const ByteRange& range, std::uint64_t to) {
    x_moved.emplace(std::pair(extent, range.offset), Moved{range.length, to});
  }
  /// The same bytes as `piece`; the piece itself if it did not move.
  void append(Pieces& out, const Piece& piece) const {
    auto at = x_moved.upper_bound({piece.extent.offset, piece.skip});
    if (at == x_moved.begin()) {
      return append_piece(out, piece);
    }
    --at;
    const auto& [from, moved] = *at;
    if (from.first != piece.extent.offset ||
        piece.skip + piece.length > from.second + moved.length) {
      return append_piece(out, piece);
    }
    std::uint64_t position = moved.to + (piece.skip - from.second);
    for (std::uint64_t left = piece.length; left > 0;) {
      const auto& [start, extent] = *std::prev(x_extents.upper_bound(position));
      const std::uint64_t skip = position - start;
      const std::uint64_t n = std::min(left, extent.length - skip);
      append_piece(out, {extent, skip, n});
      position += n;
      left -= n;
    }
  }

 private:
  struct Moved {
    std::uint64_t length, to;
  };
  std::map<std::uint64_t, Extent> x_extents;  ///< by position in the stream
  std::map<std::pair<std::uint64_t, std::uint64_t>, Moved> x_moved;
};

class Relocation {
 public:
  Relocation(Core& core, SegmentId segment, std::uint64_t most_bytes)
      : x_core(core), x_segment(segment), x_left(most_bytes) {
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
    CO_TRY(const auto writer,
           co_await x_core.blobs.open_writer(batch.bytes, segment::Purpose::upkeep));
    NewPlaces places;
    std::uint64_t position = 0;
    bool moved = false;
    for (const auto& [offset, source] : batch.sources) {
      for (const ByteRange& range : source.live) {
        const std::uint64_t start = position;
        CO_TRY(const bool copied, co_await copy(*writer, source.extent, range, position));
        if (copied) {
          places.moved(offset, range, start);
          moved = true;
        } else {
          ++x_done.left_behind;
        }
      }
    }
    CO_TRY(const std::vector<Extent> extents, co_await writer->finish());
    for (const Extent& extent : extents) {
      places.add(extent);
    }
    if (!moved) {
      co_return ok();
    }
    x_done.bytes += position;
    co_return co_await swap_all(batch.owners, places);
  }

  /// False: it cannot be read. `position` in the stream moves on by what was written.
  Task<bool> copy(segment::BlobWriter& writer,
                  const Extent& extent,
                  const ByteRange& range,
                  std::uint64_t& position) {
    for (std::uint64_t done = 0; done < range.length;) {
      const std::uint64_t n = std::min(kReadBytes, range.length - done);
      const auto slices = co_await x_core.blobs.read(extent, range.offset + done, n);
      if (!slices) {
        log::warn("payload cannot be moved out of its segment",
                  {{"segment", x_segment},
                   {"offset", extent.offset},
                   {"error", slices.error().describe()}});
        co_return false;
      }
      for (const Buffer& slice : *slices) {
        CO_TRYV(co_await write(writer, slice.view()));
        position += slice.size();
      }
      done += n;
    }
    co_return true;
  }

  static Task<> write(segment::BlobWriter& writer, ConstBytes bytes) {
    while (!bytes.empty()) {
      CO_TRY(const MutBytes room, co_await writer.buffer());
      const std::size_t n = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), n);
      CO_TRYV(co_await writer.advance(n));
      bytes = bytes.subspan(n);
    }
    co_return ok();
  }

  Task<> swap_all(const std::vector<InodeId>& owners, const NewPlaces& places) {
    for (std::size_t at = 0; at < owners.size(); at += kOwnersPerCommit) {
      const std::size_t n = std::min(kOwnersPerCommit, owners.size() - at);
      CO_TRYV(co_await swap(std::span(owners).subspan(at, n), places));
    }
    co_return ok();
  }

  Task<> swap(std::span<const InodeId> owners, const NewPlaces& places) {
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
      point_to(*before, places, *tx);
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

  void point_to(const Object& before, const NewPlaces& places, Transaction& tx) {
    Pieces pieces;
    for (const Piece& piece : before.record.lists.pieces) {
      if (piece.extent.segment == x_segment) {
        places.append(pieces, piece);
      } else {
        append_piece(pieces, piece);
      }
    }
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
  std::uint64_t x_left;
  std::string x_lower, x_upper;
  Relocated x_done;
};

}  // namespace

Task<Relocated> relocate(Core& core, SegmentId segment, std::uint64_t most_bytes) {
  Relocation relocation(core, segment, most_bytes);
  co_return co_await relocation.run();
}

}  // namespace outcrop::ns
