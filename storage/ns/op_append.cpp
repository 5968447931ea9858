#include "storage/ns/op_append.h"

#include "storage/digest/digest.h"
#include "storage/ns/conditions.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/history.h"
#include "storage/ns/links.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"

namespace outcrop::ns {
namespace {

using digest::Algorithm;
using digest::Checksum;
using digest::ChecksumType;

/// Times the pieces of a fragmented file, as for flushes.
constexpr std::size_t kCrowded = 8;

Task<> store_ahead(Core& core, AppendOp& op) {
  const ConstBytes small = op.payload.small();
  if (!op.payload.striped() && !op.stream && small.size() > kMaxRiding) {
    const std::vector<PlacedBytes> bytes{{0, Buffer::copy_of(small)}};
    CO_TRY(op.stream, co_await PayloadStream::store(core, bytes));
  }
  co_return ok();
}

FileChange change_of(const AppendOp& op, std::uint64_t at) {
  const std::uint64_t added = op.payload.size();
  FileChange out{.bytes = {}, .pieces = {}, .size = at + added};
  if (op.payload.striped()) {
    out.pieces = {{at, op.payload.pieces()}};
  } else if (op.stream) {
    const std::vector<PlacedBytes> all{{0, Buffer::copy_of(op.payload.small())}};
    out.pieces = op.stream->pieces_of(all);
    out.pieces.front().offset = at;
  } else if (added > 0) {
    out.bytes = {{at, Buffer::copy_of(op.payload.small())}};
  }
  return out;
}

Result<void> check_append(const AppendOp& op, const InodeRecord& was) {
  const PutRequest& request = op.request;
  if (was.size != *request.append_at) {
    return fail(Errc::range_not_satisfiable, "the object has another size");
  }
  if (op.payload.size() > kMaxObjectBytes - was.size) {
    return fail(Errc::entity_too_large);
  }
  const bool fits = was.checksum.algorithm == Algorithm::none ||
                    was.checksum.algorithm == request.checksum.algorithm;
  const bool sealed = !was.attributes.envelope.empty() || !request.attributes.envelope.empty();
  if (!fits || sealed || !request.attributes.user_meta.empty() ||
      !request.attributes.tags.empty()) {
    return fail(Errc::conflict, "the object was another one when the request was made up");
  }
  return ok();
}

Result<void> add_part(std::vector<PartSummary>& parts,
                      std::uint64_t size,
                      const std::string& checksum) {
  const std::uint32_t last = parts.empty() ? 0 : parts.back().number;
  if (last >= kMaxParts) {
    return fail(Errc::invalid_part, "too many parts");
  }
  parts.push_back({last + 1, size, checksum});
  return ok();
}

std::string composite_of(Algorithm algorithm, const std::vector<PartSummary>& parts) {
  digest::Digest sum(algorithm);
  for (const PartSummary& part : parts) {
    sum.update(as_bytes(part.checksum));
  }
  return sum.value();
}

// As on AWS: CRCs stay those of the whole object; of a hash, and of what is composite already, the
// parts' values are kept, and theirs is the object's. An object with parts gets another one.
Result<void> extend_digests(const AppendOp& op, const InodeRecord& was, InodeRecord& now) {
  const std::uint64_t added = op.payload.size();
  const Checksum& more = op.request.checksum;
  const Algorithm algorithm = was.checksum.algorithm;
  now.lists.parts = was.lists.parts;
  if (algorithm == Algorithm::none) {
    return was.lists.parts.empty() ? ok() : add_part(now.lists.parts, added, {});
  }
  now.checksum = {algorithm, ChecksumType::full_object, more.value};
  if (was.size == 0 && was.lists.parts.empty()) {
    return ok();
  }
  if (was.checksum.type == ChecksumType::full_object) {
    auto whole = digest::combine(algorithm, was.checksum.value, more.value, added);
    if (whole) {
      now.checksum.value = *std::move(whole);
      return was.lists.parts.empty() ? ok() : add_part(now.lists.parts, added, more.value);
    }
  }
  if (now.lists.parts.empty()) {
    TRYV(add_part(now.lists.parts, was.size, was.checksum.value));
  }
  TRYV(add_part(now.lists.parts, added, more.value));
  now.checksum.type = ChecksumType::composite;
  now.checksum.value = composite_of(algorithm, now.lists.parts);
  return ok();
}

// In a bucket with versions. False: `op` says what the next attempt needs.
Task<bool> plan_version(
    Core& core, AppendOp& op, HeldTarget& place, const Object& was, Renewal& renewal) {
  const Target& target = place.target;
  InodeId busy = 0;
  CO_TRY(renewal, co_await plan_renewal(core, place.held, target.bucket.versioning, was, busy,
                                        {target.parent.dir.ino, target.path.name}));
  op.busy = busy != 0 ? busy : op.busy;
  op.spares_needed = renewal_inodes(was);
  co_return busy == 0 && op.spares_needed <= op.spares;
}

Task<std::optional<ObjectInfo>> append_locked(Core& core, AppendOp& op) {
  CO_TRY(auto place, co_await hold_target(core, op.bucket, op.key, op.busy));
  const ObjectPtr was = place ? place->target.object() : nullptr;
  if (!was || was->ino != op.ino) {
    co_return std::nullopt;
  }
  CO_TRYV(check_object(op.request.conditions, was, Access::write));
  CO_TRYV(check_append(op, was->record));
  if (place->target.bucket.lock.enabled) {  // what S3 made nobody goes on writing to
    co_return fail(Errc::not_implemented, "an append in a bucket with Object Lock");
  }
  const bool versioned = place->target.versioned();
  Renewal renewal;
  if (versioned) {
    CO_TRY(const bool planned, co_await plan_version(core, op, *place, *was, renewal));
    if (!planned) {
      co_return std::nullopt;
    }
  }
  FileChange change = change_of(op, was->record.size);
  Object now = *was;
  CO_TRYV(mark_content(core, now, change.size, stamp_now(core)));
  CO_TRYV(extend_digests(op, was->record, now.record));
  Transaction tx(core);
  if (versioned) {
    apply_renewal(core, tx, renewal, *was, now, op.spare);
  }
  CO_TRYV(co_await put_summaries(core, tx, now));
  CO_TRYV(co_await put_change(core, tx, *was, now, std::move(change)));
  CO_TRYV(co_await tx.commit());
  op.pieces = now.record.lists.pieces.size();
  co_return info_of(now);
}

}  // namespace

Task<std::optional<ObjectInfo>> try_append(Core& core, AppendOp& op) {
  CO_TRYV(co_await store_ahead(core, op));
  CO_TRY(const BucketRecord bucket, co_await find_bucket(core, op.bucket));
  CO_TRY(const FoundObject found, co_await find_flushed(core, bucket.root, op.key, false));
  op.ino = found.object ? found.object->ino : 0;
  if (op.ino == 0) {
    co_return std::nullopt;
  }
  if (op.spares_needed > op.spares) {
    CO_TRY(op.spare, co_await core.inodes.allocate(op.spares_needed));
    op.spares = op.spares_needed;
  }
  // What file clients write waits from here on; what they have written before is stored first.
  const GateHold gate = core.dirty->close_gate(op.ino);
  CO_TRYV(co_await flush_file(core, op.ino));
  CO_TRY(auto info, co_await append_locked(core, op));
  if (op.pieces > core.config.fragmented_pieces) {
    core.fragmented.add(op.ino);
  }
  if (op.pieces > kCrowded * core.config.fragmented_pieces) {
    // Faster than the background pass can follow: who appends helps. The append stands whatever
    // becomes of it.
    std::ignore = co_await defragment_file(core, op.ino);
  }
  co_return info;
}

}  // namespace outcrop::ns
