#include "server/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace outcrop::server {
namespace {

class File {
 public:
  explicit File(int fd) : x_fd(fd) {}
  File(const File&) = delete;
  ~File() {
    if (x_fd >= 0) {
      ::close(x_fd);
    }
  }
  int fd() const { return x_fd; }
  bool open() const { return x_fd >= 0; }

 private:
  int x_fd;
};

std::unexpected<Error> failed(const char* what, const std::filesystem::path& path) {
  return fail(Errc::config, std::string(what) + " " + path.string() + ": " +
                                std::generic_category().message(errno));
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) {
      return false;
    }
    text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  return true;
}

}  // namespace

Result<std::optional<std::string>> read_private_file(const std::filesystem::path& path,
                                                     std::size_t max_bytes) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.open()) {
    if (errno == ENOENT) {
      return std::optional<std::string>();
    }
    return failed("cannot read", path);
  }
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0) {
    return failed("cannot read", path);
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Errc::config, path.string() + " is not a regular file");
  }
  if ((status.st_mode & 077) != 0) {
    return fail(Errc::config, path.string() + " can be read or written by others: run chmod 600 " +
                                  path.string());
  }
  std::string text(max_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(file.fd(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return failed("cannot read", path);
    }
    if (n == 0) {
      break;
    }
    size += static_cast<std::size_t>(n);
  }
  if (size > max_bytes) {
    return fail(Errc::config, path.string() + " is too large");
  }
  text.resize(size);
  return std::optional<std::string>(std::move(text));
}

Result<void> write_private_file(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path temporary = path.string() + ".new";
  if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) {
    return failed("cannot replace", temporary);
  }
  {
    const File file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.open() || ::fchmod(file.fd(), 0600) != 0 || !write_all(file.fd(), text) ||
        ::fsync(file.fd()) != 0) {
      return failed("cannot write", temporary);
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return failed("cannot replace", path);
  }
  const File folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || ::fsync(folder.fd()) != 0) {
    return failed("cannot sync", path.parent_path());
  }
  return ok();
}

}  // namespace outcrop::server
