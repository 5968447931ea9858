// Building a lost mirror on another drive while commits go on.
#include <algorithm>

#include "storage/base/log.h"
#include "storage/meta/mirror_set.h"

namespace outcrop::meta {

// Of the live drives without a mirror the one with the most room; a drive whose mirror was corrupt
// may hold the next one, if there is no other.
std::optional<drives::Slot> MirrorSet::choose_slot() const {
  const auto mirrors = all();
  if (mirrors.empty() || settled_mirrors() > x_drives.parity()) {
    return std::nullopt;
  }
  std::optional<drives::Slot> best;
  bool best_was_bad = true;
  std::uint64_t best_room = 0;
  for (const drives::Slot slot : x_drives.placement_slots()) {
    auto here = [slot](const std::shared_ptr<Mirror>& m) { return m->slot() == slot; };
    if (std::ranges::any_of(mirrors, here)) {
      continue;
    }
    const auto space = x_drives.disk(slot)->space();
    const std::uint64_t room = space ? space->free_bytes : 0;
    const std::lock_guard lock(x_mutex);
    const bool bad = std::ranges::any_of(x_dead, here);
    if (!best || (best_was_bad && !bad) || (best_was_bad == bad && room > best_room)) {
      best = slot;
      best_was_bad = bad;
      best_room = room;
    }
  }
  return best;
}

// True if a mirror was built and there may be another one to build.
bool MirrorSet::rebuild_one() {
  const std::lock_guard one(x_rebuild);
  const auto slot = choose_slot();
  if (!slot) {
    return false;
  }
  auto joiner = Mirror::create(x_drives, *slot, options());
  if (!joiner) {
    log::error("a metadata mirror could not be created",
               {{"drive", x_drives.disk(*slot)->name()}, {"error", joiner.error().describe()}});
    if (joiner.error().code() == Errc::io_error) {
      return x_drives.eject(*slot, joiner.error()).has_value();
    }
    return false;
  }
  const std::shared_ptr<Mirror> source = reader();
  bool good = source != nullptr && copy_into(source, *joiner);
  if (good) {
    const std::lock_guard control(x_control);
    auto joined = join(*joiner);
    good = joined.has_value();
    if (!good) {
      (*joiner)->mark_failed(joined.error());
    }
  }
  const std::lock_guard lock(x_mutex);
  x_joiner.reset();
  if (!good) {
    (*joiner)->mark_failed(Error(Errc::cancelled, "the rebuild did not finish"));
    x_dead.push_back(*joiner);
    return false;
  }
  x_rebuilt.fetch_add(1);
  log::info("a metadata mirror was rebuilt", {{"drive", x_drives.disk(*slot)->name()}});
  return true;
}

// From the moment the joiner is attached it is given every block. The view taken after that holds
// all blocks queued elsewhere before (apply() updates the reader first); those in both are
// applied again in their order, which changes nothing.
bool MirrorSet::copy_into(const std::shared_ptr<Mirror>& source,
                          const std::shared_ptr<Mirror>& joiner) {
  {
    const std::lock_guard lock(x_mutex);
    joiner->hold();
    x_joiner = joiner;
  }
  source->drain();  // only just promoted, it may have blocks in its queue
  const auto view = source->index().view();
  bool source_failed = false;
  auto go_on = [&] { return !x_stopping.load() && !joiner->failed() && !source->failed(); };
  auto copied = joiner->index().copy_from(source->index(), *view, go_on, source_failed);
  if (copied) {
    copied = joiner->index().verify();
  }
  if (!copied) {
    log::error("a metadata mirror could not be rebuilt", {{"error", copied.error().describe()}});
    (source_failed ? source : joiner)->mark_failed(copied.error());
    if (source_failed) {
      x_alert();
    }
  }
  return copied.has_value();
}

// x_control is held, so no journal is recycled between the flush and the joiner's taking part.
Result<void> MirrorSet::join(const std::shared_ptr<Mirror>& joiner) {
  joiner->drain();
  if (joiner->failed()) {
    return fail(joiner->why());
  }
  TRYV(joiner->index().flush());
  TRYV(joiner->publish(x_drives));
  {
    const std::lock_guard lock(x_mutex);
    x_joiner.reset();
    x_followers.push_back(joiner);
  }
  return publish_locked();
}

Result<void> MirrorSet::compact(std::atomic<bool>& cancelled) {
  for (const auto& mirror : all()) {
    if (!mirror->failed()) {
      TRYV(mirror->index().compact(cancelled));
    }
  }
  return ok();
}

}  // namespace outcrop::meta
