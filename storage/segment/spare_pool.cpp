#include "storage/segment/spare_pool.h"

#include <charconv>

#include "storage/base/log.h"
#include "storage/io/zero_part.h"

namespace outcrop::segment {
namespace {

constexpr std::string_view kPartial = "spare/partial";  // being zeroed; renamed when it is whole
constexpr std::size_t kLeastSpares = 2;
constexpr std::size_t kLanes = 2;         // of a worker, for clients: small records, and stripes
constexpr std::uint64_t kMostShare = 32;  // of a drive

std::string partial_of(const std::string& name) {
  return std::string(kPartial) + name.substr(name.find('/') + 1);
}

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
  x_begun.erase(slot);
}

std::string SparePool::next_name() {
  const std::lock_guard lock(x_mutex);
  return "spare/" + std::to_string(x_next++);
}

std::optional<SparePool::Begun> SparePool::begun(drives::Slot slot) const {
  const std::lock_guard lock(x_mutex);
  const auto at = x_begun.find(slot);
  return at == x_begun.end() ? std::nullopt : std::optional(at->second);
}

// What was begun has taken its room already.
Result<std::uint64_t> SparePool::writable(drives::Slot slot, Claim claim) const {
  TRY(const io::Space space, x_context.drives.disk(slot)->space());
  const std::uint64_t kept = metadata_share(space.total_bytes) / (claim == Claim::needed ? 2 : 1);
  const std::uint64_t free = space.free_bytes + begun(slot).value_or(Begun()).written;
  return free > kept ? (free - kept) / x_context.shard_bytes : 0;
}

Result<std::uint64_t> SparePool::room(drives::Slot slot) const {
  TRY(const std::uint64_t more, writable(slot, Claim::early));
  return count(slot) + more;
}

Result<void> SparePool::write_one(drives::Slot slot) {
  const std::lock_guard writing(x_writing[slot]);
  while (const std::optional<Begun> spare = begun(slot)) {
    if (auto written = write_part(slot, *spare);
        !written && written.error().code() != Errc::not_found) {
      return written;
    }
  }
  if (count(slot) > 0) {
    return ok();  // that one, or what another worker wrote meanwhile
  }
  TRY(const std::uint64_t more, writable(slot, Claim::needed));
  if (more == 0) {
    return fail(Errc::no_space, "the rest is kept for metadata");
  }
  const std::string name = next_name();
  const std::string partial = partial_of(name);
  if (auto written = x_context.drives.disk(slot)->prewrite(partial, x_context.shard_bytes);
      !written) {
    if (written.error().code() == Errc::no_space) {
      remove_partial(slot, partial);  // else the drive goes, and is not asked for more
    }
    return written;
  }
  return finish(slot, partial, name);
}

Result<void> SparePool::finish(drives::Slot slot,
                               const std::string& partial,
                               const std::string& name) {
  TRYV(x_context.drives.disk(slot)->rename(partial, name));
  const std::lock_guard lock(x_mutex);
  x_spares[slot].push_back(name);
  return ok();
}

void SparePool::remove_partial(drives::Slot slot, const std::string& partial) {
  io::Disk& disk = *x_context.drives.disk(slot);
  const auto removed = disk.remove(partial);
  if (!removed && removed.error().code() != Errc::not_found) {
    log::warn("a half-written spare stays until the next start",
              {{"drive", disk.name()}, {"error", removed.error().describe()}});
  }
}

Result<bool> SparePool::add_part(drives::Slot slot, std::size_t wanted) {
  const std::lock_guard writing(x_writing[slot]);
  std::optional<Begun> spare = begun(slot);
  if (!x_context.drives.live(slot) || (!spare && count(slot) >= wanted)) {
    return false;
  }
  TRY(const std::uint64_t more, writable(slot, Claim::early));
  if (more == 0) {
    if (spare) {
      end(slot, *spare);
      remove_partial(slot, spare->partial);
    }
    return false;
  }
  if (!spare) {
    const std::string name = next_name();
    spare = Begun{.partial = partial_of(name), .name = name};
    const std::lock_guard lock(x_mutex);
    x_begun[slot] = *spare;
  }
  auto written = write_part(slot, *spare);
  if (!written && written.error().code() == Errc::no_space) {
    return false;
  }
  TRYV(std::move(written));
  return true;
}

// Nothing is begun any more, unless that was forgotten and is another one by now.
void SparePool::end(drives::Slot slot, const Begun& spare) {
  const std::lock_guard lock(x_mutex);
  const auto at = x_begun.find(slot);
  if (at != x_begun.end() && at->second.partial == spare.partial) {
    x_begun.erase(at);
  }
}

// After an error nothing is begun any more.
Result<void> SparePool::write_part(drives::Slot slot, const Begun& spare) {
  const std::uint64_t to = std::min(spare.written + kPartBytes, x_context.shard_bytes);
  if (auto written = io::zero_part(*x_context.drives.disk(slot), spare.partial, spare.written, to);
      !written) {
    end(slot, spare);
    if (written.error().code() == Errc::no_space) {
      remove_partial(slot, spare.partial);
    }
    return fail(written.error());
  }
  if (to == x_context.shard_bytes) {
    end(slot, spare);
    return finish(slot, spare.partial, spare.name);
  }
  const std::lock_guard lock(x_mutex);
  const auto at = x_begun.find(slot);
  if (at != x_begun.end() && at->second.partial == spare.partial) {
    at->second.written = to;
  }
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
      TRYV(write_one(slot));
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
    x_missed.insert(slot);
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

std::size_t SparePool::wanted(const io::Space& space) const {
  const std::uint64_t fit = space.total_bytes / kMostShare / x_context.shard_bytes;
  const std::size_t lanes = kLanes * x_context.workers.size();
  return std::max<std::size_t>(kLeastSpares, std::min<std::uint64_t>(lanes, fit));
}

bool SparePool::take_missed(drives::Slot slot) {
  const std::lock_guard lock(x_mutex);
  return x_missed.erase(slot) != 0;
}

std::size_t SparePool::count(drives::Slot slot) const {
  const std::lock_guard lock(x_mutex);
  const auto at = x_spares.find(slot);
  return at == x_spares.end() ? 0 : at->second.size();
}

}  // namespace outcrop::segment
