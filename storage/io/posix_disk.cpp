// Disk on a real directory. Everything is opened relative to the directory's descriptor, so that a
// drive whose directory is renamed or unmounted under us keeps working and only present() tells.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "storage/base/log.h"
#include "storage/io/guarded_disk.h"
#include "storage/io/posix_file.h"
#include "storage/io/syscalls.h"

namespace outcrop::io {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirMode = 0700;
constexpr std::size_t kZeroChunk = std::size_t{1} << 20;

/// The path for openat(): "." for the drive directory itself. Refuses what could leave it.
Result<std::string> checked(std::string_view path) {
  if (path.empty() || path == ".") {
    return std::string(".");
  }
  if (path.front() == '/' || path.find('\0') != std::string_view::npos) {
    return fail(Errc::invalid_argument, "path is not relative to the drive: " + std::string(path));
  }
  const std::string bounded = "/" + std::string(path) + "/";
  if (bounded.find("/../") != std::string::npos) {
    return fail(Errc::invalid_argument, "path leaves the drive: " + std::string(path));
  }
  return std::string(path);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

Result<Descriptor> open_at(int dir, const std::string& path, int flags) {
  for (;;) {
    const int fd = ::openat(dir, path.c_str(), flags | O_CLOEXEC, kFileMode);
    if (fd >= 0) {
      return Descriptor(fd);
    }
    if (errno != EINTR) {
      return fail_errno(errno);
    }
  }
}

Result<void> fsync_all(int fd) {
  while (::fsync(fd) != 0) {
    if (errno != EINTR) {
      return fail_errno(errno);
    }
  }
  return ok();
}

/// Switches O_DIRECT on after the open: an open with O_CREAT|O_DIRECT that fails has left a file.
bool make_direct(int fd) {
#ifdef STATX_DIOALIGN
  struct statx sx{};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx) == 0 &&
      (sx.stx_mask & STATX_DIOALIGN) != 0 &&
      (sx.stx_dio_offset_align == 0 || sx.stx_dio_offset_align > kIoAlign ||
       sx.stx_dio_mem_align > kIoAlign)) {
    return false;
  }
#endif
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_DIRECT) == 0;
}

Result<std::vector<std::string>> names_in(int dir, const std::string& path) {
  TRY(Descriptor fd, open_at(dir, path, O_RDONLY | O_DIRECTORY));
  DIR* stream = ::fdopendir(fd.get());
  if (stream == nullptr) {
    return fail_errno(errno);
  }
  fd.release();
  const std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, &::closedir);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream);
    if (entry == nullptr) {
      break;
    }
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  if (errno != 0) {
    return fail_errno(errno);
  }
  std::ranges::sort(names);
  return names;
}

/// Unlinks `path` and, if it is a directory, all below it. A symbolic link is only unlinked.
Result<void> unlink_tree(int dir, const std::string& path) {
  if (::unlinkat(dir, path.c_str(), 0) == 0 || errno == ENOENT) {
    return ok();
  }
  if (errno != EISDIR && errno != EPERM) {
    return fail_errno(errno);
  }
  TRY(const auto names, names_in(dir, path));
  for (const std::string& name : names) {
    TRYV(unlink_tree(dir, path + "/" + name));
  }
  return ::unlinkat(dir, path.c_str(), AT_REMOVEDIR) == 0 ? ok() : fail_errno(errno);
}

class PosixDisk final : public Disk {
 public:
  PosixDisk(std::string name,
            std::string path,
            Descriptor dir,
            const struct stat& st,
            std::uint64_t parent_fs)
      : x_name(std::move(name)),
        x_path(std::move(path)),
        x_dir(std::move(dir)),
        x_dev(st.st_dev),
        x_ino(st.st_ino),
        x_parent_fs(parent_fs) {}

