#include "storage/meta/offline_meta.h"

#include <algorithm>

namespace outcrop::meta {

/// One mirror to read; without one, whichever the set reads.
class OfflineMeta::Store final : public MetaStore {
 public:
  Store(MirrorSet& set, BlockingPool& pool, std::shared_ptr<Mirror> mirror)
      : x_set(set), x_pool(pool), x_mirror(std::move(mirror)) {}

  const std::shared_ptr<Mirror>& mirror() const { return x_mirror; }

  Task<> commit(Batch) override { co_return fail(Errc::read_only, "the store is only looked at"); }
  Task<std::optional<std::string>> get(std::string_view key, SnapshotPtr) override {
    CO_TRY(const std::shared_ptr<Mirror> mirror, chosen());
    std::optional<std::string> out;
    CO_TRYV(
        co_await x_pool.run([&] { return mirror->index().get(key, Tier::drive, nullptr, out); }));
    co_return out;
  }
  Task<ScanPage> scan(ScanRequest request, SnapshotPtr) override {
    CO_TRY(const std::shared_ptr<Mirror> mirror, chosen());
    ScanPage page;
    CO_TRYV(co_await x_pool.run(
        [&] { return mirror->index().scan(request, Tier::drive, nullptr, page); }));
    co_return page;
  }
  /// Nothing changes.
  SnapshotPtr snapshot() override { return nullptr; }

 private:
  Result<std::shared_ptr<Mirror>> chosen() const {
    std::shared_ptr<Mirror> mirror = x_mirror ? x_mirror : x_set.reader();
    if (!mirror) {
      return fail(Errc::unavailable, "no metadata mirror is left");
    }
    return mirror;
  }

  MirrorSet& x_set;
  BlockingPool& x_pool;
  const std::shared_ptr<Mirror> x_mirror;
};

OfflineMeta::OfflineMeta(MetaConfig config, drives::DriveSet& drives, BlockingPool& pool)
    : x_pool(pool),
      x_set(drives, pool, config, [] {}),
      x_replaying(std::make_unique<Store>(x_set, pool, nullptr)) {}

OfflineMeta::~OfflineMeta() = default;

Task<std::unique_ptr<OfflineMeta>> OfflineMeta::open(MetaConfig config,
                                                     drives::DriveSet& drives,
                                                     CommitCompanion& companion,
                                                     BlockingPool& pool) {
  config.compactions = false;
  std::unique_ptr<OfflineMeta> meta(new OfflineMeta(config, drives, pool));
  CO_TRYV(co_await meta->start(drives, companion));
  co_return meta;
}

Task<> OfflineMeta::start(drives::DriveSet& drives, CommitCompanion& companion) {
  companion.attach(*x_replaying);
  CO_TRYV(co_await x_pool.run([this] { return x_set.open(); }));
  CO_TRYV(co_await x_pool.run([&]() -> Result<void> {
    std::vector<Positions> all;
    for (const std::shared_ptr<Mirror>& mirror : x_set.opened()) {
      if (auto positions = mirror->read_positions()) {  // else replay discards it
        all.push_back(*std::move(positions));
      }
    }
    x_journal = check_journals(drives, [&all](unsigned worker) {
      Sequence least = ~Sequence{0};
      for (const Positions& p : all) {
        least = std::min(least, p.of(worker));
      }
      return least;
    });
    return ok();
  }));
  Replay replay(drives, x_set, companion, x_pool);
  CO_TRY(x_outcome, co_await replay.run());
  for (const std::shared_ptr<Mirror>& mirror : x_set.opened()) {
    x_mirrors.push_back(std::make_unique<Store>(x_set, x_pool, mirror));
  }
  co_return ok();
}

drives::Slot OfflineMeta::slot(std::size_t mirror) const {
  return x_mirrors[mirror]->mirror()->slot();
}
MetaStore& OfflineMeta::store(std::size_t mirror) { return *x_mirrors[mirror]; }
Result<void> OfflineMeta::verify(std::size_t mirror) {
  return x_mirrors[mirror]->mirror()->index().verify();
}

}  // namespace outcrop::meta
