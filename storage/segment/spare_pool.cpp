#include "storage/segment/spare_pool.h"

#include <charconv>

#include "storage/base/log.h"

namespace outcrop::segment {
namespace {

constexpr std::string_view kPartial = "spare/partial";  // being zeroed; renamed when it is whole

}  // namespace

Result<void> SparePool::load(drives::Slot slot) {
  io::Disk& disk = *x_context.drives.disk(slot);
  TRY(const auto names, disk.list("spare"));
  for (const std::string& name : names) {
    const std::string path = "spare/" + name;
    std::uint64_t number = 0;
    const auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), number);
    std::uint64_t size = 0;
    if (ec == std::errc{} && end == name.data() + name.size()) {
      TRY(const auto file, disk.open(path, io::Access::read, io::Cache::buffered));
      TRY(size, file->size());
    }
    if (size != x_context.shard_bytes) {
      TRYV(disk.remove(path));
      continue;
    }
    const std::lock_guard lock(x_mutex);
    x_spares[slot].push_back(path);
    x_next = std::max(x_next, number + 1);
  }
  return ok();
}

void SparePool::forget(drives::Slot slot) {
  const std::lock_guard lock(x_mutex);
  x_spares[slot].clear();
}

std::string SparePool::next_name() {
  const std::lock_guard lock(x_mutex);
  return "spare/" + std::to_string(x_next++);
}

Result<std::uint64_t> SparePool::writable(drives::Slot slot, Claim claim) const {
  TRY(const io::Space space, x_context.drives.disk(slot)->space());
  const std::uint64_t kept = metadata_share(space.total_bytes) / (claim == Claim::needed ? 2 : 1);
  return space.free_bytes > kept ? (space.free_bytes - kept) / x_context.shard_bytes : 0;
}

Result<std::uint64_t> SparePool::room(drives::Slot slot) const {
  TRY(const std::uint64_t more, writable(slot, Claim::early));
  return count(slot) + more;
}

Result<void> SparePool::write_one(drives::Slot slot, Claim claim) {
  TRY(const std::uint64_t more, writable(slot, claim));
  if (more == 0) {
    return fail(Errc::no_space, "the rest is kept for metadata");
  }
  io::Disk& disk = *x_context.drives.disk(slot);
  const std::string name = next_name();
  const std::string partial = std::string(kPartial) + name.substr(name.find('/') + 1);
  if (auto written = disk.prewrite(partial, x_context.shard_bytes); !written) {
    if (written.error().code() != Errc::no_space) {
      return written;  // the drive goes, and is not asked for more
    }
    if (const auto removed = disk.remove(partial);
        !removed && removed.error().code() != Errc::not_found) {
      log::warn("a half-written spare stays until the next start",
                {{"drive", disk.name()}, {"error", removed.error().describe()}});
    }
    return written;
  }
  TRYV(disk.rename(partial, name));
  const std::lock_guard lock(x_mutex);
  x_spares[slot].push_back(name);
  return ok();
}

// A spare that has vanished is one less, not the end of its drive.
Result<void> SparePool::take(drives::Slot slot, const std::string& path, std::uint64_t bytes) {
  io::Disk& disk = *x_context.drives.disk(slot);
  if (bytes != x_context.shard_bytes) {
    return disk.prewrite(path, bytes);
  }
  for (;;) {
    std::string spare = next_spare(slot);
    const bool fresh = spare.empty();
    if (fresh) {
      TRYV(write_one(slot, Claim::needed));
      spare = next_spare(slot);
    }
    if (spare.empty()) {
      continue;  // another worker took it
    }
    auto moved = disk.rename(spare, path);
    if (moved || fresh || moved.error().code() != Errc::not_found) {
      return moved;
    }
  }
}

std::string SparePool::next_spare(drives::Slot slot) {
  const std::lock_guard lock(x_mutex);
  auto& spares = x_spares[slot];
  if (spares.empty()) {
    return {};
  }
  std::string spare = std::move(spares.back());
  spares.pop_back();
  return spare;
}

Result<void> SparePool::give_back(drives::Slot slot, const std::string& path, std::uint64_t bytes) {
  io::Disk& disk = *x_context.drives.disk(slot);
  bool usable = bytes == x_context.shard_bytes;
  if (usable) {
    TRY(const auto file, disk.open(path, io::Access::read, io::Cache::buffered));
    TRY(usable, file->whole());
  }
  return usable ? put_back(slot, path, bytes) : disk.remove(path);
}

Result<void> SparePool::put_back(drives::Slot slot, const std::string& path, std::uint64_t bytes) {
  io::Disk& disk = *x_context.drives.disk(slot);
  if (bytes != x_context.shard_bytes) {
    return disk.remove(path);
  }
  const std::string name = next_name();
  TRYV(disk.rename(path, name));
  const std::lock_guard lock(x_mutex);
  x_spares[slot].push_back(name);
  return ok();
}

void SparePool::left_behind(drives::Slot slot, const std::string& path, const Error& why) {
  if (why.code() == Errc::not_found) {
    return;
  }
  log::warn(
      "a shard file stays until the next start",
      {{"drive", x_context.drives.disk(slot)->name()}, {"path", path}, {"error", why.describe()}});
  if (why.code() == Errc::io_error) {
    [[maybe_unused]] const auto out = x_context.drives.eject(slot, why);  // it logs
  }
}

Result<void> SparePool::fill(drives::Slot slot, std::size_t want) {
  while (x_context.drives.live(slot) && count(slot) < want) {
    if (auto written = write_one(slot, Claim::early); !written) {
      if (written.error().code() == Errc::no_space) {
        return ok();
      }
      return written;
    }
  }
  return ok();
}

Result<void> SparePool::trim(drives::Slot slot) {
  io::Disk& disk = *x_context.drives.disk(slot);
  for (;;) {
    TRY(const io::Space space, disk.space());
    if (space.free_bytes >= metadata_share(space.total_bytes)) {
      return ok();
    }
    std::string spare;
    {
      const std::lock_guard lock(x_mutex);
      auto& spares = x_spares[slot];
      if (spares.empty()) {
        return ok();
      }
      spare = std::move(spares.back());
      spares.pop_back();
    }
    TRYV(disk.remove(spare));
  }
}

std::size_t SparePool::count(drives::Slot slot) const {
  const std::lock_guard lock(x_mutex);
  const auto at = x_spares.find(slot);
  return at == x_spares.end() ? 0 : at->second.size();
}

}  // namespace outcrop::segment
