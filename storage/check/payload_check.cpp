#include "storage/check/payload_check.h"

#include <algorithm>
#include <bit>

#include "storage/check/mirror_check.h"
#include "storage/check/object_names.h"
#include "storage/meta/tables.h"
#include "storage/segment/blob_store.h"

namespace outcrop::check {
namespace {

constexpr std::size_t kRowsAtOnce = 4096;

constexpr const char* kNotRepaired =
    "the server does not repair this: copy what can still be read of it to another key, delete it, "
    "and put it again from its source";

}  // namespace

PayloadCheck::PayloadCheck(meta::MetaStore& meta,
                           const drives::DriveSet& drives,
                           Segments& segments,
                           PayloadOptions options,
                           Report& report)
    : x_meta(meta),
      x_drives(drives),
      x_segments(segments),
      x_options(std::move(options)),
      x_report(report) {
  x_report.payload_read = x_options.read;
}

PayloadCheck::~PayloadCheck() = default;

Task<> PayloadCheck::visit(ns::ExtentUser user) {
  if (user.extent.segment != x_id) {
    CO_TRYV(co_await leave());
    CO_TRYV(co_await enter(user.extent.segment));
  }
  co_return co_await add(user);
}

Task<> PayloadCheck::finish() {
  CO_TRYV(co_await leave());
  for (const auto& [id, state] : x_segments) {
    x_report.segments_unused += state.used ? 0 : 1;
  }
  co_return ok();
}

Task<> PayloadCheck::enter(SegmentId id) {
  x_id = id;
  const auto at = x_segments.find(id);
  x_segment = at == x_segments.end() ? nullptr : &at->second;
  x_end = 0;
  x_last = {};
  x_any_lost = false;
  x_row_count = 0;
  if (x_segment != nullptr) {
    x_segment->used = true;
    x_shards.assign(x_segment->record.slots.size(), {});
    if (x_options.read) {
      x_reader = std::make_unique<ShardReader>(x_segment->record, x_drives);
    }
  }
  if (x_options.progress && !x_options.progress(++x_entered)) {
    co_return fail(Errc::cancelled);
  }
  co_return ok();
}

Task<> PayloadCheck::add(const ns::ExtentUser& user) {
  const Extent& extent = user.extent;
  if (x_segment == nullptr) {
    co_return co_await hurt(user.owner, "refers to segment " + hex16(extent.segment) +
                                            ", which is not in the catalogue");
  }
  if (extent.offset == x_last.offset && x_last.length > 0) {
    if (extent != x_last) {
      co_return co_await hurt(user.owner, "and another one say different things about offset " +
                                              std::to_string(extent.offset) + " of segment " +
                                              hex16(extent.segment));
    }
    co_return ok();  // shared
  }
  const segment::SegmentRecord& record = x_segment->record;
  // First the length alone: what comes from damaged metadata must not overflow.
  const bool sane = extent.length > 0 && extent.length / record.k < record.shard_bytes &&
                    extent.offset < record.shard_bytes &&
                    (!record.small || extent.length <= segment::kSmallMax);
  const std::uint64_t bytes = !sane          ? 0
                              : record.small ? segment::kHeaderBytes + extent.length
                                             : segment::run_bytes(record, extent.length);
  if (!sane || bytes > record.shard_bytes - extent.offset) {
    co_return co_await hurt(user.owner, "refers to " + count_of(extent.length, "byte") +
                                            " at offset " + std::to_string(extent.offset) +
                                            " of segment " + hex16(extent.segment) +
                                            ", which has no room for them");
  }
  if (extent.offset < x_end) {
    CO_TRYV(co_await hurt(user.owner, "has payload at offset " + std::to_string(extent.offset) +
                                          " of segment " + hex16(extent.segment) +
                                          " that overlaps that of another one"));
  }
  x_end = std::max(x_end, extent.offset + bytes);
  x_last = extent;
  if (x_options.read) {
    add_rows(extent);
    if (x_rows.size() >= kRowsAtOnce) {
      CO_TRYV(co_await read_rows());
    }
  }
  co_return ok();
}

void PayloadCheck::add_rows(const Extent& extent) {
  const segment::SegmentRecord& record = x_segment->record;
  Row row{.offset = extent.offset,
          .stamp = extent.stamp,
          .length = static_cast<std::uint32_t>(extent.length),
          .extent = static_cast<std::uint32_t>(x_extents.size()),
          .good = 0};
  x_extents.push_back(extent);
  if (record.small) {
    x_rows.push_back(row);
    return;
  }
  const std::uint64_t stripes = segment::stripe_count(record, extent.length);
  for (std::uint64_t i = 0; i < stripes; ++i) {
    const segment::StripeShape shape = segment::stripe_shape(record, extent, i);
    row.offset = shape.offset;
    row.length = shape.chunk_bytes - static_cast<std::uint32_t>(segment::kHeaderBytes);
    x_rows.push_back(row);
  }
}

Task<> PayloadCheck::read_rows() {
  const std::uint64_t chunks = x_reader->chunks(), bytes = x_reader->bytes();
  CO_TRYV(co_await x_reader->read(x_rows, x_options.backend));
  x_report.chunks += x_reader->chunks() - chunks;
  x_report.payload_bytes += x_reader->bytes() - bytes;
  x_row_count += x_rows.size();
  for (const Row& row : x_rows) {
    judge(row);
  }
  x_rows.clear();
  const std::vector<Extent> extents = std::exchange(x_extents, {});
  for (const std::uint32_t index : std::exchange(x_lost, {})) {
    x_any_lost = true;
    CO_TRYV(co_await name_users(extents[index], "cannot be read: too few shards of its " +
                                                    count_of(extents[index].length, "byte") +
                                                    " at offset " +
                                                    std::to_string(extents[index].offset) +
                                                    " of segment " + hex16(x_id) + " verify"));
  }
  co_return ok();
}

void PayloadCheck::judge(const Row& row) {
  const segment::SegmentRecord& record = x_segment->record;
  if (std::popcount(row.good) < static_cast<int>(record.k)) {
    x_lost.insert(row.extent);
  }
  const bool in_doubt = x_options.in_doubt.contains({x_id, row.offset});
  for (unsigned i = 0; i < x_shards.size() && !in_doubt; ++i) {
    if ((row.good & (1U << i)) == 0 && (x_reader->open() & (1U << i)) != 0) {
      ShardTally& tally = x_shards[i];
      tally.first_bad = tally.bad++ == 0 ? row.offset : tally.first_bad;
    }
  }
}

Task<> PayloadCheck::leave() {
  if (x_segment == nullptr) {
    co_return ok();
  }
  if (!x_rows.empty()) {
    CO_TRYV(co_await read_rows());
  }
  const segment::SegmentRecord& record = x_segment->record;
  segment::ShardMask good = x_options.read ? x_reader->open() : x_segment->present;
  segment::ShardMask broken = 0;
  for (unsigned i = 0; i < x_shards.size(); ++i) {
    broken |= x_shards[i].bad > 0 ? 1U << i : 0;
  }
  good &= ~broken;
  report_damage(broken);
  const SegmentView view{
      .id = x_id,
      .k = record.k,
      .m = record.m,
      .good = static_cast<unsigned>(std::popcount(good)),
      .lost = x_options.read ? x_any_lost : std::popcount(good) < static_cast<int>(record.k)};
  const bool whole = view.good == record.slots.size() && !view.lost;
  ++(view.lost ? x_report.segments_lost
     : whole   ? x_report.segments_whole
               : x_report.segments_degraded);
  if (!whole && x_report.not_whole.size() < kMaxListed) {
    x_report.not_whole.push_back(view);
  }
  x_reader.reset();
  x_segment = nullptr;
  co_return ok();
}

// One finding for each shard: what the store knows it lacks is no damage.
void PayloadCheck::report_damage(segment::ShardMask broken) {
  for (unsigned i = 0; i < x_shards.size(); ++i) {
    if ((broken & (1U << i)) == 0) {
      continue;
    }
    const std::string what = count_of(x_shards[i].bad, "chunk") + " of " +
                             std::to_string(x_row_count) + " of segment " + hex16(x_id) +
                             ", the first at offset " + std::to_string(x_shards[i].first_bad);
    const std::string where = drive_name(x_drives, x_segment->record.slots[i]) + ", " +
                              segment::shard_path(x_id, i) + ": ";
    if ((x_segment->holes & (1U << i)) != 0) {
      x_report.findings.problem(
          "shard-behind",
          where + "lacks " + what + ", because the drive was away when they were written",
          "start the server: repair fills them in from the other shards");
    } else {
      x_report.findings.problem(
          "chunks-damaged", where + "does not verify in " + what,
          x_any_lost ? "put missing drives back, if there are any: too few other shards are good"
                     : "nothing is lost: the other shards give the data; the server rewrites the "
                       "chunks when it reads them or scrubs; if it happens again, replace the "
                       "drive");
    }
  }
}

// All owners of the extent, by its references.
Task<> PayloadCheck::name_users(const Extent& extent, std::string what) {
  std::string from(1, static_cast<char>(meta::Table::extent_ref));
  put_be64(from, extent.segment);
  put_be64(from, extent.offset);
  meta::ScanRequest request{.lower = from, .upper = meta::prefix_end(from), .keys_only = true};
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await x_meta.scan(request, {}));
    for (const meta::KeyValue& entry : page.entries) {
      if (entry.key.size() == from.size() + sizeof(InodeId)) {
        CO_TRYV(co_await hurt(get_be64(std::string_view(entry.key).substr(from.size())), what));
      }
    }
    more = page.more && !page.entries.empty();
    if (more) {
      request.lower = page.entries.back().key + '\0';
    }
  }
  co_return ok();
}

Task<> PayloadCheck::hurt(InodeId owner, const std::string& what) {
  std::string who = "inode " + std::to_string(owner);
  if (x_named.contains(owner)) {
    co_return ok();  // once is enough
  }
  if (x_named.size() < kMaxListed) {
    x_named.insert(owner);
    x_report.objects_hurt = x_named.size();
    CO_TRY(who, co_await name_inode(x_meta, owner));
  } else {
    x_report.more_objects_hurt = true;
  }
  x_report.findings.problem("object-damaged", who + " " + what, kNotRepaired);
  co_return ok();
}

}  // namespace outcrop::check
