// One drive and a back end of each kind, so that one table of behaviours covers them all.
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "storage/base/async.h"
#include "storage/io/backends.h"
#include "storage/io/faults.h"
#include "storage/io/sim_disk.h"

namespace outcrop::io {

/// A directory of its own, removed at the end.
class TempDir {
 public:
  explicit TempDir(std::string base = ::testing::TempDir()) {
    x_path = (std::filesystem::path(base) / "outcrop-io-XXXXXX").string();
    OUTCROP_ASSERT(::mkdtemp(x_path.data()) != nullptr);
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(x_path, ignored);
  }
  TempDir(const TempDir&) = delete;
  const std::string& path() const { return x_path; }

 private:
  std::string x_path;
};

enum class Kind { uring, threads, sim, faulty };  // faulty: threads, decorated

struct Rig {
  explicit Rig(Kind kind) {
    if (kind == Kind::sim) {
      disk = std::move(*world.open_disk(0));
      backend = world.make_backend(io);
      return;
    }
    dir.emplace();
    disk = std::move(*open_posix_disk(dir->path()));
    const auto which = kind == Kind::uring ? BackendKind::uring : BackendKind::threads;
    auto made = make_backend(which, io);
    if (made) {  // else io_uring is blocked here: the test skips itself
      backend = std::move(*made);
    }
    if (kind == Kind::faulty) {
      disk = make_faulty(std::move(disk), 0, plan);
      backend = make_faulty(std::move(backend), io);
    }
  }

  void run_ops(std::span<IoOp> ops) {
    auto body = [](IoBackend& b, std::span<IoOp> o) -> Task<> {
      co_await run(b, o);
      co_return ok();
    };
    ASSERT_TRUE(run_on(io, body(*backend, ops)));
  }
  Result<void> run_op(IoOp op) {
    run_ops({&op, 1});
    return op.result;
  }

  asio::io_context io{1};
  SimWorld world{1, 7};
  std::optional<TempDir> dir;
  std::shared_ptr<FaultPlan> plan = std::make_shared<FaultPlan>();
  std::unique_ptr<Disk> disk;
  std::unique_ptr<IoBackend> backend;
};

/// A file of a drive by any descriptor: reads of an eventfd that nobody writes to never end.
class FakeFile final : public File {
 public:
  FakeFile(Disk& disk, std::shared_ptr<int> fd) : x_disk(disk), x_fd(std::move(fd)) {}
  int fd() const override { return *x_fd; }
  bool direct() const override { return false; }
  Disk& disk() const override { return x_disk; }
  std::shared_ptr<const void> share() const override { return x_fd; }
  Result<std::uint64_t> size() const override { return fail(Errc::internal); }
  Result<bool> whole() const override { return fail(Errc::internal); }
  Result<std::size_t> read_sync(std::uint64_t, MutBytes) override { return fail(Errc::internal); }
  Result<void> write_sync(std::uint64_t, ConstBytes) override { return fail(Errc::internal); }
  Result<void> truncate(std::uint64_t) override { return fail(Errc::internal); }
  Result<void> punch(std::uint64_t, std::uint64_t) override { return fail(Errc::internal); }
  Result<void> sync() override { return fail(Errc::internal); }

 private:
  Disk& x_disk;
  std::shared_ptr<int> x_fd;
};

inline Buffer filled(std::size_t size, char c) {
  Buffer b = Buffer::make(size);
  std::memset(b.data(), c, size);
  return b;
}

inline IoOp write_op(File& f, std::uint64_t offset, Buffer b, bool durable = false) {
  IoOp op;
  op.kind = OpKind::write;
  op.file = &f;
  op.offset = offset;
  op.buffer = std::move(b);
  op.durable = durable;
  return op;
}
inline IoOp read_op(File& f, std::uint64_t offset, std::size_t size) {
  IoOp op;
  op.kind = OpKind::read;
  op.file = &f;
  op.offset = offset;
  op.buffer = filled(size, '?');
  return op;
}
inline IoOp sync_op(File& f) {
  IoOp op;
  op.kind = OpKind::sync;
  op.file = &f;
  return op;
}

inline bool all_are(ConstBytes bytes, char c) {
  return std::ranges::all_of(bytes, [c](std::byte b) { return static_cast<char>(b) == c; });
}

template <class T>
Errc code_of(const Result<T>& r) {
  OUTCROP_ASSERT(!r);
  return r.error().code();
}

}  // namespace outcrop::io
