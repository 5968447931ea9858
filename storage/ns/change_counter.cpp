#include "storage/ns/change_counter.h"

#include "storage/meta/tables.h"
#include "storage/ns/bucket_record.h"
#include "storage/ns/tally_record.h"

namespace outcrop::ns {
namespace {
constexpr unsigned kCountBits = 40;
constexpr std::uint64_t kFirstBoot = 1;
}  // namespace

std::string boot_counter_key() { return meta::table_key(meta::Table::system, "next_boot"); }

Task<> ChangeCounter::open(std::uint64_t random_bits, bool tallied) {
  x_tallied = tallied;
  CO_TRY(const auto stored, co_await x_meta.get(boot_counter_key()));
  std::uint64_t boot = kFirstBoot;
  if (stored) {
    CO_TRY(boot, decode_counter(*stored));
  }
  auto stored_next = co_await store(boot + 1);
  if (!stored_next && stored_next.error().code() != Errc::read_only) {
    co_return stored_next;
  }
  x_last_boot = boot;
  x_floor = boot << kCountBits;
  if (!stored_next) {
    // Read-only for now: numbers from the half of the last boot that no run uses without taking
    // another boot first, somewhere in it. The next run that can write begins above.
    x_last_boot = boot - 1;
    x_floor = (x_last_boot << kCountBits) + (std::uint64_t{1} << (kCountBits - 1)) +
              (random_bits >> (64 - kCountBits + 2));
  }
  x_last = x_floor;
  x_boot_id = (random_bits >> (64 - kCountBits)) | (x_last_boot << kCountBits);
  co_return ok();
}

Task<> ChangeCounter::extend() {
  if (x_last.load() < (x_last_boot << kCountBits) + (std::uint64_t{1} << (kCountBits - 1))) {
    co_return ok();
  }
  if (auto stored = co_await store(x_last_boot + 2); !stored) {
    co_return stored.error().code() == Errc::read_only ? ok() : stored;  // it has time
  }
  ++x_last_boot;
  co_return ok();
}

Task<> ChangeCounter::store(std::uint64_t next_boot) {
  meta::Batch batch;
  batch.put(boot_counter_key(), encode_counter(next_boot));
  if (x_tallied) {
    batch.put(tally_mark_key(), encode_counter(next_boot));
  }
  co_return co_await x_meta.commit(std::move(batch));
}

}  // namespace outcrop::ns
