#include "storage/meta/journal_files.h"

#include <algorithm>
#include <charconv>

#include "storage/base/log.h"

namespace outcrop::meta {

JournalFiles::JournalFiles(drives::DriveSet& drives, const MetaConfig& config)
    : x_drives(drives),
      x_file_bytes(align_up(config.journal_file_bytes, kIoAlign)),
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
  // Each worker starts at another drive, so that the load spreads.
  for (std::size_t i = 0; i < live.size() && generation->replicas.size() < want; ++i) {
    const drives::Slot slot = live[(worker + i) % live.size()];
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

bool JournalFiles::usable(drives::Slot slot) const {
  return x_drives.live(slot) && !x_drives.draining(slot);
}

void JournalFiles::forget(drives::Slot slot) {
  const std::lock_guard lock(x_mutex);
  x_free[slot].clear();
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
