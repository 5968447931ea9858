#include "storage/io/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "storage/io/syscalls.h"

namespace outcrop::io {

Descriptor::~Descriptor() {
  if (x_fd >= 0) {
    ::close(x_fd);
  }
}

Result<std::uint64_t> PosixFile::size() const {
  struct stat st{};
  if (::fstat(fd(), &st) != 0) {
    return fail_errno(errno);
  }
  return static_cast<std::uint64_t>(st.st_size);
}

Result<std::size_t> PosixFile::read_sync(std::uint64_t offset, MutBytes out) {
  TRYV(check_transfer(*this, offset, out));
  const std::int64_t start = steady_ns();
  auto got = read_fully(fd(), x_direct, offset, out);
  account(x_disk.stats(), OpKind::read, got.value_or(0), steady_ns() - start, got.has_value());
  return got;
}

Result<void> PosixFile::write_sync(std::uint64_t offset, ConstBytes data) {
  TRYV(check_transfer(*this, offset, data));
  const std::int64_t start = steady_ns();
  auto wrote = write_fully(fd(), offset, data, false);
  account(x_disk.stats(), OpKind::write, data.size(), steady_ns() - start, wrote.has_value());
  return wrote;
}

Result<void> PosixFile::truncate(std::uint64_t size) {
  while (::ftruncate(fd(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) {
      return fail_errno(errno);
    }
  }
  return ok();
}

// A filesystem that cannot punch keeps the blocks, which is no harm.
Result<void> PosixFile::punch(std::uint64_t offset, std::uint64_t length) {
  while (::fallocate(fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                     static_cast<off_t>(length)) != 0) {
    if (errno == EOPNOTSUPP) {
      return ok();
    }
    if (errno != EINTR) {
      return fail_errno(errno);
    }
  }
  return ok();
}

Result<bool> PosixFile::whole() const {
  constexpr std::uint64_t kStatBlock = 512;
  struct stat st{};
  if (::fstat(fd(), &st) != 0) {
    return fail_errno(errno);
  }
  return static_cast<std::uint64_t>(st.st_blocks) * kStatBlock >=
         static_cast<std::uint64_t>(st.st_size);
}

Result<void> PosixFile::sync() {
  const std::int64_t start = steady_ns();
  auto synced = sync_data(fd());
  account(x_disk.stats(), OpKind::sync, 0, steady_ns() - start, synced.has_value());
  return synced;
}

}  // namespace outcrop::io
