#include "storage/kvfs/disk_env.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <mutex>
#include <set>
#include <thread>

#include "storage/kvfs/disk_files.h"

namespace outcrop::kvfs {
namespace {

using io::Access;
using io::Cache;
using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

/// RocksDB's names ("/meta/kv//CURRENT") as the drive knows them ("meta/kv/CURRENT").
std::string on_drive(const std::string& name) {
  std::string path;
  for (const char c : name) {
    if (c != '/' || (!path.empty() && path.back() != '/')) {
      path.push_back(c);
    }
  }
  if (!path.empty() && path.back() == '/') {
    path.pop_back();
  }
  return path;
}

class SilentLogger final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

class PathLock final : public rocksdb::FileLock {
 public:
  explicit PathLock(std::string path) : x_path(std::move(path)) {}
  const std::string& path() const { return x_path; }

 private:
  const std::string x_path;
};

class DiskFileSystem final : public rocksdb::FileSystem {
 public:
  explicit DiskFileSystem(io::Disk& disk) : x_disk(disk) {}
  const char* Name() const override { return "OutcropDisk"; }

  IOStatus NewSequentialFile(const std::string& name,
                             const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext*) override {
    return open_as(name, Access::read, [&](FilePtr file, const std::string& path) {
      *result = sequential_file(std::move(file), path);
      return ok();
    });
  }
  IOStatus NewRandomAccessFile(const std::string& name,
                               const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext*) override {
    return open_as(name, Access::read, [&](FilePtr file, const std::string& path) {
      *result = random_access_file(std::move(file), path);
      return ok();
    });
  }
  IOStatus NewWritableFile(const std::string& name,
                           const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext*) override {
    return write_as(name, options, true, result);
  }
  IOStatus ReopenWritableFile(const std::string& name,
                              const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext*) override {
    return write_as(name, options, false, result);
  }
  IOStatus NewDirectory(const std::string& name,
                        const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext*) override {
    const std::string path = on_drive(name);
    *result = directory(x_disk, path);
    return to_status(x_disk.list(path), path);
  }

  IOStatus FileExists(const std::string& name, const IOOptions&, IODebugContext*) override {
    const auto found = x_disk.exists(on_drive(name));
    return found && !*found ? IOStatus::NotFound(name) : to_status(found, name);
  }
  IOStatus GetChildren(const std::string& name,
                       const IOOptions&,
                       std::vector<std::string>* result,
                       IODebugContext*) override {
    auto names = x_disk.list(on_drive(name));
    if (names) {
      *result = std::move(*names);
    }
    return to_status(names, name);
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions&, IODebugContext*) override {
    return to_status(x_disk.remove(on_drive(name)), name);
  }
  IOStatus Truncate(const std::string& name,
                    size_t size,
                    const IOOptions&,
                    IODebugContext*) override {
    return open_as(name, Access::read_write,
                   [&](FilePtr file, const std::string&) { return file->truncate(size); });
  }
  IOStatus CreateDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    const auto found = x_disk.exists(on_drive(name));
    if (found && *found) {
      return IOStatus::IOError(name, "exists");
    }
    return found ? to_status(x_disk.make_dir(on_drive(name)), name) : to_status(found, name);
  }
  IOStatus CreateDirIfMissing(const std::string& name, const IOOptions&, IODebugContext*) override {
    const std::string path = on_drive(name);
    return path.empty() ? IOStatus::OK() : to_status(x_disk.make_dir(path), name);
  }
  IOStatus DeleteDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    const auto names = x_disk.list(on_drive(name));
    if (names && !names->empty()) {
      return IOStatus::IOError(name, "directory is not empty");
    }
    return names ? to_status(x_disk.remove_tree(on_drive(name)), name) : to_status(names, name);
  }
  IOStatus GetFileSize(const std::string& name,
                       const IOOptions&,
                       uint64_t* size,
                       IODebugContext*) override {
    return open_as(name, Access::read, [&](FilePtr file, const std::string&) -> Result<void> {
      TRY(*size, file->size());
      return ok();
    });
  }
  IOStatus GetFileModificationTime(const std::string&,
                                   const IOOptions&,
                                   uint64_t* mtime,
                                   IODebugContext*) override {
    *mtime = 0;  // only statistics and TTL compaction ask, which we do not use
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from,
                      const std::string& to,
                      const IOOptions&,
                      IODebugContext*) override {
    return to_status(x_disk.rename(on_drive(from), on_drive(to)), from);
  }
  IOStatus LockFile(const std::string& name,
                    const IOOptions&,
                    rocksdb::FileLock** lock,
                    IODebugContext*) override {
    const std::lock_guard guard(x_mutex);
    if (!x_locks.insert(on_drive(name)).second) {
      return IOStatus::IOError(name, "lock is held by this process");
    }
    *lock = new PathLock(on_drive(name));  // UnlockFile deletes it: RocksDB's contract
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    const std::unique_ptr<PathLock> owned(static_cast<PathLock*>(lock));
    const std::lock_guard guard(x_mutex);
    x_locks.erase(owned->path());
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) override {
    *path = "/test";
    return to_status(x_disk.make_dir("test"), *path);
  }
  IOStatus NewLogger(const std::string&,
                     const IOOptions&,
                     std::shared_ptr<rocksdb::Logger>* result,
                     IODebugContext*) override {
    *result = std::make_shared<SilentLogger>();
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& name,
                           const IOOptions&,
                           std::string* result,
                           IODebugContext*) override {
    *result = "/" + on_drive(name);
    return IOStatus::OK();
  }
  IOStatus GetFreeSpace(const std::string& name,
                        const IOOptions&,
                        uint64_t* free_bytes,
                        IODebugContext*) override {
    const auto space = x_disk.space();
    *free_bytes = space ? space->free_bytes : 0;
    return to_status(space, name);
  }
  IOStatus IsDirectory(const std::string& name,
                       const IOOptions&,
                       bool* is_dir,
                       IODebugContext*) override {
    const auto found = x_disk.exists(on_drive(name));
    if (found && !*found) {
      return IOStatus::PathNotFound(name);
    }
    *is_dir = found && x_disk.list(on_drive(name)).has_value();
    return to_status(found, name);
  }

