#include "storage/ns/left_names.h"

#include <algorithm>

#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"

namespace outcrop::ns {
namespace {

constexpr std::size_t kForgottenAtOnce = 1000;
constexpr int kForgottenBatches = 8;
constexpr std::int64_t kRefusalNs = 60'000'000'000;  ///< before a store that refused is asked again

std::string readers_key() { return meta::table_key(meta::Table::system, "directory_readers"); }

std::uint64_t period_now(Core& core) {
  return static_cast<std::uint64_t>(core.clock.wall_ns() / kLeftPeriodNs);
}

}  // namespace

void put_left_name(Core& core,
                   meta::Batch& batch,
                   InodeId directory,
                   std::uint64_t cookie,
                   std::string_view name) {
  batch.put(left_key(period_now(core), directory, cookie), encode_name(name));
}

Task<std::optional<std::string>> find_left_name(Core& core,
                                                InodeId directory,
                                                std::uint64_t cookie) {
  const std::uint64_t now = period_now(core);
  for (const std::uint64_t period : {now, now - 1}) {
    CO_TRY(const auto value, co_await core.meta.get(left_key(period, directory, cookie)));
    if (value) {
      CO_TRY(std::string name, decode_name(*value));
      co_return name;
    }
  }
  co_return std::nullopt;
}

Task<> expire_left_names(Core& core) {
  const std::uint64_t end = period_now(core) - 1;
  const std::optional<std::string> from = core.recent.forget_from(end);
  if (!from) {
    co_return ok();
  }
  meta::ScanRequest old{.lower = std::max(*from, meta::table_key(meta::Table::left_name)),
                        .upper = left_period(end),
                        .limit = kForgottenAtOnce,
                        .keys_only = true};
  for (int i = 0; i < kForgottenBatches; ++i) {
    CO_TRY(meta::ScanPage page, co_await core.meta.scan(old));
    if (!page.entries.empty()) {
      old.lower = page.entries.back().key + '\0';
      meta::Batch batch;
      for (meta::KeyValue& entry : page.entries) {
        batch.erase(std::move(entry.key));
      }
      CO_TRYV(co_await core.meta.commit(std::move(batch)));
    }
    if (!page.more || page.entries.empty()) {
      core.recent.forgot(left_period(end), end);
      co_return ok();
    }
  }
  core.recent.forgot(old.lower, 0);
  co_return ok();
}

Task<> resume_readers(Core& core) {
  CO_TRY(const auto known, co_await core.meta.get(readers_key()));
  if (known) {
    core.recent.watch_all(core.clock.steady_ns());
  }
  co_return ok();
}

Task<> remember_readers(Core& core) {
  const std::int64_t now = core.clock.steady_ns();
  if (core.recent.remembered(now)) {
    co_return ok();
  }
  // The first readers come together, and only one may write.
  LockPlan plan;
  plan.add(lock_name('r', 0, "directory_readers"), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(plan)));
  if (core.recent.remembered(now)) {
    co_return ok();
  }
  CO_TRY(const auto known, co_await core.meta.get(readers_key()));
  if (!known) {
    meta::Batch batch;
    batch.put(readers_key(), encode_number(1));
    const Result<void> stored = co_await core.meta.commit(std::move(batch));
    if (!stored && is_write_refusal(stored)) {
      core.recent.set_remembered(now + kRefusalNs);
      co_return ok();
    }
    CO_TRYV(stored);
  }
  core.recent.set_remembered();
  co_return ok();
}

}  // namespace outcrop::ns
