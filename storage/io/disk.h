// The only door to storage devices. A Disk is one drive directory; a File is an open file on it; an
// IoBackend is one worker's queue to the kernel. Three implementations: io_uring, a thread pool
// (both on PosixDisk), and an in-memory simulation (SimDisk) with a volatile cache and faults.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/task.h"
#include "storage/io/health.h"

namespace outcrop::io {

/// Per-drive counters; relaxed atomics, any thread. Latencies are sums in nanoseconds.
struct DiskStats {
  std::atomic<std::uint64_t> reads{0}, writes{0}, syncs{0};
  std::atomic<std::uint64_t> bytes_read{0}, bytes_written{0};
  std::atomic<std::uint64_t> read_ns{0}, write_ns{0}, sync_ns{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> in_flight{0};
};

class Disk;

/// An open file. Destroying it closes it; the caller sees to it that no IoOp on it is in flight.
/// The synchronous calls are for start-up, recovery and the blocking pool; never on a worker.
class File {
 public:
  virtual ~File() = default;
  /// The descriptor for kernel back ends; -1 in simulation.
  virtual int fd() const = 0;
  /// True if transfers must be aligned to kIoAlign in offset, length and address (O_DIRECT).
  virtual bool direct() const = 0;
  virtual Disk& disk() const = 0;
  /// What keeps the descriptor open, for a call that nobody waits for any more; null in simulation.
  virtual std::shared_ptr<const void> share() const { return nullptr; }

  virtual Result<std::uint64_t> size() const = 0;
  /// Reads up to out.size() bytes; fewer only at the end of the file. Returns the count.
  virtual Result<std::size_t> read_sync(std::uint64_t offset, MutBytes out) = 0;
  virtual Result<void> write_sync(std::uint64_t offset, ConstBytes data) = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  /// Gives the blocks of a range, aligned to kIoAlign, back to the filesystem: it reads as zeros
  /// then, the size stays. A power cut may bring them back.
  virtual Result<void> punch(std::uint64_t offset, std::uint64_t length) = 0;
  /// True if every block is there, as prewrite() makes them: nothing was punched.
  virtual Result<bool> whole() const = 0;
  virtual Result<void> sync() = 0;  ///< fdatasync
};

enum class Access : std::uint8_t {
  read,
  read_write,
  create  ///< read_write, must not exist
};
enum class Cache : std::uint8_t {
  direct,   ///< O_DIRECT where the filesystem has it, else buffered (said once in the log)
  buffered  ///< page cache: small control files, RocksDB
};

struct Space {
  std::uint64_t total_bytes = 0, free_bytes = 0;  ///< free: available to this process
};

/// One drive directory. Paths are relative to it, '/' separated, without ".." components. All
/// calls block: start-up, recovery, and the blocking pool only. Thread-safe.
class Disk {
 public:
  Disk() : Disk(std::make_shared<DiskHealth>()) {}
  /// For a disk in front of another, whose health is its own.
  explicit Disk(std::shared_ptr<DiskHealth> health) : x_health(std::move(health)) {}
  virtual ~Disk() = default;
  virtual std::string_view name() const = 0;  ///< the configured path, for messages
  virtual DiskStats& stats() = 0;
  /// For a disk in front of this one, which outlives it; without ownership unless overridden.
  virtual std::shared_ptr<DiskStats> share_stats() {
    return std::shared_ptr<DiskStats>(std::shared_ptr<void>(), &stats());
  }
  /// Outlives the disk with whoever keeps it: transfers that never end are not waited for.
  const std::shared_ptr<DiskHealth>& health() const { return x_health; }

