#include "storage/io/overlay_disk.h"

#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <set>

namespace outcrop::io {
namespace {

constexpr std::size_t kCopyBytes = 1 << 20;

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

class OverlayDisk final : public Disk {
 public:
  OverlayDisk(std::unique_ptr<Disk> base, std::unique_ptr<Disk> upper)
      : x_base(std::move(base)), x_upper(std::move(upper)) {}

  std::string_view name() const override { return x_base->name(); }
  DiskStats& stats() override { return x_base->stats(); }
  Result<std::unique_ptr<File>> open(std::string_view path, Access access, Cache cache) override;
  Result<void> prewrite(std::string_view path, std::uint64_t size) override;
  Result<void> rename(std::string_view from, std::string_view to) override;
  Result<void> remove(std::string_view path) override;
  Result<void> make_dir(std::string_view path) override;
  Result<void> remove_tree(std::string_view path) override;
  Result<void> sync_dir(std::string_view) override { return ok(); }  // nothing here is to last
  Result<std::vector<std::string>> list(std::string_view path) override;
  Result<bool> exists(std::string_view path) override;
  Result<Space> space() override { return x_upper->space(); }
  Result<void> lock() override;
  bool present() override { return x_base->present(); }
  std::string native_path(std::string_view) const override { return {}; }
  std::uint64_t filesystem_id() const override { return x_base->filesystem_id(); }
  std::uint64_t parent_filesystem_id() const override { return x_base->parent_filesystem_id(); }

 private:
  bool hidden(std::string_view path);
  void hide(std::string_view path);
  Result<bool> in_base(std::string_view path);
  Result<void> make_parents(std::string_view path);
  Result<void> copy_up(std::string_view path);

  const std::unique_ptr<Disk> x_base, x_upper;
  std::mutex x_mutex;                            // guards all below
  std::set<std::string, std::less<>> x_removed;  ///< of the base, with all below it
  std::unique_ptr<File> x_lock;
};

bool OverlayDisk::hidden(std::string_view path) {
  const std::lock_guard guard(x_mutex);
  for (; !path.empty(); path = parent_of(path)) {
    if (x_removed.contains(path)) {
      return true;
    }
  }
  return false;
}

void OverlayDisk::hide(std::string_view path) {
  const std::lock_guard guard(x_mutex);
  x_removed.emplace(path);
}

Result<bool> OverlayDisk::in_base(std::string_view path) {
  if (hidden(path)) {
    return false;
  }
  return x_base->exists(path);
}

Result<bool> OverlayDisk::exists(std::string_view path) {
  TRY(const bool changed, x_upper->exists(path));
  return changed ? Result<bool>(true) : in_base(path);
}

Result<void> OverlayDisk::make_parents(std::string_view path) {
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    TRYV(x_upper->make_dir(path.substr(0, slash)));
  }
  return ok();
}

Result<void> OverlayDisk::copy_up(std::string_view path) {
  TRY(const bool changed, x_upper->exists(path));
  if (changed) {
    return ok();
  }
  if (hidden(path)) {
    return fail(Errc::not_found);
  }
  TRY(const auto from, x_base->open(path, Access::read, Cache::buffered));
  TRY(const std::uint64_t size, from->size());
  if (size > kMaxOverlayCopy) {
    return fail(Errc::entity_too_large, "a file that is only read: " + std::string(path));
  }
  TRYV(make_parents(path));
  TRY(const auto to, x_upper->open(path, Access::create, Cache::buffered));
  const Buffer piece = Buffer::make(kCopyBytes);
  for (std::uint64_t at = 0; at < size;) {
    TRY(const std::size_t n, from->read_sync(at, piece.writable()));
    if (n == 0) {
      return fail(Errc::io_error, "a file became shorter while it was read");
    }
    TRYV(to->write_sync(at, piece.view().first(n)));
    at += n;
  }
  return ok();
}

Result<std::unique_ptr<File>> OverlayDisk::open(std::string_view path, Access access, Cache cache) {
  if (access == Access::create) {
    TRY(const bool there, exists(path));
    if (there) {
      return fail(Errc::already_exists);
    }
    TRYV(make_parents(path));
    return x_upper->open(path, access, cache);
  }
  if (access == Access::read_write) {
    TRYV(copy_up(path));
    return x_upper->open(path, access, cache);
  }
  TRY(const bool changed, x_upper->exists(path));
  if (changed) {
    return x_upper->open(path, access, cache);
  }
  return hidden(path) ? fail(Errc::not_found) : x_base->open(path, access, cache);
}

Result<void> OverlayDisk::prewrite(std::string_view path, std::uint64_t size) {
  TRYV(make_parents(path));
  return x_upper->prewrite(path, size);
}

Result<void> OverlayDisk::rename(std::string_view from, std::string_view to) {
  TRYV(copy_up(from));
  TRYV(make_parents(to));
  TRYV(x_upper->rename(from, to));
  hide(from);
  return ok();
}

Result<void> OverlayDisk::remove(std::string_view path) {
  TRY(const bool changed, x_upper->exists(path));
  TRY(const bool below, in_base(path));
  if (!changed && !below) {
    return fail(Errc::not_found);
  }
  hide(path);
  return changed ? x_upper->remove(path) : ok();
}

Result<void> OverlayDisk::make_dir(std::string_view path) {
  TRY(const bool below, in_base(path));
  if (below) {
    return ok();
  }
  TRYV(make_parents(path));
  return x_upper->make_dir(path);
}

Result<void> OverlayDisk::remove_tree(std::string_view path) {
  hide(path);
  return x_upper->remove_tree(path);
}

Result<std::vector<std::string>> OverlayDisk::list(std::string_view path) {
  const auto below =
      hidden(path) ? Result<std::vector<std::string>>(fail(Errc::not_found)) : x_base->list(path);
  auto above = x_upper->list(path);
  if (!below && (below.error().code() != Errc::not_found || !above)) {
    return fail(below.error());
  }
  if (!above && above.error().code() != Errc::not_found) {
    return fail(above.error());
  }
  std::vector<std::string> out = above ? *std::move(above) : std::vector<std::string>();
  for (const std::string& name : below ? *below : std::vector<std::string>()) {
    if (!hidden(path.empty() ? name : std::string(path) + "/" + name)) {
      out.push_back(name);
    }
  }
  std::ranges::sort(out);
  const auto twice = std::ranges::unique(out);
  out.erase(twice.begin(), twice.end());
  return out;
}

Result<void> OverlayDisk::lock() {
  const std::lock_guard guard(x_mutex);
  if (x_lock) {
    return ok();
  }
  auto file = x_base->open("lock", Access::read, Cache::buffered);
  if (!file && file.error().code() == Errc::not_found) {
    return ok();
  }
  if (!file) {
    return fail(file.error());
  }
  if ((*file)->fd() < 0) {
    return x_base->lock();  // in simulation
  }
  while (::flock((*file)->fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return fail(Errc::already_exists, "another process uses drive " + std::string(name()));
    }
    if (errno != EINTR) {
      return fail(Errc::io_error, "the lock file cannot be locked");
    }
  }
  x_lock = *std::move(file);
  return ok();
}

}  // namespace

std::unique_ptr<Disk> make_overlay_disk(std::unique_ptr<Disk> base, std::unique_ptr<Disk> upper) {
  return std::make_unique<OverlayDisk>(std::move(base), std::move(upper));
}

}  // namespace outcrop::io