 private:
  template <class Use>
  IOStatus open_as(const std::string& name, Access access, Use use) {
    const std::string path = on_drive(name);
    auto file = x_disk.open(path, access, Cache::buffered);
    return to_status(file ? use(std::move(*file), path) : Result<void>(fail(file.error())), name);
  }

  IOStatus write_as(const std::string& name,
                    const FileOptions& options,
                    bool empty,
                    std::unique_ptr<rocksdb::FSWritableFile>* result) {
    const std::string path = on_drive(name);
    auto file = x_disk.open(path, Access::create, Cache::buffered);
    if (file) {
      *result = writable_file(std::move(*file), path, 0, options);
      return IOStatus::OK();
    }
    if (file.error().code() != Errc::already_exists) {
      return to_status(file, name);
    }
    return open_as(name, Access::read_write,
                   [&](FilePtr there, const std::string&) -> Result<void> {
                     if (empty) {
                       TRYV(there->truncate(0));
                     }
                     TRY(const std::uint64_t size, there->size());
                     *result = writable_file(std::move(there), path, size, options);
                     return ok();
                   });
  }

  io::Disk& x_disk;
  std::mutex x_mutex;  // guards x_locks
  std::set<std::string> x_locks;
};

class SleeplessClock final : public rocksdb::SystemClockWrapper {
 public:
  SleeplessClock() : SystemClockWrapper(SystemClock::Default()) {}
  const char* Name() const override { return "OutcropSleeplessClock"; }
  void SleepForMicroseconds(int) override { std::this_thread::yield(); }
};

/// RocksDB sleeps a second after each background error: far too long for a crash enumeration.
class SimulationEnv final : public rocksdb::EnvWrapper {
 public:
  explicit SimulationEnv(std::unique_ptr<rocksdb::Env> env) : EnvWrapper(std::move(env)) {
    system_clock_ = std::make_shared<SleeplessClock>();
  }
};

}  // namespace

std::unique_ptr<rocksdb::Env> make_disk_env(io::Disk& disk) {
  auto env = rocksdb::NewCompositeEnv(std::make_shared<DiskFileSystem>(disk));
  const bool simulated = disk.native_path("").empty();
  return simulated ? std::make_unique<SimulationEnv>(std::move(env)) : std::move(env);
}

}  // namespace outcrop::kvfs
