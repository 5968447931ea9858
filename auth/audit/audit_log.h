// The audit log: a bounded queue that any worker puts events into, and one thread that chains them,
// writes them and rotates the files.
//
// What is promised: record() takes a lock for the time of a push and never waits for a drive.
// Events come out in the order in which they went in. One that finds the queue full (the drive is
// full or hangs, or is too slow) is dropped and counted. So is what is denied, or fails without an
// authenticated identity, more often than kMaxDenialsPerSecond: nobody without rights can push the
// rest out of the files. The counts are in an audit.gap line where the events are missing. A
// process that is killed loses what it had in the queue, some 20 ms of events.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "auth/audit/audit_file.h"
#include "auth/audit/event.h"
#include "storage/base/clock.h"

namespace outcrop::audit {

enum class Sync : std::uint8_t {
  batch,   ///< before the next batch is taken
  second,  ///< at most a second after the write
  never,   ///< when a file is rotated or closed
};

inline constexpr unsigned kMaxDenialsPerSecond = 200;

struct Options {
  std::filesystem::path folder;
  FileLimits limits;
  std::size_t queue_bytes = 8 << 20;
  Sync sync = Sync::second;
};

struct Stats {
  std::uint64_t written = 0;     ///< lines
  std::uint64_t dropped = 0;     ///< for want of room
  std::uint64_t suppressed = 0;  ///< denials beyond kMaxDenialsPerSecond
  std::uint64_t write_errors = 0;
  std::uint64_t syncs = 0;  ///< that the policy asked for
  std::uint64_t queued_bytes = 0;
};

class AuditLog final : public Sink {
 public:
  /// `clock` is borrowed. Errc::config, see AuditFile::open().
  static Result<std::unique_ptr<AuditLog>> open(Options options, const Clock& clock);
  /// Writes what is queued, as far as the drive takes it at once.
  ~AuditLog() override;
  AuditLog(const AuditLog&) = delete;

  void record(const Event& event) override;
  /// Waits until everything recorded before was written or could not be. For tests and shutdown.
  void flush();
  Stats stats() const;

 private:
  struct Item {
    std::string body;
    std::size_t charged = 0;  ///< of the queue's bytes; the log's own marks are not
  };
  AuditLog(Options options, const Clock& clock, AuditFile file, AuditFile::Found found);
  bool admit_locked(const Event& event);
  void run();
  /// Moves the queue to the backlog, and says what is missing behind it.
  void take_locked();
  /// Whether the whole backlog is in the file.
  bool write_backlog();
  Result<void> write_chunk();
  void sync_if_due(bool idle);

  const Options x_options;
  const Clock& x_clock;

  mutable std::mutex x_mutex;
  std::condition_variable x_wake, x_written;
  std::deque<Item> x_queue;
  std::size_t x_queued_bytes = 0;
  std::uint64_t x_missing = 0, x_missing_denials = 0;  ///< since the last audit.gap
  std::int64_t x_denial_second = 0;
  unsigned x_denials = 0;
  std::uint64_t x_pushed = 0, x_settled = 0;  ///< events, for flush()
  bool x_stopping = false;
  Stats x_stats;

  // Of the thread.
  AuditFile x_file;
  Link x_at;
  std::deque<Item> x_backlog;
  bool x_failing = false, x_unsynced = false;
  std::int64_t x_synced_ns = 0;
  std::thread x_thread;
};

}  // namespace outcrop::audit
