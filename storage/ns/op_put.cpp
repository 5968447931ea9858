// PUT: a new inode takes the place of what is at the key, in one transaction.
#include "storage/ns/conditions.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/fs_inode.h"
#include "storage/ns/op_append.h"
#include "storage/ns/operations.h"
#include "storage/ns/payload_writer.h"
#include "storage/ns/place.h"
#include "storage/ns/quota.h"

namespace outcrop::ns {
namespace {

struct PutOp {
  std::string_view bucket, key;
  PayloadWriter& payload;
  PutRequest request;
  InodeId ino = 0;
  InodeId busy = 0;
};

InodeRecord new_record(Core& core, PutOp& op, PlacedPayload placed) {
  InodeRecord out{.type = InodeType::file,
                  .mtime_ns = core.clock.wall_ns(),
                  .size = op.payload.size(),
                  .etag = std::move(op.request.etag),
                  .attributes = std::move(op.request.attributes),
                  .checksum = std::move(op.request.checksum),
                  .inline_data = std::move(placed.inline_data),
                  .lists = {.pieces = std::move(placed.pieces), .parts = {}}};
  if (out.etag.empty()) {
    out.etag = file_etag(op.ino, kFirstChange);
  }
  set_file_fields(out, op.request.file);
  return out;
}

// Empty: the plan was outrun.
Task<std::optional<ObjectInfo>> try_put(Core& core, PutOp& op) {
  CO_TRY(const auto place, co_await hold_target(core, op.bucket, op.key, op.busy));
  if (!place) {
    co_return std::nullopt;
  }
  const Target& target = place->target;
  if (op.request.append_at && target.object()) {
    co_return std::nullopt;  // it was not there when try_append looked
  }
  if (op.request.append_at.value_or(0) != 0) {
    co_return fail(Errc::range_not_satisfiable, "there is no object yet");
  }
  CO_TRYV(check_object(op.request.conditions, target.object(), Access::write));
  if (!target.bucket.lock.enabled && !op.request.attributes.lock.empty()) {
    co_return fail(Errc::no_object_lock);
  }
  // From here to the commit nothing suspends: the placed payload rides with it.
  CO_TRY(PlacedPayload placed, co_await place_payload(core.blobs, op.payload, kInlineMax));
  const segment::PinPtr pin = placed.pin;
  Transaction tx(core);
  tx.batch.fresh = std::move(placed.fresh);
  Object object{op.ino, target.bucket.root, new_record(core, op, std::move(placed))};
  CO_TRYV(settle_lock(core, target, object.record));
  install_object(core, tx, target, op.ino, op.ino, object.record);
  CO_TRYV(co_await tx.commit());
  co_return info_of(object);
}

}  // namespace

Result<void> check_attributes(const ObjectAttributes& attributes) {
  return attribute_bytes(attributes) > kMaxAttributeBytes
             ? fail(Errc::invalid_argument, "attributes too large")
             : ok();
}

Result<void> check_digests(std::string_view etag, const digest::Checksum& checksum) {
  return etag.size() > kMaxEtagBytes || checksum.value.size() > kMaxChecksumBytes
             ? fail(Errc::invalid_argument, "ETag or checksum too large")
             : ok();
}

std::unexpected<Error> outrun() {
  return fail(Errc::overloaded, "other operations on the same names keep coming first");
}

Task<std::unique_ptr<ObjectWriter>> open_write(Core& core,
                                               std::string_view bucket,
                                               std::string_view key,
                                               WriteOptions options) {
  CO_TRYV(check_key(key));
  CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
  if (options.size_hint > kMaxObjectBytes) {
    co_return fail(Errc::entity_too_large);
  }
  CO_TRYV(co_await check_quota(core, record, key, options));
  co_return std::make_unique<PayloadWriter>(core, options);
}

Task<ObjectInfo> put_object(Core& core,
                            std::string_view bucket,
                            std::string_view key,
                            std::unique_ptr<ObjectWriter> payload,
                            PutRequest request) {
  CO_TRYV(check_key(key));
  CO_TRYV(check_attributes(request.attributes));
  CO_TRYV(check_digests(request.etag, request.checksum));
  auto* writer = dynamic_cast<PayloadWriter*>(payload.get());
  OUTCROP_ASSERT(writer != nullptr);
  CO_TRYV(writer->check(!request.attributes.envelope.empty(), 0));
  CO_TRYV(co_await writer->finish());
  if (!request.conditions.empty()) {
    CO_TRYV(co_await flush_key(core, bucket, key));
  }
  PutOp op{.bucket = bucket, .key = key, .payload = *writer, .request = std::move(request)};
  CO_TRYV(core.check_room());
  CO_TRY(op.ino, co_await core.inodes.allocate(inodes_needed(key)));
  AppendOp append{.bucket = bucket, .key = key, .payload = *writer, .request = op.request};
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    std::optional<ObjectInfo> info;
    if (op.request.append_at) {
      CO_TRY(info, co_await try_append(core, append));
    }
    if (!info && append.ino == 0) {
      CO_TRY(info, co_await try_put(core, op));
    }
    if (info) {
      co_return *std::move(info);
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
