// Parts of an upload: each is stored under its number and replaces an earlier one of that number.
#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "storage/ns/fs_inode.h"
#include "storage/ns/keys.h"
#include "storage/ns/object_reader.h"
#include "storage/ns/operations.h"
#include "storage/ns/payload_writer.h"
#include "storage/ns/piece_map.h"
#include "storage/ns/upload.h"

namespace outcrop::ns {
namespace {

struct PartOp {
  std::string_view bucket, key, upload_id;
  Part part;
  const PayloadWriter* payload = nullptr;  ///< null: the pieces are known already
  bool by_reference = false;               ///< never of what is sealed
};

// Empty: the plan was outrun.
Task<std::optional<PartInfo>> try_store(Core& core, PartOp& op) {
  CO_TRY(const Upload upload, co_await find_upload(core, op.bucket, op.key, op.upload_id));
  const InodeId ino = upload.record.ino;
  LockPlan locks;
  lock_bucket_shared(locks, upload.bucket.root);
  locks.add(upload_lock(ino), LockMode::shared);
  locks.add(part_lock(ino, op.part.number), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed,
         co_await confirm_upload(core, op.bucket, op.key, op.upload_id, upload));
  if (!confirmed) {
    co_return std::nullopt;
  }
  const bool sealed = !upload.record.attributes.envelope.empty();
  if (sealed && op.by_reference) {
    co_return fail(Errc::invalid_argument, "a sealed part cannot be copied by reference");
  }
  if (op.payload) {
    CO_TRYV(op.payload->check(sealed, op.part.number));
  }
  CO_TRY(const auto previous, co_await load_parts(core, ino, op.part.number - 1, 1));
  // From here to the commit nothing suspends: the placed payload rides with it.
  segment::PinPtr pin;
  Transaction tx(core);
  if (op.payload) {
    CO_TRY(PlacedPayload placed, co_await place_payload(core.blobs, *op.payload, 0));
    op.part.record.lists.pieces = std::move(placed.pieces);
    tx.batch.fresh = std::move(placed.fresh);
    pin = std::move(placed.pin);
  }
  op.part.record.mtime_ns = core.clock.wall_ns();
  const bool replaces = !previous.empty() && previous.front().number == op.part.number;
  put_part(tx, upload.bucket.root, ino, op.part, replaces ? &previous.front() : nullptr);
  CO_TRYV(co_await tx.commit());
  co_return info_of(op.part);
}

Task<PartInfo> store(Core& core, PartOp op) {
  CO_TRYV(core.check_room());
  CO_TRY(op.part.record.ino, co_await core.inodes.allocate());
  if (op.part.record.etag.empty()) {
    op.part.record.etag = file_etag(op.part.record.ino, kFirstChange);
  }
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(auto info, co_await try_store(core, op));
    if (info) {
      co_return *std::move(info);
    }
  }
  co_return outrun();
}

Result<void> check_part(std::uint32_t number,
                        std::uint64_t size,
                        std::string_view etag,
                        const digest::Checksum& checksum) {
  if (number == 0 || number > kMaxParts) {
    return fail(Errc::invalid_argument, "part number");
  }
  if (size > kMaxPartBytes) {
    return fail(Errc::entity_too_large);
  }
  return check_digests(etag, checksum);
}

// An ETag for bytes that are not read: the same source and range give the same one.
std::string derived_etag(const ObjectInfo& source, ByteRange range) {
  const bool whole = range.offset == 0 && range.length == source.size;
  if (whole && source.etag.size() == 32 && digest::from_hex(source.etag)) {
    return source.etag;
  }
  const std::string text =
      source.etag + ":" + std::to_string(range.offset) + "+" + std::to_string(range.length);
  return digest::to_hex(as_bytes(digest::Digest::of(digest::Algorithm::md5, as_bytes(text))));
}

// Copies bytes that live in an inode record: they are too few to be shared.
Task<> copy_bytes(PayloadWriter& writer, ConstBytes bytes) {
  while (!bytes.empty()) {
    CO_TRY(const MutBytes room, co_await writer.buffer());
    const std::size_t n = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), n);
    CO_TRYV(co_await writer.advance(n));
    bytes = bytes.subspan(n);
  }
  co_return ok();
}

}  // namespace

Task<PartInfo> put_part(Core& core,
                        std::string_view bucket,
                        std::string_view key,
                        std::string_view upload_id,
                        std::uint32_t number,
                        std::unique_ptr<ObjectWriter> payload,
                        std::string etag,
                        digest::Checksum checksum) {
  CO_TRYV(check_part(number, payload->size(), etag, checksum));
  auto* writer = dynamic_cast<PayloadWriter*>(payload.get());
  OUTCROP_ASSERT(writer != nullptr);
  CO_TRYV(co_await writer->finish());
  PartOp op{.bucket = bucket,
            .key = key,
            .upload_id = upload_id,
            .part = {.number = number,
                     .record = {.size = writer->size(),
                                .etag = std::move(etag),
                                .checksum = std::move(checksum),
                                .lists = {}}},
            .payload = writer};
  op.part.record.lists.pieces = writer->pieces();
  co_return co_await store(core, std::move(op));
}

Task<PartInfo> copy_part(Core& core,
                         std::string_view bucket,
                         std::string_view key,
                         std::string_view upload_id,
                         std::uint32_t number,
                         ObjectReader& source,
                         ByteRange range,
                         std::string etag,
                         digest::Checksum checksum) {
  CO_TRYV(check_part(number, range.length, etag, checksum));
  auto* reader = dynamic_cast<PinnedReader*>(&source);
  OUTCROP_ASSERT(reader != nullptr);
  const ObjectInfo& info = source.info();
  if (range.offset > info.size || range.length > info.size - range.offset) {
    co_return fail(Errc::range_not_satisfiable);
  }
  if (etag.empty()) {
    etag = derived_etag(info, range);
  }
  PartOp op{.bucket = bucket,
            .key = key,
            .upload_id = upload_id,
            .part = {.number = number,
                     .record = {.size = range.length,
                                .etag = std::move(etag),
                                .checksum = std::move(checksum),
                                .lists = {}}},
            .by_reference = true};
  const InodeRecord& record = reader->object().record;
  if (record.sealed()) {
    co_return fail(Errc::invalid_argument, "a sealed source cannot be copied by reference");
  }
  PayloadWriter writer(core, {.size_hint = range.length});
  if (record.lists.pieces.empty()) {
    CO_TRYV(co_await copy_bytes(writer,
                                as_bytes(record.inline_data).subspan(range.offset, range.length)));
    op.payload = &writer;
  } else {
    op.part.record.lists.pieces = slice_pieces(record.lists.pieces, range);
  }
  co_return co_await store(core, std::move(op));
}

Task<PartList> list_parts(Core& core,
                          std::string_view bucket,
                          std::string_view key,
                          std::string_view upload_id,
                          std::uint32_t after,
                          std::size_t max_parts) {
  CO_TRY(const Upload upload, co_await find_upload(core, bucket, key, upload_id));
  PartList out{.upload = info_of(key, upload_id, upload.record), .parts = {}};
  CO_TRY(const auto parts,
         co_await load_parts(core, upload.record.ino, after, max_parts + 1, core.meta.snapshot()));
  for (const Part& part : parts) {
    if (out.parts.size() == max_parts) {
      out.truncated = max_parts > 0;
      break;
    }
    out.parts.push_back(info_of(part));
  }
  co_return out;
}

}  // namespace outcrop::ns
