#include "storage/ns/check_usage.h"

#include "storage/ns/bucket_record.h"
#include "storage/ns/count_usage.h"
#include "storage/ns/tally.h"

namespace outcrop::ns {
namespace {

std::string text_of(const Usage& usage) {
  return std::to_string(usage.bytes) + " bytes in " + std::to_string(usage.objects) + " objects";
}

}  // namespace

Task<> check_usage(meta::MetaStore& meta, meta::SnapshotPtr at, Pulse& pulse, TreeReport& report) {
  CO_TRY(const bool hold, co_await tallies_hold(meta, at));
  if (!hold || !report.clean()) {
    co_return ok();
  }
  auto stored = co_await load_tallies(meta, at);
  if (!stored && stored.error().code() == Errc::corrupt) {
    report.add("tally record corrupt", 0, stored.error().detail());
    co_return ok();
  }
  CO_TRYV(stored);
  const auto beat = [&pulse](std::uint64_t /*inodes*/) { return pulse.beat().has_value(); };
  CO_TRY(UsageByRoot counted, co_await count_usage(meta, at, beat));
  TableCursor buckets(meta, at, meta::Table::bucket, pulse);
  for (;;) {
    CO_TRY(const meta::KeyValue* const entry, co_await buckets.next());
    if (entry == nullptr) {
      break;
    }
    CO_TRY(const BucketRecord bucket, decode_bucket(buckets.value()));
    Usage sum;
    for (const Usage& cell : stored->buckets[bucket.root].cells) {
      sum = sum + cell;
    }
    stored->buckets.erase(bucket.root);
    if (const Usage& now = counted[bucket.root]; sum != now) {
      report.add("tally differs", bucket.root, text_of(sum) + " instead of " + text_of(now));
    }
  }
  for (const auto& [root, tally] : stored->buckets) {
    report.add("tally without bucket", root);
  }
  co_return ok();
}

}  // namespace outcrop::ns
