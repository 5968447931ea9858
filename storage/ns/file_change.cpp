#include "storage/ns/file_change.h"

#include <algorithm>
#include <cstring>

#include "storage/ns/fs_inode.h"

namespace outcrop::ns {
namespace {

// What the record itself holds is written again like new bytes, where nothing newer lies over it.
std::vector<PlacedBytes> with_inline(const InodeRecord& before, FileChange& change) {
  const std::uint64_t kept = std::min<std::uint64_t>(before.inline_data.size(), change.size);
  if (kept == 0) {
    return std::move(change.bytes);
  }
  std::vector<PlacedBytes> over = change.bytes;
  for (const PlacedPieces& placed : change.pieces) {
    // Only where it lies matters, not its bytes.
    over.push_back({placed.offset, Buffer{}.grown(mapped_bytes(placed.pieces))});
  }
  std::ranges::sort(over, {}, &PlacedBytes::offset);
  const PlacedBytes old{0, Buffer::copy_of(as_bytes(before.inline_data).first(kept))};
  return overlay(std::move(change.bytes), uncovered({old}, over));
}

Pieces spliced(const InodeRecord& before,
               const std::vector<PlacedPieces>& patches,
               std::uint64_t size) {
  Pieces base = before.lists.pieces;
  if (!before.inline_data.empty()) {
    base = {make_hole(before.inline_data.size())};
  }
  base = resize_pieces(base, std::min(size, mapped_bytes(base)));
  Splicer splicer(base);
  for (const PlacedPieces& patch : patches) {
    splicer.keep(patch.offset);
    for (const Piece& piece : patch.pieces) {
      splicer.put(piece);
    }
  }
  return resize_pieces(std::move(splicer).finish(), size);
}

std::string flat(const std::vector<PlacedBytes>& bytes, std::uint64_t size) {
  std::string out(size, '\0');
  for (const PlacedBytes& b : bytes) {
    std::memcpy(out.data() + b.offset, b.data.data(), b.data.size());
  }
  return out;
}

Buffer joined(const std::vector<PlacedBytes>& bytes) {
  Buffer out = Buffer::make(total_bytes(bytes));
  std::size_t at = 0;
  for (const PlacedBytes& b : bytes) {
    std::memcpy(out.data() + at, b.data.data(), b.data.size());
    at += b.data.size();
  }
  return out;
}

}  // namespace

std::uint64_t total_bytes(const std::vector<PlacedBytes>& bytes) {
  std::uint64_t total = 0;
  for (const PlacedBytes& b : bytes) {
    total += b.data.size();
  }
  return total;
}

ContentStamp stamp_now(Core& core) {
  const std::int64_t now = core.clock.wall_ns();
  const std::uint64_t change = core.changes.next();
  return {.change = change, .content = change, .mtime_ns = now, .ctime_ns = now};
}

Result<void> mark_content(Core& core,
                          Object& object,
                          std::uint64_t size,
                          const ContentStamp& stamp) {
  InodeRecord& record = object.record;
  // What has no name any more is no version.
  if (const BucketLock bucket = core.versioned.lock_of(object.root);
      bucket.enabled && record.links() > 0) {
    ObjectLock& lock = record.attributes.lock;
    if (!lock.empty() && !lock.writing && is_locked(lock, lock_time(core.clock))) {
      return fail(Errc::object_locked);
    }
    extend_file_lock(lock, bucket, core.clock.wall_ns());
  }
  OUTCROP_ASSERT(stamp.change > record.change);
  record.change = stamp.change;
  record.size = size;
  record.mtime_ns = stamp.mtime_ns;
  if (record.posix) {
    record.posix->mtime_ns.reset();
    record.posix->ctime_ns = std::max(record.posix->ctime_ns, stamp.ctime_ns);
  }
  // A flush stores bytes that clients may have seen listed, under the ETag of their last change.
  if (!is_file_etag_since(record.etag, object.ino, stamp.content)) {
    record.etag = file_etag(object.ino, stamp.content);
  }
  record.checksum = {};
  record.upload_id.clear();
  record.lists.parts.clear();
  return ok();
}

Task<> put_change(
    Core& core, Transaction& tx, const Object& before, Object& after, FileChange change) {
  const std::vector<PlacedBytes> bytes = with_inline(before.record, change);
  std::vector<PlacedPieces> patches = std::move(change.pieces);
  for (const PlacedBytes& b : bytes) {
    patches.push_back({b.offset, {make_hole(b.data.size())}});
  }
  std::ranges::sort(patches, {}, &PlacedPieces::offset);
  Pieces rest = spliced(before.record, patches, change.size);
  after.record.inline_data.clear();
  if (change.size <= kInlineMax && data_bytes(rest) == 0) {
    after.record.inline_data = flat(bytes, change.size);
    rest.clear();
  } else if (!bytes.empty()) {
    CO_TRY(segment::Placed placed, co_await core.blobs.place_small(joined(bytes).view()));
    std::uint64_t at = 0;
    Splicer splicer(rest);
    for (const PlacedBytes& b : bytes) {
      splicer.keep(b.offset);
      splicer.put({placed.extent, at, b.data.size()});
      at += b.data.size();
    }
    rest = std::move(splicer).finish();
    tx.batch.fresh.push_back(placed.extent);
    tx.keep(std::move(placed.pin));
  }
  OUTCROP_ASSERT(after.record.inline_data.size() + mapped_bytes(rest) == change.size);
  after.record.lists.pieces = std::move(rest);
  tx.rewrite_object(before, after);
  co_return ok();
}

Task<PayloadStream> PayloadStream::store(Core& core, const std::vector<PlacedBytes>& bytes) {
  PayloadStream out;
  CO_TRY(out.x_writer,
         co_await core.blobs.open_writer(total_bytes(bytes), segment::Purpose::client));
  std::uint64_t at = 0;
  for (const PlacedBytes& b : bytes) {
    out.x_stored.push_back({b.offset, at});
    at += b.data.size();
    for (ConstBytes left = b.data.view(); !left.empty();) {
      CO_TRY(const MutBytes room, co_await out.x_writer->buffer());
      const std::size_t n = std::min(room.size(), left.size());
      std::memcpy(room.data(), left.data(), n);
      CO_TRYV(co_await out.x_writer->advance(n));
      left = left.subspan(n);
    }
  }
  CO_TRY(const std::vector<Extent> extents, co_await out.x_writer->finish());
  for (const Extent& extent : extents) {
    append_piece(out.x_payload, {extent, 0, extent.length});
  }
  if (mapped_bytes(out.x_payload) != at) {
    co_return fail(Errc::internal, "blob writer lost bytes");
  }
  co_return out;
}

std::vector<PlacedPieces> PayloadStream::pieces_of(const std::vector<PlacedBytes>& ranges) const {
  std::vector<PlacedPieces> out;
  out.reserve(ranges.size());
  for (const PlacedBytes& range : ranges) {
    const auto behind = std::ranges::upper_bound(x_stored, range.offset, {}, &Stored::offset);
    OUTCROP_ASSERT(behind != x_stored.begin());
    const Stored& stored = *std::prev(behind);
    out.push_back(
        {range.offset,
         slice_pieces(x_payload, {stored.at + (range.offset - stored.offset), range.data.size()})});
  }
  return out;
}

}  // namespace outcrop::ns
