#include "auth/audit/audit_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>
#include <vector>

namespace outcrop::audit {
namespace {

constexpr std::string_view kName = "audit.log";

std::unexpected<Error> complain(const std::string& what, const std::filesystem::path& path) {
  return fail(Errc::config, "audit: " + what + " " + path.string() + ": " +
                                std::generic_category().message(errno));
}

std::unexpected<Error> failed() {
  const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
  return std::unexpected(Error(full ? Errc::no_space : Errc::io_error, errno));
}

/// N of "audit.log.N"; 0 for what has no such name.
unsigned number_of(std::string_view file) {
  unsigned out = 0;
  if (!file.starts_with(kName) || file.size() < kName.size() + 2 || file[kName.size()] != '.') {
    return 0;
  }
  const std::string_view digits = file.substr(kName.size() + 1);
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return ec == std::errc{} && end == digits.data() + digits.size() && digits[0] != '0' ? out : 0;
}

// The last `most` bytes of a file.
Result<std::string> read_tail(int fd, std::uint64_t size, std::size_t most) {
  std::string out(static_cast<std::size_t>(std::min<std::uint64_t>(size, most)), '\0');
  std::uint64_t at = size - out.size();
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t n =
        ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return failed();
    }
    done += static_cast<std::size_t>(n);
  }
  return out;
}

}  // namespace

AuditFile::AuditFile(AuditFile&& other) noexcept
    : x_folder(std::move(other.x_folder)),
      x_limits(other.x_limits),
      x_fd(std::exchange(other.x_fd, -1)),
      x_size(other.x_size),
      x_dirty_tail(other.x_dirty_tail) {}

AuditFile::~AuditFile() {
  if (x_fd >= 0) {
    ::close(x_fd);
  }
}

std::filesystem::path AuditFile::name(unsigned number) const {
  std::string file(kName);
  return x_folder / (number == 0 ? file : file.append(".").append(std::to_string(number)));
}

Result<AuditFile> AuditFile::open(const std::filesystem::path& folder,
                                  const FileLimits& limits,
                                  Found& found) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return complain("cannot make", folder);
  }
  AuditFile out(folder, limits);
  TRYV(out.open_current());
  TRYV(out.recover(found));
  if (!out.remove_beyond_limit() || !out.sync_folder()) {
    return complain("cannot remove old files in", folder);
  }
  return out;
}

Result<void> AuditFile::open_current() {
  const std::filesystem::path path = name(0);
  const int fd = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return complain("cannot open", path);
  }
  // The lock goes with the file: of two processes the second one is refused.
  struct stat status{};
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 || ::fstat(fd, &status) != 0 || ::fchmod(fd, 0600) != 0) {
    const auto out = complain("cannot have for itself", path);
    ::close(fd);
    return out;
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(fd);
    return fail(Errc::config, "audit: " + path.string() + " is not a regular file");
  }
  if (x_fd >= 0) {
    ::close(x_fd);
  }
  x_fd = fd;
  x_size = static_cast<std::uint64_t>(status.st_size);
  x_dirty_tail = false;
  return ok();
}

// Cuts off what has no newline, and finds the link to go on from: in this file, or if it is empty
// (a crash in the middle of a rotation) in the one before.
Result<void> AuditFile::recover(Found& found) {
  Result<std::string> tail = read_tail(x_fd, x_size, 2 * kMaxLineBytes);
  if (!tail) {
    errno = tail.error().sys_errno();
    return complain("cannot read", name(0));
  }
  const std::size_t whole = tail->rfind('\n') + 1;  // npos + 1 is 0
  found.torn = tail->size() - whole;
  if (found.torn > 0) {
    x_size -= found.torn;
    if (::ftruncate(x_fd, static_cast<off_t>(x_size)) != 0 || ::fsync(x_fd) != 0) {
      return complain("cannot repair", name(0));
    }
    tail->resize(whole);
  }
  if (tail->empty()) {
    const int before = ::open(name(1).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat status{};
    if (before < 0 || ::fstat(before, &status) != 0) {
      return ok();  // the first of all
    }
    tail = read_tail(before, static_cast<std::uint64_t>(status.st_size), 2 * kMaxLineBytes);
    ::close(before);
    if (!tail) {
      errno = tail.error().sys_errno();
      return complain("cannot read", name(1));
    }
  }
  std::string_view last(*tail);
  last.remove_suffix(last.ends_with('\n') ? 1 : 0);
  last.remove_prefix(last.rfind('\n') + 1);
  if (std::optional<Line> line = parse_line(last)) {
    found.last = std::move(line->link);
    return ok();
  }
  found.damaged = true;
  return x_size == 0 ? ok() : rotate();
}

Result<void> AuditFile::append(std::string_view lines) {
  if (x_dirty_tail && ::ftruncate(x_fd, static_cast<off_t>(x_size)) != 0) {
    return failed();
  }
  x_dirty_tail = true;
  std::uint64_t written = 0;
  while (written < lines.size()) {
    const ssize_t n = ::write(x_fd, lines.data() + written, lines.size() - written);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      const auto out = failed();
      x_dirty_tail = ::ftruncate(x_fd, static_cast<off_t>(x_size)) != 0;
      return out;
    }
    written += static_cast<std::uint64_t>(n);
  }
  x_size += written;
  x_dirty_tail = false;
  return ok();
}

Result<void> AuditFile::rotate() {
  TRYV(sync());
  struct stat status{};
  if (::lstat(name(0).c_str(), &status) != 0) {
    // The last try got as far as to the new file: to shift again would push an old one out.
    TRYV(open_current());
    return sync_folder();
  }
  for (unsigned number = x_limits.files - 1; number > 0; --number) {
    if (::rename(name(number - 1).c_str(), name(number).c_str()) != 0 && errno != ENOENT) {
      return failed();
    }
  }
  if (x_limits.files == 1 && ::unlink(name(0).c_str()) != 0) {
    return failed();
  }
  TRYV(open_current());
  return sync_folder();
}

// There are more than the limit says once that was lowered. They are older than a file that the
// next rotation removes: what stayed would take room, and be no part of the chain any more.
Result<void> AuditFile::remove_beyond_limit() const {
  std::error_code ec;
  std::vector<std::filesystem::path> old;
  for (std::filesystem::directory_iterator it(x_folder, ec), end; !ec && it != end;
       it.increment(ec)) {
    if (number_of(it->path().filename().string()) >= x_limits.files) {
      old.push_back(it->path());
    }
  }
  if (ec) {
    errno = ec.value();
    return failed();
  }
  for (const std::filesystem::path& path : old) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return failed();
    }
  }
  return ok();
}

Result<void> AuditFile::sync() { return ::fdatasync(x_fd) == 0 ? ok() : failed(); }

Result<void> AuditFile::sync_folder() const {
  const int fd = ::open(x_folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const Result<void> out = synced ? ok() : Result<void>(failed());
  if (fd >= 0) {
    ::close(fd);
  }
  return out;
}

}  // namespace outcrop::audit
