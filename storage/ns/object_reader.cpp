#include "storage/ns/object_reader.h"

#include <algorithm>

#include "storage/ns/fs_data.h"
#include "storage/ns/operations.h"
#include "storage/ns/path.h"
#include "storage/ns/versions.h"

namespace outcrop::ns {
namespace {
constexpr std::uint64_t kSliceBytes = 1 << 20;
}  // namespace

PinnedReader::PinnedReader(ExtentCache& extents,
                           ObjectPtr object,
                           segment::PinPtr pin,
                           ObjectInfo info)
    : x_extents(extents),
      x_object(std::move(object)),
      x_pin(std::move(pin)),
      x_info(std::move(info)),
      x_end(x_info.size) {}

void PinnedReader::seek(ByteRange range) {
  OUTCROP_ASSERT(range.offset <= x_info.size && range.length <= x_info.size - range.offset);
  x_at = range.offset;
  x_end = range.offset + range.length;
  if (x_object->record.sealed()) {
    return;
  }
  const auto& pieces = x_object->record.lists.pieces;
  if (range.offset < x_piece_start) {
    x_piece = 0;
    x_piece_start = 0;
  }
  while (x_piece < pieces.size() && range.offset - x_piece_start >= pieces[x_piece].length) {
    x_piece_start += pieces[x_piece++].length;
  }
}

void PinnedReader::unseal(const DataKey& key) {
  if (x_object->record.sealed()) {
    x_sealed = std::make_unique<SealedReader>(x_extents, x_object->record, key);
  }
}

Task<std::vector<Buffer>> PinnedReader::next_sealed() {
  if (!x_sealed) {
    co_return fail(Errc::sealed);
  }
  CO_TRY(Buffer bytes, co_await x_sealed->read({x_at, x_end - x_at}));
  x_at += bytes.size();
  co_return std::vector{std::move(bytes)};
}

Task<std::vector<Buffer>> PinnedReader::next() {
  const InodeRecord& record = x_object->record;
  if (x_at == x_end) {
    co_return std::vector<Buffer>{};
  }
  if (record.sealed()) {
    co_return co_await next_sealed();
  }
  if (record.lists.pieces.empty()) {
    const ConstBytes data = as_bytes(record.inline_data).subspan(x_at, x_end - x_at);
    x_at = x_end;
    co_return std::vector{Buffer::copy_of(data)};
  }
  if (x_piece >= record.lists.pieces.size()) {
    co_return fail(Errc::corrupt, "object shorter than its size");
  }
  const Piece& piece = record.lists.pieces[x_piece];
  const std::uint64_t inside = x_at - x_piece_start;
  const std::uint64_t offset = piece.skip + inside;
  // Up to a multiple of the slice in the extent, so that a scan reads every stripe once.
  const std::uint64_t n =
      std::min({piece.length - inside, x_end - x_at, kSliceBytes - offset % kSliceBytes});
  std::vector<Buffer> out;
  if (piece.hole()) {
    out.push_back(Buffer::zeroed(n));
  } else {
    CO_TRY(out, co_await x_extents.read(piece.extent, offset, n));
  }
  x_at += n;
  if (inside + n == piece.length) {
    x_piece_start += piece.length;
    ++x_piece;
  }
  co_return out;
}

namespace {

// Why there is no object.
Task<> explain_absence(Core& core, const BucketRecord& bucket, std::string_view key) {
  std::optional<VersionRecord> marker;
  if (bucket.versioning != Versioning::off) {
    CO_TRY(marker, co_await find_marker(core, bucket.root, key));
  }
  co_return marker ? fail(Errc::key_deleted, version_text(marker->stamp)) : fail(Errc::no_such_key);
}

// What is current is looked at first: it may be written to and not stored.
Task<FoundObject> find_asked(Core& core,
                             const BucketRecord& bucket,
                             std::string_view key,
                             std::string_view version_id,
                             bool pin) {
  CO_TRY(const VersionId id, check_version_id(version_id));
  CO_TRY(FoundObject found, co_await find_flushed(core, bucket.root, key, pin));
  if (found.object && id.names(found.object->record.version)) {
    co_return found;
  }
  if (bucket.versioning == Versioning::off) {
    co_return fail(found.object ? Errc::no_such_version : Errc::no_such_key);
  }
  CO_TRY(FoundVersion version, co_await find_object_version(core, bucket.root, key, id, pin));
  if (version.marker) {
    co_return fail_marker(*version.marker);
  }
  if (!version.object) {
    co_return fail(Errc::no_such_version);
  }
  co_return FoundObject{std::move(version.object), std::move(version.pin)};
}

}  // namespace

ObjectInfo info_in(const BucketRecord& bucket, ObjectInfo info) {
  if (bucket.versioning != Versioning::off && info.version_id.empty()) {
    info.version_id = version_text({});
  }
  return info;
}

Result<VersionId> check_version_id(std::string_view text) {
  const auto id = parse_version_id(text);
  return id ? Result<VersionId>(*id) : fail(Errc::invalid_argument, "version id");
}

Task<std::unique_ptr<ObjectReader>> open_read(Core& core,
                                              std::string_view bucket,
                                              std::string_view key,
                                              std::string_view version_id) {
  CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
  CO_TRY(FoundObject found,
         co_await (version_id.empty() ? find_flushed(core, record.root, key, true)
                                      : find_asked(core, record, key, version_id, true)));
  if (!found.object) {
    CO_TRYV(co_await explain_absence(core, record, key));
  }
  ObjectInfo info = info_in(record, info_of(*found.object));
  co_return std::make_unique<PinnedReader>(core.extents, std::move(found.object),
                                           std::move(found.pin), std::move(info));
}

Task<ObjectInfo> stat_object(Core& core,
                             std::string_view bucket,
                             std::string_view key,
                             std::string_view version_id) {
  CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
  CO_TRY(const FoundObject found,
         co_await (version_id.empty() ? find_flushed(core, record.root, key, false)
                                      : find_asked(core, record, key, version_id, false)));
  if (!found.object) {
    CO_TRYV(co_await explain_absence(core, record, key));
  }
  co_return info_in(record, info_of(*found.object));
}

}  // namespace outcrop::ns
