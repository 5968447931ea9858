#include "storage/meta/journal_files.h"

#include <algorithm>
#include <charconv>

#include "storage/base/log.h"
#include "storage/io/zero_part.h"

namespace outcrop::meta {
namespace {

constexpr std::uint64_t kMostShare = 32;  // of a drive, of files that nobody uses yet
constexpr std::uint64_t kLeastFree = 4;   // none is made ahead on a drive with less than this part

}  // namespace

JournalFiles::JournalFiles(drives::DriveSet& drives, const MetaConfig& config, std::size_t workers)
    : x_drives(drives),
      x_file_bytes(align_up(config.journal_file_bytes, kIoAlign)),
      x_workers(workers),
      x_free(drives::kMaxDrives) {}

Result<void> JournalFiles::adopt(std::uint64_t first_generation) {
  {
    const std::lock_guard lock(x_mutex);
    x_next_generation = first_generation;
  }
  for (const drives::Slot slot : x_drives.live_slots()) {
    const auto adopted = adopt_drive(slot);
    if (!adopted && adopted.error().code() == Errc::no_space) {
      log::warn("journal files of earlier runs are not used",
                {{"drive", x_drives.disk(slot)->name()}, {"error", adopted.error().describe()}});
    } else if (!adopted) {
      // With too few drives left for writes the store opens all the same, to be read.
      const auto out = x_drives.eject(slot, adopted.error());
      if (!out && out.error().code() != Errc::read_only) {
        return out;
      }
    }
  }
  return ok();
}

Result<void> JournalFiles::adopt_drive(drives::Slot slot) {
  io::Disk& disk = *x_drives.disk(slot);
  TRYV(disk.make_dir("journal"));
  TRY(const auto names, disk.list("journal"));
  for (const std::string& name : names) {
    std::uint64_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    {
      const std::lock_guard lock(x_mutex);
      x_next_name = std::max(x_next_name, number + 1);
    }
    std::string path = "journal/" + name;
    TRY(auto file, disk.open(path, io::Access::read_write, io::Cache::direct));
    TRY(const std::uint64_t size, file->size());
    if (size != x_file_bytes) {
      file.reset();
      TRYV(disk.remove(path));
      continue;
    }
    // Another process may have made it and died before it was on stable storage.
    TRYV(file->sync());
    const std::lock_guard lock(x_mutex);
    x_free[slot].push_back({slot, std::move(path), std::move(file)});
  }
  return disk.sync_dir("journal");
}

Result<JournalFile> JournalFiles::take(drives::Slot slot) {
  {
    const std::lock_guard lock(x_mutex);
    if (!x_free[slot].empty()) {
      JournalFile file = std::move(x_free[slot].back());
      x_free[slot].pop_back();
      return file;
    }
    x_missed.insert(slot);
  }
  return create(slot);
}

Result<JournalFile> JournalFiles::create(drives::Slot slot) {
  io::Disk& disk = *x_drives.disk(slot);
  JournalFile file;
  file.slot = slot;
  {
    const std::lock_guard lock(x_mutex);
    file.path = "journal/" + std::to_string(x_next_name++);
  }
  if (auto made = disk.prewrite(file.path, x_file_bytes); !made) {
    if (made.error().code() == Errc::no_space) {
      auto removed = disk.remove(file.path);
      if (!removed && removed.error().code() != Errc::not_found) {
        return fail(removed.error());
      }
    }
    return fail(made.error());
  }
  TRY(file.file, disk.open(file.path, io::Access::read_write, io::Cache::direct));
  return file;
}

void JournalFiles::give_back(std::vector<JournalFile> files) {
  const std::lock_guard lock(x_mutex);
  for (JournalFile& file : files) {
    x_free[file.slot].push_back(std::move(file));
  }
}

Result<GenerationPtr> JournalFiles::prepare(unsigned worker) {
  const std::vector<drives::Slot> live = x_drives.placement_slots();
  const std::optional<unsigned> parity = x_drives.write_parity(live.size());
  if (!parity) {
    return fail(x_drives.no_writes());
  }
  const std::size_t want = *parity + 1;
  auto generation = std::make_unique<Generation>();
  Error why = x_drives.no_writes();
  for (const drives::Slot slot : order(worker, live)) {
    if (generation->replicas.size() == want) {
      break;
    }
    auto file = take(slot);
    if (file) {
      generation->replicas.push_back(*std::move(file));
    } else if (file.error().code() == Errc::no_space) {
      why = file.error();
    } else if (auto out = x_drives.eject(slot, file.error()); !out) {
      why = out.error();
    }
  }
  if (generation->replicas.size() < want) {
    give_back(std::move(generation->replicas));
    return fail(why);
  }
  const std::lock_guard lock(x_mutex);
  generation->number = x_next_generation++;
  generation->worker = worker;
  generation->bytes = x_file_bytes;
  return generation;
}

// Each worker starts at another drive, so that the load spreads.
std::vector<drives::Slot> JournalFiles::order(unsigned worker,
                                              const std::vector<drives::Slot>& live) const {
  std::vector<drives::Slot> ready, others;
  const std::lock_guard lock(x_mutex);
  for (std::size_t i = 0; i < live.size(); ++i) {
    const drives::Slot slot = live[(worker + i) % live.size()];
    (x_free[slot].empty() ? others : ready).push_back(slot);
  }
  ready.insert(ready.end(), others.begin(), others.end());
  return ready;
}

bool JournalFiles::usable(drives::Slot slot) const {
  return x_drives.live(slot) && !x_drives.draining(slot);
}

void JournalFiles::forget(drives::Slot slot) {
  const std::lock_guard lock(x_mutex);
  x_free[slot].clear();
  x_begun.erase(slot);
}

std::size_t JournalFiles::wanted(const io::Space& space) const {
  const std::size_t drives = x_drives.placement_slots().size();
  const std::size_t files = 2 * x_workers * (x_drives.parity() + 1);
  const std::size_t others = std::max<std::size_t>(drives, 2) - 1;
  return std::min<std::uint64_t>((files + others - 1) / others,
                                 space.total_bytes / kMostShare / x_file_bytes);
}

std::size_t JournalFiles::count(drives::Slot slot) const {
  const std::lock_guard lock(x_mutex);
  return x_free[slot].size();
}

bool JournalFiles::take_missed(drives::Slot slot) {
  const std::lock_guard lock(x_mutex);
  return x_missed.erase(slot) != 0;
}

JournalFiles::Begun JournalFiles::begin(drives::Slot slot) {
  const std::lock_guard lock(x_mutex);
  const auto [at, fresh] = x_begun.try_emplace(slot);
  if (fresh) {
    at->second.path = "journal/" + std::to_string(x_next_name++);
  }
  return at->second;
}

// One that is cut off has too few bytes: the next start removes it.
Result<bool> JournalFiles::add_part(drives::Slot slot, std::size_t wanted) {
  if (!usable(slot) || count(slot) >= wanted) {
    return false;
  }
  io::Disk& disk = *x_drives.disk(slot);
  TRY(const io::Space space, disk.space());
  Begun begun = begin(slot);
  const std::uint64_t from = begun.written;
  begun.written = std::min(from + kPartBytes, x_file_bytes);
  Result<std::unique_ptr<io::File>> file = fail(Errc::no_space, "the rest is for others");
  if (space.free_bytes >= space.total_bytes / kLeastFree) {
    file = io::zero_part(disk, begun.path, from, begun.written);
  }
  if (file && begun.written == x_file_bytes) {
    if (auto synced = disk.sync_dir("journal"); !synced) {
      file = fail(synced.error());
    }
  }
  if (note_part(slot, begun, file)) {
    return true;
  }
  if (file.error().code() != Errc::no_space) {
    return fail(file.error());
  }
  const auto removed = disk.remove(begun.path);
  if (!removed && removed.error().code() != Errc::not_found) {
    return fail(removed.error());
  }
  return false;
}

// False: nothing is begun any more. One that was forgotten meanwhile is of the next start.
bool JournalFiles::note_part(drives::Slot slot,
                             const Begun& begun,
                             Result<std::unique_ptr<io::File>>& file) {
  const std::lock_guard lock(x_mutex);
  const auto at = x_begun.find(slot);
  if (at == x_begun.end() || at->second.path != begun.path) {
    return file.has_value();
  }
  if (file && begun.written < x_file_bytes) {
    at->second = begun;
    return true;
  }
  x_begun.erase(at);
  if (file) {
    x_free[slot].push_back({slot, begun.path, *std::move(file)});
  }
  return file.has_value();
}

bool JournalFiles::needs(drives::Slot slot) const {
  const std::lock_guard lock(x_mutex);
  return std::ranges::any_of(x_retired, [slot](const GenerationPtr& g) { return g->on(slot); });
}

void JournalFiles::retire(GenerationPtr generation) {
  const std::lock_guard lock(x_mutex);
  x_retired.push_back(std::move(generation));
}

void JournalFiles::recycle(const std::vector<Sequence>& positions) {
  std::vector<JournalFile> files;
  {
    const std::lock_guard lock(x_mutex);
    std::erase_if(x_retired, [&](const GenerationPtr& g) {
      if (g->last > positions[g->worker]) {
        return false;
      }
      std::ranges::move(g->replicas, std::back_inserter(files));
      return true;
    });
  }
  // A drive that left or drains keeps nothing here: closing its files lets it go.
  std::erase_if(files, [this](const JournalFile& f) { return !usable(f.slot); });
  give_back(std::move(files));
}

std::size_t JournalFiles::retired(unsigned worker) const {
  const std::lock_guard lock(x_mutex);
  return static_cast<std::size_t>(std::ranges::count_if(
      x_retired, [worker](const GenerationPtr& g) { return g->worker == worker; }));
}

bool JournalFiles::healthy(const Generation& generation) const {
  return std::ranges::all_of(generation.replicas,
                             [this](const JournalFile& f) { return usable(f.slot); });
}

}  // namespace outcrop::meta
