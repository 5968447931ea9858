#include "storage/meta/mirror_set.h"

#include <algorithm>

#include "storage/base/log.h"

namespace outcrop::meta {
namespace {

constexpr auto kFollowerPoll = std::chrono::milliseconds(2);
constexpr auto kFollowerPatience = std::chrono::seconds(5);
constexpr std::size_t kJoinerShare = 8;  // times follower_queue_bytes
constexpr unsigned kFullRetries = 20;
constexpr auto kFullPause = std::chrono::milliseconds(500);

}  // namespace

MirrorSet::MirrorSet(drives::DriveSet& drives,
                     BlockingPool& pool,
                     const MetaConfig& config,
                     std::function<void()> alert)
    : x_drives(drives),
      x_pool(pool),
      x_config(config),
      x_alert(std::move(alert)),
      x_cache(std::make_shared<IndexCache>(config.block_cache_bytes)),
      x_jobs(std::make_shared<std::atomic<unsigned>>(0)) {}

// A drain that is still on the pool holds its mirror open, and with it files on a drive.
MirrorSet::~MirrorSet() {
  for (unsigned n = x_jobs->load(); n > 0; n = x_jobs->load()) {
    x_jobs->wait(n);
  }
}

IndexOptions MirrorSet::options() const {
  return {.cache = x_cache,
          .memtable_bytes = x_config.memtable_bytes,
          .table_file_bytes = x_config.table_file_bytes,
          .compactions = x_config.compactions,
          .on_background_error = [alert = x_alert](const Error&) { alert(); }};
}

Result<void> MirrorSet::open() {
  TRY(const bool created, store_was_created(x_drives));
  if (!created) {
    TRYV(create_all());
  } else {
    TRYV(open_existing());
  }
  TRYV(mark_store_created(x_drives));
  const std::lock_guard lock(x_mutex);
  x_reader = x_opened.front();  // replay may look things up; the final choice is start()'s
  x_version.fetch_add(1);
  return ok();
}

Result<void> MirrorSet::create_all() {
  for (const drives::Slot slot : x_drives.record().mirrors) {
    TRYV(remove_other_mirrors(*x_drives.disk(slot), {}));
    TRY(auto mirror, Mirror::create(x_drives, slot, options()));
    TRYV(mirror->index().flush());
    TRYV(mirror->publish(x_drives));
    x_opened.push_back(std::move(mirror));
  }
  return ok();
}

Result<void> MirrorSet::open_existing() {
  std::string why = "no drive of the newest epoch holds one";
  const auto& current = x_drives.current_at_open();
  for (const drives::Slot slot : x_drives.record().mirrors) {
    if (x_drives.disk(slot) == nullptr || std::ranges::find(current, slot) == current.end()) {
      continue;
    }
    auto mirror = Mirror::open(x_drives, slot, options());
    if (!mirror) {
      why = std::string(x_drives.disk(slot)->name()) + ": " + mirror.error().describe();
      log::error("a metadata mirror does not open", {{"why", why}});
      x_losses.push_back({slot, mirror.error()});
      x_lost.fetch_add(1);
      TRYV(leave_if_failing(slot, mirror.error()));
      continue;
    }
    if (auto cleaned = remove_other_mirrors(*x_drives.disk(slot), (*mirror)->dir()); !cleaned) {
      log::warn("old metadata is left on a drive", {{"error", cleaned.error().describe()}});
    }
    x_opened.push_back(*std::move(mirror));
  }
  if (x_opened.empty()) {
    return fail(Errc::unavailable, "no metadata mirror can be opened: " + why);
  }
  return ok();
}

// With too few drives left for writes the store opens all the same, to be read.
Result<void> MirrorSet::leave_if_failing(drives::Slot slot, const Error& why) {
  if (why.code() != Errc::io_error) {
    return ok();
  }
  const auto out = x_drives.eject(slot, why);
  return out || out.error().code() == Errc::read_only ? ok() : out;
}

void MirrorSet::discard(const std::shared_ptr<Mirror>& mirror, const Error& why) {
  mirror->mark_failed(why);
  std::erase(x_opened, mirror);
  x_losses.push_back({mirror->slot(), why});
  const std::lock_guard lock(x_mutex);
  x_dead.push_back(mirror);
  x_lost.fetch_add(1);
  x_reader = x_opened.empty() ? nullptr : x_opened.front();
  x_version.fetch_add(1);
}

Result<void> MirrorSet::start() {
  const std::lock_guard control(x_control);
  {
    const std::lock_guard lock(x_mutex);
    OUTCROP_ASSERT(!x_opened.empty());
    x_reader = x_opened.front();
    x_followers.assign(x_opened.begin() + 1, x_opened.end());
    x_version.fetch_add(1);
  }
  x_opened.clear();
  x_started.store(true);
  return publish_locked();
}

std::shared_ptr<Mirror> MirrorSet::reader() const {
  const std::lock_guard lock(x_mutex);
  return x_reader;
}

std::vector<std::shared_ptr<Mirror>> MirrorSet::all() const {
  const std::lock_guard lock(x_mutex);
  std::vector<std::shared_ptr<Mirror>> out = x_followers;
  if (x_reader) {
    out.insert(out.begin(), x_reader);
  }
  return out;
}

unsigned MirrorSet::size() const { return static_cast<unsigned>(all().size()); }

bool MirrorSet::has(drives::Slot slot) const {
  const auto here = [slot](const std::shared_ptr<Mirror>& m) { return m && m->slot() == slot; };
  const std::lock_guard lock(x_mutex);
  return here(x_reader) || here(x_joiner) || std::ranges::any_of(x_followers, here) ||
         std::ranges::any_of(x_dead, here);
}

std::uint64_t MirrorSet::file_bytes() const {
  std::uint64_t most = 0;
  for (const auto& mirror : all()) {
    most = std::max(most, mirror->index().file_bytes());
  }
  return most;
}

std::uint64_t MirrorSet::memory_bytes() const {
  std::uint64_t bytes = x_cache->used_bytes();
  for (const auto& mirror : all()) {
    bytes += mirror->index().memtable_bytes();
  }
  return bytes;
}

void MirrorSet::push(const std::shared_ptr<Mirror>& mirror, const Updates& updates) {
  if (!mirror->enqueue(updates)) {
    return;
  }
  x_jobs->fetch_add(1);
  x_pool.post([mine = mirror, alert = x_alert, jobs = x_jobs]() mutable {
    mine->drain();
    if (mine->failed()) {
      alert();
    }
    mine.reset();
    jobs->fetch_sub(1);
    jobs->notify_all();
  });
}

// x_mutex is held. True if the followers are due: call spill_on_pool() without it.
bool MirrorSet::gather_locked(const Updates& updates) {
  if (x_followers.empty() && !x_joiner) {
    return false;
  }
  x_gathered.push_back(updates);
  x_gathered_bytes += updates->size();
  return x_gathered_bytes >= x_config.follower_batch_bytes && !std::exchange(x_spill_posted, true);
}

void MirrorSet::spill_on_pool() {
  x_jobs->fetch_add(1);
  x_pool.post([this, jobs = x_jobs] {
    {
      const std::lock_guard order(x_spill);
      spill_ordered();
    }
    jobs->fetch_sub(1);
    jobs->notify_all();
  });
}

// x_spill is held: as long as it is, no block is on its way between x_gathered and the queues.
void MirrorSet::spill_ordered() {
  std::vector<Updates> blocks;
  {
    const std::lock_guard lock(x_mutex);
    blocks = std::exchange(x_gathered, {});
    x_gathered_bytes = 0;
    x_spill_posted = false;
  }
  if (blocks.empty()) {
    return;
  }
  const Updates merged = merge(blocks);
  const std::lock_guard lock(x_mutex);
  for (const auto& mirror : x_followers) {
    push(mirror, merged);
  }
  if (x_joiner) {
    push(x_joiner, merged);
  }
}

// The journal holds the block already, so a full drive is waited for and not reported.
Async<Result<bool>> MirrorSet::apply_to(const std::shared_ptr<Mirror>& reader,
                                        const Updates& updates) {
  RocksIndex& index = reader->index();
  Result<bool> done = index.apply(*updates, false);
  if (done && !*done) {
    done = co_await x_pool.run([&] { return index.apply(*updates, true); });
  }
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (unsigned n = 0; !done && done.error().code() == Errc::no_space && n < kFullRetries; ++n) {
    done = co_await x_pool.run([&]() -> Result<bool> {
      TRYV(index.resume());
      return index.apply(*updates, true);
    });
    timer.expires_after(kFullPause);
    if (!done) {
      co_await timer.async_wait(use_async);
    }
  }
  co_return done;
}

// The reader comes first: a block that was gathered for the followers is then in every later view
// of the reader, which is what a rebuild relies on (copy_into).
Task<> MirrorSet::apply(Updates updates) {
  const std::shared_ptr<Mirror> first = reader();
  Result<bool> done = false;
  if (first) {
    done = co_await apply_to(first, updates);
  }
  bool same = false, followers_due = false;
  {
    const std::lock_guard lock(x_mutex);
    same = first && x_reader == first;
    followers_due = gather_locked(updates);
    if (!same && x_reader) {
      push(x_reader, updates);  // it may have become the reader before it could get this block
    }
  }
  if (followers_due) {
    spill_on_pool();
  }
  co_await wait_for_followers();
  if (same && done) {
    co_return ok();
  }
  if (first && !done && first->mark_failed(done.error())) {
    x_alert();
  }
  co_return co_await x_pool.run([this]() -> Result<void> {
    const std::lock_guard control(x_control);
    TRYV(promote());
    reader()->drain();
    return ok();
  });
}

bool MirrorSet::must_wait(bool patient) {
  const std::lock_guard lock(x_mutex);
  bool wait = false;
  for (const auto& m : x_followers) {
    if (!m->failed() && x_gathered_bytes + m->queued_bytes() > x_config.follower_queue_bytes) {
      wait = true;
      if (!patient) {
        m->mark_failed(Error(Errc::timed_out, "the mirror lags too far behind"));
        x_alert();
      }
    }
  }
  // A mirror that is being built takes nothing until it is complete: memory bounds how long.
  if (x_joiner && !x_joiner->failed()) {
    if (x_joiner->queued_bytes() > x_config.follower_queue_bytes * kJoinerShare) {
      x_joiner->mark_failed(Error(Errc::overloaded, "more was written than the rebuild can keep"));
    }
  }
  return wait;
}

Async<> MirrorSet::wait_for_followers() {
  if (!must_wait(true)) {
    co_return;
  }
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const auto patience = std::chrono::steady_clock::now() + kFollowerPatience;
  do {
    timer.expires_after(kFollowerPoll);
    co_await timer.async_wait(use_async);
  } while (must_wait(std::chrono::steady_clock::now() < patience));
}

Task<> MirrorSet::replace(std::shared_ptr<Mirror> mirror, Error why) {
  if (mirror && mirror->mark_failed(why)) {
    x_alert();
  }
  co_return co_await x_pool.run([this]() -> Result<void> {
    const std::lock_guard control(x_control);
    return promote();
  });
}

// x_control is held, x_spill is not. Forgets failed mirrors; if the reader was one, a follower
// takes its place.
Result<void> MirrorSet::promote() {
  if (!x_started.load()) {
    return fail(Errc::unavailable, "the metadata mirror that replay reads failed: start again");
  }
  for (;;) {
    std::shared_ptr<Mirror> next;
    {
      const std::lock_guard lock(x_mutex);
      drop_failed_locked();
      if (x_reader) {
        return ok();
      }
      if (x_followers.empty()) {
        return fail(Errc::unavailable, "no metadata mirror is left");
      }
      next = x_followers.front();
    }
    const std::lock_guard order(x_spill);
    spill_ordered();
    next->drain();
    const std::lock_guard lock(x_mutex);
    // Blocks are gathered and queued under x_mutex: none left here means that it has everything.
    if (!next->failed() && next->idle() && x_gathered.empty()) {
      std::erase(x_followers, next);
      x_reader = next;
      x_version.fetch_add(1, std::memory_order_release);
      log::warn("metadata is read from another mirror",
                {{"slot", static_cast<unsigned>(next->slot())}});
      return ok();
    }
  }
}

// x_mutex is held.
void MirrorSet::drop_failed_locked() {
  auto bury = [this](const std::shared_ptr<Mirror>& m) {
    if (m->failed()) {
      x_dead.push_back(m);
      x_lost.fetch_add(1);
    }
    return m->failed();
  };
  std::erase_if(x_followers, bury);
  if (x_reader && bury(x_reader)) {
    x_reader.reset();
    x_version.fetch_add(1, std::memory_order_release);
  }
}

Result<void> MirrorSet::flush() {
  const std::lock_guard control(x_control);
  {
    const std::lock_guard order(x_spill);
    spill_ordered();
  }
  bool failed = false;
  for (const auto& mirror : all()) {
    mirror->drain();
    auto done = mirror->failed() ? Result<void>(fail(mirror->why())) : mirror->index().flush();
    if (!done && done.error().code() == Errc::no_space) {
      return done;  // nothing is lost: the journal is kept until a flush succeeds
    }
    if (!done) {
      mirror->mark_failed(done.error());
      failed = true;
    }
  }
  if (failed) {
    x_alert();
  }
  // A mirror that is behind leaves the published set before the journals it lacks are recycled.
  TRYV(promote());
  return publish_locked();
}

// x_control is held.
Result<void> MirrorSet::publish_locked() {
  std::vector<drives::Slot> slots;
  for (const auto& mirror : all()) {
    slots.push_back(mirror->slot());
  }
  std::ranges::sort(slots);
  std::vector<drives::Slot> published = x_drives.record().mirrors;
  std::ranges::sort(published);
  if (slots == published || slots.empty()) {
    return ok();
  }
  return x_drives.set_mirrors(std::move(slots));
}

}  // namespace outcrop::meta
