// CompleteMultipartUpload: the parts become one object in one transaction. Their extents change
// owner, no byte moves.
#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "storage/ns/conditions.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"
#include "storage/ns/upload.h"

namespace outcrop::ns {
namespace {

using digest::Algorithm;
using digest::ChecksumType;
using digest::Digest;

struct CompleteOp {
  std::string_view bucket, key, upload_id;
  CompleteRequest request;
  InodeId ino = 0;
  InodeId busy = 0;
};

// The stored parts that the request names, in its order; both are ascending.
Result<std::vector<const Part*>> choose_parts(const CompleteRequest& request,
                                              const std::vector<Part>& stored) {
  std::vector<const Part*> out;
  out.reserve(request.parts.size());
  auto next = stored.begin();
  for (const CompletePart& wanted : request.parts) {
    while (next != stored.end() && next->number < wanted.number) {
      ++next;
    }
    const bool there = next != stored.end() && next->number == wanted.number;
    if (!there || next->record.etag != wanted.etag ||
        (!wanted.checksum.empty() && next->record.checksum.value != wanted.checksum)) {
      return fail(Errc::invalid_part, "part " + std::to_string(wanted.number));
    }
    out.push_back(&*next);
  }
  return out;
}

Result<void> check_order(const CompleteRequest& request) {
  if (request.parts.empty()) {
    return fail(Errc::invalid_argument, "no parts");
  }
  for (std::size_t i = 1; i < request.parts.size(); ++i) {
    if (request.parts[i - 1].number >= request.parts[i].number) {
      return fail(Errc::invalid_part_order);
    }
  }
  return ok();
}

Result<std::uint64_t> check_sizes(const CompleteRequest& request,
                                  const std::vector<const Part*>& parts,
                                  std::uint64_t min_part_bytes) {
  std::uint64_t total = 0;
  for (const Part* part : parts) {
    if (part != parts.back() && part->record.size < min_part_bytes) {
      return fail(Errc::entity_too_small, "part " + std::to_string(part->number));
    }
    total += part->record.size;
  }
  if (total > kMaxObjectBytes) {
    return fail(Errc::entity_too_large);
  }
  if (request.object_size && *request.object_size != total) {
    return fail(Errc::invalid_argument, "object size differs from the sum of the parts");
  }
  return total;
}

// Of a multipart object: MD5 of the parts' MD5s. An ETag that is no MD5 counts as its text.
std::string combined_etag(const std::vector<const Part*>& parts) {
  Digest md5(Algorithm::md5);
  for (const Part* part : parts) {
    const auto raw = digest::from_hex(part->record.etag);
    md5.update(as_bytes(raw ? std::string_view(*raw) : std::string_view(part->record.etag)));
  }
  return digest::to_hex(as_bytes(md5.value())) + "-" + std::to_string(parts.size());
}

// None if the upload asks for none, or if a part came without (a copied one may).
Result<digest::Checksum> combined_checksum(const UploadRecord& upload,
                                           const std::vector<const Part*>& parts) {
  const Algorithm algorithm = upload.checksum_algorithm;
  const bool complete = std::ranges::all_of(parts, [&](const Part* part) {
    return part->record.checksum.algorithm == algorithm && !part->record.checksum.value.empty();
  });
  if (algorithm == Algorithm::none || !complete) {
    return digest::Checksum{};
  }
  digest::Checksum out{.algorithm = algorithm, .type = upload.checksum_type, .value = {}};
  if (upload.checksum_type == ChecksumType::composite) {
    Digest sum(algorithm);
    for (const Part* part : parts) {
      sum.update(as_bytes(part->record.checksum.value));
    }
    out.value = sum.value();
    return out;
  }
  for (const Part* part : parts) {
    if (part == parts.front()) {
      out.value = part->record.checksum.value;
    } else {
      TRY(out.value,
          digest::combine(algorithm, out.value, part->record.checksum.value, part->record.size));
    }
  }
  return out;
}

Result<InodeRecord> build_record(Core& core,
                                 const CompleteOp& op,
                                 const UploadRecord& upload,
                                 const std::vector<const Part*>& parts) {
  InodeRecord out{.type = InodeType::file,
                  .mtime_ns = core.clock.wall_ns(),
                  .attributes = upload.attributes,
                  .upload_id = std::string(op.upload_id),
                  .lists = {}};
  TRY(out.size, check_sizes(op.request, parts, core.config.min_part_bytes));
  set_file_fields(out, op.request.file);
  out.etag = combined_etag(parts);
  TRY(out.checksum, combined_checksum(upload, parts));
  if (op.request.checksum && op.request.checksum->value != out.checksum.value) {
    return fail(Errc::bad_digest, "object checksum");
  }
  for (const Part* part : parts) {
    const PartRecord& record = part->record;
    out.lists.parts.push_back({part->number, record.size, record.checksum.value});
    out.lists.pieces.insert(out.lists.pieces.end(), record.lists.pieces.begin(),
                            record.lists.pieces.end());
  }
  return out;
}

// The upload is gone: the same answer again if the object at the key is still what it made.
Task<ObjectInfo> repeat_answer(Core& core, const CompleteOp& op) {
  CO_TRY(const BucketRecord bucket, co_await find_bucket(core, op.bucket));
  CO_TRY(const FoundObject found, co_await find_flushed(core, bucket.root, op.key, false));
  if (!found.object || op.upload_id.empty() || found.object->record.upload_id != op.upload_id) {
    co_return fail(Errc::no_such_upload);
  }
  co_return info_of(*found.object);
}

// Empty: the plan was outrun.
Task<std::optional<ObjectInfo>> try_complete(Core& core, CompleteOp& op) {
  const auto upload = co_await find_upload(core, op.bucket, op.key, op.upload_id);
  if (!upload && upload.error().code() == Errc::no_such_upload) {
    CO_TRY(ObjectInfo info, co_await repeat_answer(core, op));
    co_return info;
  }
  CO_TRYV(upload);
  CO_TRYV(check_order(op.request));
  CO_TRY(Target target, co_await plan_target(core, op.bucket, op.key));
  target.busy = op.busy;
  const InodeId upload_ino = upload->record.ino;
  LockPlan locks;
  lock_target(locks, target);
  locks.add(upload_lock(upload_ino), LockMode::exclusive);
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool there, co_await confirm_upload(core, op.bucket, op.key, op.upload_id, *upload));
  CO_TRY(const bool confirmed, co_await confirm_target(core, target, held));
  if (!there || !confirmed || target.bucket.root != upload->bucket.root) {
    op.busy = target.busy;
    co_return std::nullopt;
  }
  CO_TRYV(check_object(op.request.conditions, target.object(), Access::write));
  CO_TRY(const auto stored, co_await load_parts(core, upload_ino, 0, kMaxParts));
  CO_TRY(const auto chosen, choose_parts(op.request, stored));
  CO_TRY(InodeRecord record, build_record(core, op, upload->record, chosen));
  Transaction tx(core);
  for (const Part& part : stored) {
    erase_part(tx, target.bucket.root, upload_ino, part);
  }
  tx.batch.erase(upload_key(target.bucket.root, op.key, op.upload_id));
  Object object{op.ino, target.bucket.root, std::move(record)};
  CO_TRYV(settle_lock(core, target, object.record));
  install_object(core, tx, target, op.ino, op.ino, object.record);
  CO_TRYV(co_await tx.commit());
  co_return info_of(object);
}

}  // namespace

Task<ObjectInfo> complete_upload(Core& core,
                                 std::string_view bucket,
                                 std::string_view key,
                                 std::string_view upload_id,
                                 CompleteRequest request) {
  CO_TRYV(check_key(key));
  if (!request.conditions.empty()) {
    CO_TRYV(co_await flush_key(core, bucket, key));
  }
  CompleteOp op{
      .bucket = bucket, .key = key, .upload_id = upload_id, .request = std::move(request)};
  CO_TRY(op.ino, co_await core.inodes.allocate(inodes_needed(key)));
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(auto info, co_await try_complete(core, op));
    if (info) {
      co_return *std::move(info);
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
