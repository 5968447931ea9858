// What an operator does with drives, and whether one may be pulled.
#include <algorithm>

#include "storage/base/log.h"
#include "storage/engine/store.h"

namespace outcrop::engine {
namespace {

std::string count_of(std::uint64_t n, std::string_view what) {
  return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : "s");
}

}  // namespace

class Store::Operation {
 public:
  explicit Operation(Store& store) : x_store(store) { ++x_store.x_operations; }
  ~Operation() {
    if (--x_store.x_operations == 0 && x_store.x_operations_ended) {
      x_store.x_operations_ended(ok());
    }
  }
  Operation(const Operation&) = delete;
  Result<void> check() const {
    return x_store.x_closing ? Result<void>(fail(Errc::unavailable, "the store is stopping"))
                             : ok();
  }

 private:
  Store& x_store;
};

Task<unsigned> Store::add_drive(std::unique_ptr<io::Disk> disk, std::optional<unsigned> replaces) {
  const Operation operation(*this);
  CO_TRYV(operation.check());
  std::optional<drives::Slot> old;
  if (replaces) {
    CO_TRYV(check_drain(static_cast<drives::Slot>(std::min(*replaces, drives::kMaxDrives)), 1));
    old = static_cast<drives::Slot>(*replaces);
  }
  CO_TRY(const drives::Slot slot,
         co_await x_runtime.pool.run([this, &disk, old]() -> Result<drives::Slot> {
           TRYV(check_size(*disk));
           return x_drives->join(std::move(disk), x_runtime.random, old);
         }));
  CO_TRYV(co_await measure_space());
  co_return slot;
}

Async<> Store::adopt_blank(std::vector<std::unique_ptr<io::Disk>> disks) {
  for (std::unique_ptr<io::Disk>& disk : disks) {
    const std::string name(disk->name());
    std::string uuid;
    if (x_runtime.replaces) {
      auto found = co_await x_runtime.pool.run(
          [&] { return Result<std::string>(x_runtime.replaces(name)); });
      uuid = std::move(found).value_or("");
    }
    std::optional<unsigned> old;
    for (const DriveStatus& d : stats().drives) {
      old = !uuid.empty() && d.uuid == uuid ? std::optional(d.slot) : old;
    }
    if (const auto added = co_await add_drive(std::move(disk), old); !added) {
      log::error("a blank drive is not used", {{"drive", name}, {"why", added.error().describe()}});
    }
  }
}

// Whether enough would be left for new data, `joining` ones included.
Result<void> Store::check_drain(drives::Slot slot, std::size_t joining) const {
  if (slot >= drives::kMaxDrives || !x_drives->live(slot)) {
    return ok();
  }
  std::vector<drives::Slot> left = x_drives->placement_slots();
  std::erase(left, slot);
  const std::size_t drives = left.size() + joining;
  return x_drives->write_parity(drives)
             ? ok()
             : Result<void>(fail(Errc::conflict, count_of(drives, "drive") +
                                                     " would be left for new data, at least " +
                                                     std::to_string(x_drives->parity() + 1) +
                                                     " are needed: add a drive first"));
}

Task<> Store::drain_drive(unsigned slot, bool on) {
  const Operation operation(*this);
  CO_TRYV(operation.check());
  if (slot >= drives::kMaxDrives) {
    co_return fail(Errc::not_found, "there is no drive in slot " + std::to_string(slot));
  }
  const auto which = static_cast<drives::Slot>(slot);
  if (on) {
    CO_TRYV(check_drain(which, 0));
  }
  CO_TRYV(
      co_await x_runtime.pool.run([this, which, on] { return x_drives->set_draining(which, on); }));
  co_return ok();
}

Task<> Store::remove_drive(unsigned slot) {
  const Operation operation(*this);
  CO_TRYV(operation.check());
  const drives::EpochRecord record = x_drives->record();
  if (slot >= record.members.size() || record.members[slot].uuid.is_nil()) {
    co_return fail(Errc::not_found, "there is no drive in slot " + std::to_string(slot));
  }
  const auto which = static_cast<drives::Slot>(slot);
  const drives::Member& member = record.members[slot];
  const segment::Survey survey = x_segments.survey();
  const auto use = survey.slots.find(which);
  if (member.live && !member.draining) {
    co_return fail(Errc::conflict, "it is in use: drain it first (outcrop drive drain " +
                                       std::to_string(slot) + ")");
  }
  if (use != survey.slots.end()) {
    co_return fail(Errc::conflict, "it still holds " + count_of(use->second.shards, "shard") +
                                       ": see outcrop drive status");
  }
  if (member.live) {
    CO_TRY(const bool needed, co_await x_meta->needs(which));
    if (needed) {
      co_return fail(Errc::conflict, "metadata is still moving off it: try again in a moment");
    }
  }
  co_return co_await forget(which);
}

Task<> Store::forget(drives::Slot slot) {
  const std::string uuid = x_drives->record().members[slot].uuid.to_string();
  CO_TRYV(co_await x_runtime.pool.run([this, slot] { return x_drives->remove(slot); }));
  if (x_runtime.forgotten) {
    CO_TRYV(co_await x_runtime.pool.run([this, &uuid] { return x_runtime.forgotten(uuid); }));
  }
  co_return ok();
}

void Store::judge(DriveStatus& drive,
                  const segment::Survey& survey,
                  const drives::EpochRecord& record) const {
  const auto slot = static_cast<drives::Slot>(drive.slot);
  const auto use = survey.slots.find(slot);
  const segment::SlotUse here = use == survey.slots.end() ? segment::SlotUse() : use->second;
  drive.draining = record.members[slot].draining;
  drive.empty = x_empty[slot].load();
  drive.shards = here.shards;
  const auto others = std::ranges::count_if(
      record.mirrors, [&](drives::Slot s) { return s != slot && record.members[s].live; });
  const auto verdict = [&drive](bool safe, std::string why) {
    drive.safe_to_pull = safe;
    drive.reason = std::move(why);
  };
  if (!drive.live && survey.unreadable > 0) {
    return verdict(false, count_of(survey.unreadable, "segment") +
                              " cannot be read while drives are missing: put it back");
  }
  if (!drive.live) {
    return verdict(true, here.shards == 0
                             ? "it is out, and nothing is missing without it"
                             : "it is out, and everything can be read without it; " +
                                   count_of(here.shards, "shard") + " of it not rebuilt yet");
  }
  if (drive.empty) {
    return verdict(true, "it is drained: nothing on it is needed");
  }
  if (here.critical > 0) {
    return verdict(false, count_of(here.critical, "segment") + " could not be read without it");
  }
  if (others == 0) {
    return verdict(false, "it holds the only metadata mirror");
  }
  if (!x_drives->write_parity(x_drives->live_slots().size() - 1)) {
    return verdict(false, "the store would be read-only without it");
  }
  verdict(true, "everything can be read and written without it");
}

}  // namespace outcrop::engine