  std::string_view name() const override { return x_name; }
  DiskStats& stats() override { return *x_stats; }
  std::shared_ptr<DiskStats> share_stats() override { return x_stats; }
  Result<std::unique_ptr<File>> open(std::string_view path, Access access, Cache cache) override;
  Result<void> prewrite(std::string_view path, std::uint64_t size) override;
  Result<void> rename(std::string_view from, std::string_view to) override;
  Result<void> remove(std::string_view path) override;
  Result<void> make_dir(std::string_view path) override;
  Result<void> remove_tree(std::string_view path) override;
  Result<void> sync_dir(std::string_view path) override;
  Result<std::vector<std::string>> list(std::string_view path) override;
  Result<bool> exists(std::string_view path) override;
  Result<Space> space() override;
  Result<void> lock() override;
  bool present() override;
  std::string native_path(std::string_view path) const override;
  std::uint64_t filesystem_id() const override { return x_dev; }
  std::uint64_t parent_filesystem_id() const override { return x_parent_fs; }

 private:
  bool try_direct(int fd);
  Result<void> fsync_dir(const std::string& path);

  const std::string x_name;  // as configured
  const std::string x_path;  // absolute
  const Descriptor x_dir;
  const dev_t x_dev;
  const ino_t x_ino;
  const std::uint64_t x_parent_fs;
  const std::shared_ptr<DiskStats> x_stats = std::make_shared<DiskStats>();
  std::atomic<bool> x_fallback_logged{false};
  std::mutex x_lock_mutex;  // guards x_lock
  Descriptor x_lock;
};

bool PosixDisk::try_direct(int fd) {
  if (make_direct(fd)) {
    return true;
  }
  if (!x_fallback_logged.exchange(true)) {
    log::warn(
        "filesystem has no O_DIRECT: this drive works through the page cache, slower but safe",
        {{"drive", x_name}});
  }
  return false;
}

Result<std::unique_ptr<File>> PosixDisk::open(std::string_view path, Access access, Cache cache) {
  TRY(const std::string rel, checked(path));
  int flags = O_NOFOLLOW;
  switch (access) {
    case Access::read:
      flags |= O_RDONLY;
      break;
    case Access::read_write:
      flags |= O_RDWR;
      break;
    case Access::create:
      flags |= O_RDWR | O_CREAT | O_EXCL;
      break;
  }
  TRY(Descriptor fd, open_at(x_dir.get(), rel, flags));
  const bool direct = cache == Cache::direct && try_direct(fd.get());
  return std::make_unique<PosixFile>(*this, std::move(fd), direct);
}

Result<void> PosixDisk::prewrite(std::string_view path, std::uint64_t size) {
  TRY(const std::string rel, checked(path));
  TRY(const Descriptor fd, open_at(x_dir.get(), rel, O_RDWR | O_CREAT | O_NOFOLLOW));
  if (size % kIoAlign == 0) {
    try_direct(fd.get());
  }
  struct stat st{};
  if (::fstat(fd.get(), &st) != 0) {
    return fail_errno(errno);
  }
  if (static_cast<std::uint64_t>(st.st_size) > size &&
      ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return fail_errno(errno);
  }
  const Buffer zeros = Buffer::zeroed(kZeroChunk);
  for (std::uint64_t at = 0; at < size; at += kZeroChunk) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(kZeroChunk, size - at));
    const std::int64_t start = steady_ns();
    auto wrote = write_fully(fd.get(), at, zeros.view().first(length), false);
    account(*x_stats, OpKind::write, length, steady_ns() - start, wrote.has_value());
    TRYV(std::move(wrote));
  }
  TRYV(fsync_all(fd.get()));
  return fsync_dir(parent_of(rel));
}

Result<void> PosixDisk::rename(std::string_view from, std::string_view to) {
  TRY(const std::string source, checked(from));
  TRY(const std::string target, checked(to));
  if (::renameat(x_dir.get(), source.c_str(), x_dir.get(), target.c_str()) != 0) {
    return fail_errno(errno);
  }
  // The target first: a crash between the two may show the file twice, never not at all.
  TRYV(fsync_dir(parent_of(target)));
  return parent_of(source) == parent_of(target) ? ok() : fsync_dir(parent_of(source));
}

Result<void> PosixDisk::remove(std::string_view path) {
  TRY(const std::string rel, checked(path));
  if (::unlinkat(x_dir.get(), rel.c_str(), 0) != 0) {
    return fail_errno(errno);
  }
  return fsync_dir(parent_of(rel));
}

