#include "storage/meta/journaled_meta_store.h"

#include "storage/meta/store_core.h"

namespace outcrop::meta {
namespace {

/// A view of the mirror that was the reader when it was taken.
class MirrorSnapshot final : public Snapshot {
 public:
  explicit MirrorSnapshot(std::shared_ptr<Mirror> mirror)
      : x_mirror(std::move(mirror)), x_view(x_mirror->index().view()) {}
  const std::shared_ptr<Mirror>& mirror() const { return x_mirror; }
  const RocksIndex::View& view() const { return *x_view; }

 private:
  std::shared_ptr<Mirror> x_mirror;
  std::shared_ptr<const RocksIndex::View> x_view;  // gone before the mirror
};

const MirrorSnapshot* of(const SnapshotPtr& at) {
  return static_cast<const MirrorSnapshot*>(at.get());
}

}  // namespace

JournaledMetaStore::JournaledMetaStore(std::shared_ptr<Core> core) : x_core(std::move(core)) {}
JournaledMetaStore::~JournaledMetaStore() = default;

Task<std::unique_ptr<JournaledMetaStore>> JournaledMetaStore::open(MetaConfig config,
                                                                   drives::DriveSet& drives,
                                                                   CommitCompanion& companion,
                                                                   std::vector<MetaWorker> workers,
                                                                   BlockingPool& pool) {
  auto core = std::make_shared<Core>(config, drives, companion, std::move(workers), pool);
  std::unique_ptr<JournaledMetaStore> store(new JournaledMetaStore(core));
  companion.attach(*store);
  CO_TRYV(co_await core->start());
  co_return store;
}

Task<> JournaledMetaStore::commit(Batch batch) {
  if (!x_core->serving()) {
    co_return fail(Errc::unavailable, "the metadata journal is not open yet");
  }
  co_return co_await x_core->committer().commit(std::move(batch));
}

Task<std::optional<std::string>> JournaledMetaStore::get(std::string_view key, SnapshotPtr at) {
  const MirrorSnapshot* const snapshot = of(at);
  const RocksIndex::View* const view = snapshot != nullptr ? &snapshot->view() : nullptr;
  std::optional<std::string> out;
  for (;;) {
    // The copy of this worker: nothing suspends until the pool run takes its own share.
    const std::shared_ptr<Mirror>& quick =
        snapshot != nullptr ? snapshot->mirror() : x_core->reader();
    Result<bool> done = fail(Errc::unavailable);
    std::shared_ptr<Mirror> mirror;
    if (quick) {
      done = quick->index().get(key, Tier::cache, view, out);
      if (done && *done) {
        x_core->count_hit();
        co_return out;
      }
      mirror = quick;
    }
    if (mirror && done) {
      x_core->count_miss();
      done = co_await x_core->pool().run(
          [&] { return mirror->index().get(key, Tier::drive, view, out); });
      if (done) {
        co_return out;
      }
    }
    CO_TRYV(co_await x_core->mirrors().replace(std::move(mirror), done.error()));
    if (snapshot != nullptr) {
      co_return fail(Errc::unavailable, "the mirror of this snapshot failed: try again");
    }
  }
}

Task<ScanPage> JournaledMetaStore::scan(ScanRequest request, SnapshotPtr at) {
  const bool given = at != nullptr;
  for (;;) {
    // One view for both tries, so that the page shows one moment.
    if (!given) {
      at = snapshot();
    }
    Result<bool> done = fail(Errc::unavailable);
    std::shared_ptr<Mirror> mirror;
    ScanPage page;
    if (at) {
      const MirrorSnapshot& snapshot = *of(at);
      mirror = snapshot.mirror();
      done = mirror->index().scan(request, Tier::cache, &snapshot.view(), page);
      if (done && *done) {
        x_core->count_hit();
        co_return page;
      }
      if (done) {
        x_core->count_miss();
        done = co_await x_core->pool().run(
            [&] { return mirror->index().scan(request, Tier::drive, &snapshot.view(), page); });
        if (done) {
          co_return page;
        }
      }
    }
    CO_TRYV(co_await x_core->mirrors().replace(std::move(mirror), done.error()));
    if (given) {
      co_return fail(Errc::unavailable, "the mirror of this snapshot failed: try again");
    }
  }
}

SnapshotPtr JournaledMetaStore::snapshot() {
  const std::shared_ptr<Mirror> mirror = x_core->reader();
  return mirror ? std::make_shared<MirrorSnapshot>(mirror) : nullptr;
}

Task<> JournaledMetaStore::compact(std::atomic<bool>& cancelled) {
  co_return co_await x_core->compact(cancelled);
}

drives::Stock& JournaledMetaStore::journals() { return x_core->journals(); }

void JournaledMetaStore::crowd(const std::vector<drives::Slot>& slots) {
  if (x_core->mirrors().crowd(slots)) {
    x_core->request_maintenance();
  }
}
void JournaledMetaStore::stop_maintenance() { x_core->stop_maintenance(); }
Task<> JournaledMetaStore::checkpoint() { co_return co_await x_core->checkpoint(); }
Task<bool> JournaledMetaStore::needs(drives::Slot slot) { co_return co_await x_core->needs(slot); }
// Behind a checkpoint nobody needs what the journal had until then. The mirrors are read even if
// there is none.
Task<> JournaledMetaStore::verify() {
  auto emptied = co_await x_core->checkpoint();
  CO_TRYV(co_await x_core->pool().run([core = x_core] {
    core->mirrors().verify();
    return ok();
  }));
  co_return emptied;
}
Task<> JournaledMetaStore::close() { co_return co_await x_core->close(); }
void JournaledMetaStore::hold(bool on) { x_core->hold(on); }

MetaStats JournaledMetaStore::stats() const { return x_core->stats(); }

}  // namespace outcrop::meta
