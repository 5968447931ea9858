#include "storage/ns/quota.h"

#include <algorithm>
#include <limits>

#include "storage/base/log.h"
#include "storage/ns/count_usage.h"
#include "storage/ns/operations.h"
#include "storage/ns/path.h"
#include "storage/ns/tally_record.h"
#include "storage/ns/upload.h"

namespace outcrop::ns {
namespace {

constexpr std::size_t kMutationsPerBatch = 20'000;
constexpr std::uint64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kInodesPerLine = 10'000'000;  // of the log

/// Mutations in as many commits as they need: nothing relies on them before the last one.
class Writes {
 public:
  explicit Writes(Core& core) : x_core(core) {}
  Task<> put(std::string key, std::string value) {
    x_batch.put(std::move(key), std::move(value));
    co_return co_await full();
  }
  Task<> erase(std::string key) {
    x_batch.erase(std::move(key));
    co_return co_await full();
  }
  Task<> finish() {
    if (x_batch.mutations.empty()) {
      co_return ok();
    }
    co_return co_await x_core.meta.commit(std::exchange(x_batch, {}));
  }

 private:
  Task<> full() {
    if (x_batch.mutations.size() >= kMutationsPerBatch) {
      CO_TRYV(co_await finish());
    }
    co_return ok();
  }
  Core& x_core;
  meta::Batch x_batch;
};

bool log_progress(std::uint64_t inodes) {
  if (inodes % kInodesPerLine == 0) {
    log::info("counting what buckets hold", {{"inodes", inodes}});
  }
  return true;
}

// One cell for each bucket takes the place of what is stored.
Task<> count_all(Core& core, std::map<InodeId, StoredTally>& stored) {
  log::info("what buckets hold is counted",
            {{"why", core.config.recount ? "asked for" : "an older version used the store"}});
  CO_TRY(const UsageByRoot counted, co_await count_usage(core.meta, {}, log_progress));
  Writes writes(core);
  for (auto& [root, tally] : stored) {
    for (std::uint32_t cell = 1; cell < tally.cells.size(); ++cell) {
      CO_TRYV(co_await writes.erase(cell_key(root, cell)));
    }
    if (!tally.cells.empty() && !counted.contains(root)) {
      CO_TRYV(co_await writes.erase(cell_key(root, 0)));
    }
    tally.cells.clear();
  }
  for (const auto& [root, usage] : counted) {
    CO_TRYV(co_await writes.put(cell_key(root, 0), encode_cell(usage)));
    stored[root].cells = {usage};
  }
  co_return co_await writes.finish();
}

void narrow(std::uint64_t& total,
            std::uint64_t& free,
            const std::optional<std::uint64_t>& limit,
            std::int64_t used,
            std::uint64_t reserved) {
  if (limit) {
    const std::uint64_t taken =
        static_cast<std::uint64_t>(std::max<std::int64_t>(used, 0)) + reserved;
    total = std::min(total, *limit);
    free = std::min(free, *limit - std::min(*limit, taken));
  }
}

/// `usage`: of a bucket, or a group.
template <class AnyUsage>
void narrow(FileSystemSpace& space, const AnyUsage& usage) {
  narrow(space.total_bytes, space.free_bytes, usage.limits.bytes, usage.used.bytes, usage.reserved);
  narrow(space.files, space.free_files, usage.limits.objects, usage.used.objects, 0);
}

void add(Core& core, InodeId root, const TallyPtr& tally) {
  core.tallies.add(root, tally);
  core.groups.add(root, tally);
}

Result<void> check_limits(const QuotaLimits& limits) {
  return limits.bytes.value_or(0) > kMaxQuota || limits.objects.value_or(0) > kMaxQuota
             ? fail(Errc::invalid_argument, "a limit above 2^60")
             : ok();
}

Task<> store_limits(Core& core, std::string key, const QuotaLimits& limits) {
  meta::Batch batch;
  if (limits.empty()) {
    batch.erase(std::move(key));
  } else {
    batch.put(std::move(key), encode(limits));
  }
  co_return co_await core.meta.commit(std::move(batch));
}

/// What `options` would take the place of, at most.
Task<Usage> replaced_usage(Core& core,
                           const BucketRecord& bucket,
                           std::string_view key,
                           const WriteOptions& options) {
  if (options.part > 0) {
    const auto value = co_await core.meta.get(upload_key(bucket.root, key, options.upload_id));
    CO_TRYV(value);
    if (!*value) {
      co_return Usage{};
    }
    CO_TRY(const UploadRecord upload, decode_upload(**value));
    CO_TRY(const auto parts, co_await load_parts(core, upload.ino, options.part - 1, 1));
    const bool there = !parts.empty() && parts.front().number == options.part;
    co_return there ? usage_of(parts.front().record) : Usage{};
  }
  if (options.append || bucket.versioning == Versioning::enabled) {
    co_return Usage{};
  }
  CO_TRY(const FoundObject found, co_await find_object(core, bucket.root, key, false));
  co_return found.object ? usage_of(found.object->record) : Usage{};
}

}  // namespace

Task<bool> open_tallies(Core& core) {
  // Without a snapshot: nobody changes anything yet, and a mirror may fail under it, which is no
  // reason not to start.
  CO_TRY(auto stored, co_await load_tallies(core.meta, {}));
  CO_TRY(bool hold, co_await tallies_hold(core.meta, {}));
  if (!hold || core.config.recount) {
    const auto counted = co_await count_all(core, stored.buckets);
    if (!counted && !is_write_refusal(counted)) {
      co_return fail(counted.error());
    }
    hold = counted.has_value();
  }
  for (const auto& [group, limits] : stored.groups) {
    core.groups.set_limits(group, limits);
  }
  CO_TRY(const auto buckets, co_await list_buckets(core, {}));
  for (const BucketInfo& bucket : buckets) {
    StoredTally& tally = stored.buckets[bucket.root];
    auto cells = hold ? std::optional(std::move(tally.cells)) : std::nullopt;
    const auto made = std::make_shared<Tally>(std::move(cells));
    made->set_limits(tally.limits);
    add(core, bucket.root, made);
  }
  co_return hold;
}

void add_tally(Core& core, InodeId root) {
  add(core, root,
      std::make_shared<Tally>(core.tallied ? std::optional(std::vector<Usage>()) : std::nullopt));
}

void drop_tally(Core& core, InodeId root) {
  core.groups.erase(root);
  core.tallies.erase(root);
}

Task<> commit_without_tally(Core& core, Transaction& tx, InodeId root) {
  const TallyPtr tally = core.tallies.find(root);
  OUTCROP_ASSERT(tally != nullptr);
  CO_TRY(const std::uint32_t cells, co_await tally->close());
  for (std::uint32_t cell = 0; cell < cells; ++cell) {
    tx.batch.erase(cell_key(root, cell));
  }
  if (!tally->usage().limits.empty()) {
    tx.batch.erase(limits_key(root));
  }
  if (auto committed = co_await tx.commit(); !committed) {
    tally->reopen();
    co_return committed;
  }
  drop_tally(core, root);
  co_return ok();
}

Task<BucketUsage> get_usage(Core& core, std::string_view bucket) {
  CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
  const TallyPtr tally = core.tallies.find(record.root);
  if (!tally) {
    co_return fail(Errc::no_such_bucket);
  }
  BucketUsage out = tally->usage();
  out.name = bucket;
  co_return out;
}

Task<std::vector<BucketUsage>> list_usage(Core& core) {
  CO_TRY(const auto buckets, co_await list_buckets(core));
  std::vector<BucketUsage> out;
  for (const BucketInfo& bucket : buckets) {
    if (const TallyPtr tally = core.tallies.find(bucket.root)) {
      out.push_back(tally->usage());
      out.back().name = bucket.name;
    }
  }
  co_return out;
}

Task<> put_limits(Core& core, std::string_view bucket, QuotaLimits limits) {
  CO_TRYV(check_limits(limits));
  LockPlan locks;
  locks.add(bucket_name_lock(bucket), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
  const TallyPtr tally = core.tallies.find(record.root);
  OUTCROP_ASSERT(tally != nullptr);
  CO_TRYV(co_await store_limits(core, limits_key(record.root), limits));
  tally->set_limits(limits);
  co_return ok();
}

Task<> put_group_limits(Core& core, QuotaGroupId group, QuotaLimits limits) {
  CO_TRYV(check_limits(limits));
  LockPlan locks;
  locks.add(quota_group_lock(group), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRYV(co_await store_limits(core, limits_key_of_group(group), limits));
  core.groups.set_limits(group, limits);
  co_return ok();
}

FileSystemSpace space_of(const Core& core, InodeId root) {
  FileSystemSpace out{kUnlimited, kUnlimited, kUnlimited, kUnlimited, 0};
  if (core.config.space) {
    out = core.config.space();
  }
  const TallyPtr tally = core.tallies.find(root);
  const BucketUsage usage = tally ? tally->usage() : BucketUsage{};
  narrow(out, usage);
  if (const TallyGroupPtr group = tally ? tally->group() : nullptr) {
    narrow(out, group->usage());
  }
  out.used_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(usage.used.bytes, 0));
  return out;
}

Task<> check_quota(Core& core,
                   const BucketRecord& bucket,
                   std::string_view key,
                   const WriteOptions& options) {
  const TallyPtr tally = options.about ? nullptr : core.tallies.find(bucket.root);
  const bool part = options.part > 0;
  const Usage more{static_cast<std::int64_t>(options.size_hint), part || options.append ? 0 : 1};
  if (!tally || tally->fits(more)) {
    co_return ok();
  }
  CO_TRY(const Usage replaced, co_await replaced_usage(core, bucket, key, options));
  co_return tally->fits(more - replaced);
}

}  // namespace outcrop::ns