Result<void> PosixDisk::make_dir(std::string_view path) {
  TRY(const std::string rel, checked(path));
  if (::mkdirat(x_dir.get(), rel.c_str(), kDirMode) != 0) {
    const int reason = errno;
    struct stat st{};
    if (reason != EEXIST || ::fstatat(x_dir.get(), rel.c_str(), &st, 0) != 0 ||
        !S_ISDIR(st.st_mode)) {
      return fail_errno(reason);
    }
  }
  return fsync_dir(parent_of(rel));
}

Result<void> PosixDisk::remove_tree(std::string_view path) {
  TRY(const std::string rel, checked(path));
  if (rel == ".") {
    return fail(Errc::invalid_argument, "the drive directory itself cannot be removed");
  }
  TRYV(unlink_tree(x_dir.get(), rel));
  const Result<void> synced = fsync_dir(parent_of(rel));
  return !synced && synced.error().code() == Errc::not_found ? ok() : synced;
}

Result<void> PosixDisk::sync_dir(std::string_view path) {
  TRY(const std::string rel, checked(path));
  return fsync_dir(rel);
}

Result<void> PosixDisk::fsync_dir(const std::string& path) {
  TRY(const Descriptor fd, open_at(x_dir.get(), path, O_RDONLY | O_DIRECTORY));
  const std::int64_t start = steady_ns();
  auto synced = fsync_all(fd.get());
  account(*x_stats, OpKind::sync, 0, steady_ns() - start, synced.has_value());
  return synced;
}

Result<std::vector<std::string>> PosixDisk::list(std::string_view path) {
  TRY(const std::string rel, checked(path));
  return names_in(x_dir.get(), rel);
}

Result<bool> PosixDisk::exists(std::string_view path) {
  TRY(const std::string rel, checked(path));
  struct stat st{};
  if (::fstatat(x_dir.get(), rel.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) {
    return true;
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return false;
  }
  return fail_errno(errno);
}

Result<Space> PosixDisk::space() {
  struct statvfs fs{};
  if (::fstatvfs(x_dir.get(), &fs) != 0) {
    return fail_errno(errno);
  }
  return Space{.total_bytes = static_cast<std::uint64_t>(fs.f_blocks) * fs.f_frsize,
               .free_bytes = static_cast<std::uint64_t>(fs.f_bavail) * fs.f_frsize};
}

Result<void> PosixDisk::lock() {
  const std::lock_guard guard(x_lock_mutex);
  if (x_lock.get() >= 0) {
    return ok();
  }
  TRY(Descriptor fd, open_at(x_dir.get(), "lock", O_RDWR | O_CREAT | O_NOFOLLOW));
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return fail(Errc::already_exists, "another process uses drive " + x_name);
    }
    if (errno != EINTR) {
      return fail_errno(errno);
    }
  }
  x_lock = std::move(fd);
  return ok();
}

bool PosixDisk::present() {
  struct stat at_path{};
  struct stat opened{};
  return ::stat(x_path.c_str(), &at_path) == 0 && ::fstat(x_dir.get(), &opened) == 0 &&
         opened.st_nlink > 0 && at_path.st_dev == x_dev && at_path.st_ino == x_ino;
}

std::string PosixDisk::native_path(std::string_view path) const {
  return path.empty() ? x_path : x_path + "/" + std::string(path);
}

}  // namespace

Result<std::unique_ptr<Disk>> open_plain_disk(std::string path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) {
    return fail_errno(errno);
  }
  std::string absolute(resolved);
  ::free(resolved);
  TRY(Descriptor dir, open_at(AT_FDCWD, absolute, O_RDONLY | O_DIRECTORY));
  struct stat st{};
  struct stat parent{};
  if (::fstat(dir.get(), &st) != 0 || ::fstatat(dir.get(), "..", &parent, 0) != 0) {
    return fail_errno(errno);
  }
  return std::make_unique<PosixDisk>(std::move(path), std::move(absolute), std::move(dir), st,
                                     parent.st_dev);
}

}  // namespace outcrop::io