  virtual Result<std::unique_ptr<File>> open(std::string_view path, Access access, Cache cache) = 0;
  /// Creates (or overwrites) a zero-filled file of `size` bytes with every block written, then
  /// fsyncs file and directory: later O_DIRECT|O_DSYNC writes into it need no journal commit.
  virtual Result<void> prewrite(std::string_view path, std::uint64_t size) = 0;
  /// Asks whether the drive takes writes: makes a small file, durably, and calls `answered` then,
  /// also after an error, on any thread; never while the drive hangs. Does not block on real
  /// drives.
  virtual void probe(std::string_view path, std::move_only_function<void()> answered) {
    [[maybe_unused]] const auto written = prewrite(path, kIoAlign);
    answered();
  }
  /// Atomic; both directories are fsynced before it returns. `to` is replaced if it exists.
  virtual Result<void> rename(std::string_view from, std::string_view to) = 0;
  /// Unlinks a file and fsyncs its directory; not_found if absent.
  virtual Result<void> remove(std::string_view path) = 0;
  /// Creates one directory (parents must exist) and fsyncs the parent; ok if it exists.
  virtual Result<void> make_dir(std::string_view path) = 0;
  /// Removes a directory and all below it; ok if absent.
  virtual Result<void> remove_tree(std::string_view path) = 0;
  virtual Result<void> sync_dir(std::string_view path) = 0;
  /// Names (not paths) in a directory, sorted, without "." and ".."; not_found if absent.
  virtual Result<std::vector<std::string>> list(std::string_view path) = 0;
  virtual Result<bool> exists(std::string_view path) = 0;
  virtual Result<Space> space() = 0;
  /// Takes the exclusive lock on the drive for this process; already_exists when another holds it.
  virtual Result<void> lock() = 0;
  /// The drive was given up, and is not used again through this disk: its lock goes with the last
  /// file, call and transfer of it, for whoever opens the drive anew. All calls but name() and
  /// stats() fail from here on. Idempotent.
  virtual void retire() {}
  /// It was retired, and nobody holds anything of it any more, nor does the kernel: nothing that
  /// was begun through it can reach the drive.
  virtual bool released() const { return false; }
  /// True while the drive directory that was opened is still the one at its path: false after it
  /// was removed, renamed, unmounted or replaced.
  virtual bool present() = 0;
  /// Absolute path for libraries that open files themselves (RocksDB); empty in simulation.
  virtual std::string native_path(std::string_view path) const = 0;
  /// Filesystem id (st_dev) of the directory and of its parent, to find an unmounted drive whose
  /// path is now a plain directory on the root filesystem.
  virtual std::uint64_t filesystem_id() const = 0;
  virtual std::uint64_t parent_filesystem_id() const { return filesystem_id(); }

 private:
  const std::shared_ptr<DiskHealth> x_health;
};

enum class OpKind : std::uint8_t { read, write, sync };

/// One transfer. `buffer` is the memory and the length; the back end holds a share until the
/// kernel is done with it. A short transfer is an io_error (read past the end: corrupt).
struct IoOp {
  OpKind kind = OpKind::read;
  File* file = nullptr;
  std::uint64_t offset = 0;
  Buffer buffer;
  bool durable = false;  ///< write: complete only when on stable storage (RWF_DSYNC)
  /// Read: timed_out when the drive is late with it and the data can be had elsewhere.
  bool hedged = false;
  Result<void> result;  ///< set before `done`
};

/// One worker's submission queue. Used only on that worker's thread.
class IoBackend {
 public:
  virtual ~IoBackend() = default;
  virtual std::string_view name() const = 0;  ///< "uring", "threads", "sim"
  /// Any thread. Hedged reads are given up while at most so many drives are late: more, and it is
  /// not them.
  virtual void set_hedge(unsigned drives) = 0;
  /// Starts all ops (in no order) and calls `done` once, on this worker, when the last has its
  /// result. `ops` stays valid and unmoved until then. An op on a drive that was given up fails
  /// with io_error, whatever the kernel does with it: it holds shares of memory and descriptor.
  virtual void submit(std::span<IoOp> ops, std::move_only_function<void()> done) = 0;
};

/// Submits and suspends until every op has its result; look at each op's result.
Async<> run(IoBackend& backend, std::span<IoOp> ops);

/// The drive directory at `path`, which must exist. `keep` is held until the call that opens it has
/// ended, which may be never where the drive hangs.
Result<std::unique_ptr<Disk>> open_posix_disk(std::string path,
                                              std::shared_ptr<const void> keep = nullptr);

enum class BackendKind : std::uint8_t { automatic, uring, threads };
/// automatic: io_uring where the kernel allows it, else threads. `io` is the worker's io_context.
Result<std::unique_ptr<IoBackend>> make_backend(BackendKind kind, asio::io_context& io);

}  // namespace outcrop::io
