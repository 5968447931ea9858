// An open file on a PosixDisk, and the descriptor that owns itself. Internal.
#pragma once
#include <utility>

#include "storage/io/disk.h"

namespace outcrop::io {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : x_fd(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : x_fd(std::exchange(other.x_fd, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(x_fd, other.x_fd);
    return *this;
  }
  int get() const { return x_fd; }
  int release() { return std::exchange(x_fd, -1); }

 private:
  int x_fd;
};

class PosixFile final : public File {
 public:
  PosixFile(Disk& disk, Descriptor fd, bool direct)
      : x_disk(disk), x_fd(std::move(fd)), x_direct(direct) {}

  int fd() const override { return x_fd.get(); }
  bool direct() const override { return x_direct; }
  Disk& disk() const override { return x_disk; }
  Result<std::uint64_t> size() const override;
  Result<std::size_t> read_sync(std::uint64_t offset, MutBytes out) override;
  Result<void> write_sync(std::uint64_t offset, ConstBytes data) override;
  Result<void> truncate(std::uint64_t size) override;
  Result<void> punch(std::uint64_t offset, std::uint64_t length) override;
  Result<bool> whole() const override;
  Result<void> sync() override;

 private:
  Disk& x_disk;
  Descriptor x_fd;
  bool x_direct;
};

}  // namespace outcrop::io
