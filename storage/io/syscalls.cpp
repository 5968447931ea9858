#include "storage/io/syscalls.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace outcrop::io {
namespace {

ssize_t write_some(int fd, std::uint64_t offset, ConstBytes data, bool dsync) {
  if (!dsync) {
    return ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
  }
  const iovec piece{const_cast<std::byte*>(data.data()), data.size()};
  return ::pwritev2(fd, &piece, 1, static_cast<off_t>(offset), RWF_DSYNC);
}

bool aligned(std::uint64_t n) { return n % kIoAlign == 0; }

}  // namespace

Error errno_error(int sys_errno) {
  switch (sys_errno) {
    case ENOENT:
      return Error(Errc::not_found, sys_errno);
    case EEXIST:
      return Error(Errc::already_exists, sys_errno);
    case ENOSPC:
    case EDQUOT:
      return Error(Errc::no_space, sys_errno);
    default:
      return Error(Errc::io_error, sys_errno);
  }
}

Result<std::size_t> read_fully(int fd, bool direct, std::uint64_t offset, MutBytes out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return fail_errno(errno);
    }
    done += static_cast<std::size_t>(n);
    if (n == 0 || (direct && !aligned(done))) {
      break;
    }
  }
  return done;
}

Result<void> write_fully(int fd, std::uint64_t offset, ConstBytes data, bool durable) {
  bool dsync = durable;
  while (!data.empty()) {
    const ssize_t n = write_some(fd, offset, data, dsync);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0 && dsync && (errno == EOPNOTSUPP || errno == ENOSYS)) {
      dsync = false;
      continue;
    }
    if (n <= 0) {
      return fail_errno(n < 0 ? errno : EIO);
    }
    data = data.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return durable && !dsync ? sync_data(fd) : ok();
}

Result<void> sync_data(int fd) {
  // A failed sync is never retried: the kernel may have dropped the dirty pages.
  while (::fdatasync(fd) != 0) {
    if (errno != EINTR) {
      return fail_errno(errno);
    }
  }
  return ok();
}

Result<void> check_transfer(const File& file, std::uint64_t offset, ConstBytes memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  if (file.direct() && !(aligned(offset) && aligned(memory.size()) && aligned(address))) {
    return fail(Errc::invalid_argument, "transfer on a direct file is not aligned to 4 KiB");
  }
  return ok();
}

std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void account(DiskStats& stats, OpKind kind, std::size_t bytes, std::int64_t ns, bool good) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const auto spent = static_cast<std::uint64_t>(ns);
  switch (kind) {
    case OpKind::read:
      stats.reads.fetch_add(1, kRelaxed);
      stats.bytes_read.fetch_add(good ? bytes : 0, kRelaxed);
      stats.read_ns.fetch_add(spent, kRelaxed);
      break;
    case OpKind::write:
      stats.writes.fetch_add(1, kRelaxed);
      stats.bytes_written.fetch_add(good ? bytes : 0, kRelaxed);
      stats.write_ns.fetch_add(spent, kRelaxed);
      break;
    case OpKind::sync:
      stats.syncs.fetch_add(1, kRelaxed);
      stats.sync_ns.fetch_add(spent, kRelaxed);
      break;
  }
  if (!good) {
    stats.errors.fetch_add(1, kRelaxed);
  }
}

}  // namespace outcrop::io
