#include "storage/ns/change_counter.h"

#include "storage/meta/tables.h"
#include "storage/ns/bucket_record.h"

namespace outcrop::ns {
namespace {
constexpr unsigned kCountBits = 40;
constexpr std::uint64_t kFirstBoot = 1;
}  // namespace

std::string boot_counter_key() { return meta::table_key(meta::Table::system, "next_boot"); }

Task<> ChangeCounter::open(std::uint64_t random_bits) {
  CO_TRY(const auto stored, co_await x_meta.get(boot_counter_key()));
  std::uint64_t boot = kFirstBoot;
  if (stored) {
    CO_TRY(boot, decode_counter(*stored));
  }
  CO_TRYV(co_await store(boot + 1));
  x_last_boot = boot;
  x_floor = boot << kCountBits;
  x_last = x_floor;
  x_boot_id = (random_bits >> (64 - kCountBits)) | x_floor;
  co_return ok();
}

Task<> ChangeCounter::extend() {
  if (x_last.load() < (x_last_boot << kCountBits) + (std::uint64_t{1} << (kCountBits - 1))) {
    co_return ok();
  }
  CO_TRYV(co_await store(x_last_boot + 2));
  ++x_last_boot;
  co_return ok();
}

Task<> ChangeCounter::store(std::uint64_t next_boot) {
  meta::Batch batch;
  batch.put(boot_counter_key(), encode_counter(next_boot));
  co_return co_await x_meta.commit(std::move(batch));
}

}  // namespace outcrop::ns
