// What parts of unfinished uploads have in a segment moves out of it. A part knows its upload only
// by the key of its record: all uploads are looked at.
#include <algorithm>

#include "storage/ns/keys.h"
#include "storage/ns/payload_mover.h"
#include "storage/ns/relocate.h"
#include "storage/ns/upload.h"

namespace outcrop::ns {
namespace {

constexpr std::size_t kUploadPage = 256;
constexpr std::size_t kPartPage = 256;

struct FoundUpload {
  std::string record_key;
  InodeId root = 0, ino = 0;
};

class PartRelocation {
 public:
  PartRelocation(Core& core,
                 SegmentId segment,
                 std::uint64_t most_bytes,
                 PartPosition& from,
                 segment::Purpose purpose)
      : x_core(core), x_segment(segment), x_purpose(purpose), x_most(most_bytes), x_from(from) {}

  Task<Relocated> run() {
    // What is referred to once this is held cannot go before it is read.
    const segment::PinPtr pin = x_core.blobs.pin_segment(x_segment);
    std::string lower =
        x_from.upload.empty() ? meta::table_key(meta::Table::upload) : x_from.upload;
    const std::string upper = meta::prefix_end(meta::table_key(meta::Table::upload));
    for (bool more = true; more;) {
      CO_TRY(const meta::ScanPage page,
             co_await x_core.meta.scan({.lower = lower, .upper = upper, .limit = kUploadPage}));
      for (const auto& [key, value] : page.entries) {
        CO_TRY(const UploadRecord record, decode_upload(value));
        const auto parsed = parse_upload_key(key);
        if (!parsed) {
          co_return fail(Errc::corrupt, "upload key");
        }
        CO_TRY(const bool whole, co_await look_at({key, parsed->root, record.ino}));
        if (!whole) {
          co_return x_done;
        }
      }
      more = page.more && !page.entries.empty();
      if (more) {
        lower = page.entries.back().key + '\0';
      }
    }
    x_done.finished = true;
    co_return x_done;
  }

 private:
  /// False: enough was moved.
  Task<bool> look_at(FoundUpload upload) {
    std::uint32_t after = x_from.upload == upload.record_key ? x_from.after : 0;
    for (bool more = true; more;) {
      CO_TRY(const auto parts, co_await load_parts(x_core, upload.ino, after, kPartPage));
      for (const Part& part : parts) {
        if (x_done.bytes >= x_most) {
          x_from = {upload.record_key, after};
          co_return false;
        }
        CO_TRYV(co_await move(upload, part));
        after = part.number;
      }
      more = parts.size() == kPartPage;
    }
    co_return true;
  }

  Task<> move(const FoundUpload& upload, const Part& part) {
    const Pieces& pieces = part.record.lists.pieces;
    const auto here = [this](const Piece& piece) { return piece.extent.segment == x_segment; };
    if (std::ranges::none_of(pieces, here)) {
      co_return ok();
    }
    PayloadMover mover(x_core, x_segment, x_purpose);
    CO_TRYV(co_await mover.open(part.record.size));
    for (const Piece& piece : pieces) {
      if (here(piece)) {
        CO_TRY(const bool copied, co_await mover.copy(piece.extent, {piece.skip, piece.length}));
        x_done.left_behind += copied ? 0 : 1;
      }
    }
    CO_TRYV(co_await mover.finish());
    x_done.bytes += mover.bytes();
    co_return co_await swap(upload, part, mover);
  }

  // As UploadPart does it: nobody completes or aborts the upload meanwhile. A part that is another
  // one by now has its own payload.
  Task<> swap(const FoundUpload& upload, const Part& seen, const PayloadMover& mover) {
    LockPlan locks;
    lock_bucket_shared(locks, upload.root);
    locks.add(upload_lock(upload.ino), LockMode::shared);
    locks.add(part_lock(upload.ino, seen.number), LockMode::exclusive);
    CO_TRY(const LockTable::Held held, co_await x_core.locks.acquire(std::move(locks)));
    CO_TRY(const auto record, co_await x_core.meta.get(upload.record_key));
    if (!record) {
      co_return ok();
    }
    CO_TRY(const auto now, co_await load_parts(x_core, upload.ino, seen.number - 1, 1));
    if (now.empty() || now.front().number != seen.number || now.front().record != seen.record) {
      co_return ok();
    }
    Part part = seen;
    part.record.lists.pieces = mover.moved(seen.record.lists.pieces);
    if (part.record == seen.record) {
      co_return ok();
    }
    Transaction tx(x_core);
    put_part(tx, upload.root, upload.ino, part, &seen);
    CO_TRYV(co_await tx.commit());
    ++x_done.owners;
    co_return ok();
  }

  Core& x_core;
  const SegmentId x_segment;
  const segment::Purpose x_purpose;
  const std::uint64_t x_most;
  PartPosition& x_from;
  Relocated x_done;
};

}  // namespace

Task<Relocated> relocate_parts(Core& core,
                               SegmentId segment,
                               std::uint64_t most_bytes,
                               PartPosition& from,
                               segment::Purpose purpose) {
  PartRelocation relocation(core, segment, most_bytes, from, purpose);
  co_return co_await relocation.run();
}

}  // namespace outcrop::ns
