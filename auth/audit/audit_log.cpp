#include "auth/audit/audit_log.h"

#include "storage/base/log.h"

namespace outcrop::audit {
namespace {

constexpr std::chrono::milliseconds kCollect{20};  ///< one wake-up serves what comes meanwhile
constexpr std::chrono::seconds kRetry{1};
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kChunkBytes = 256 << 10;
constexpr std::size_t kOverhead = 3 * kHashDigits;  ///< of a line around its body

/// What anybody can cause who reaches a port, as often as the network carries it.
bool from_a_stranger(const Event& e) {
  const bool nobody = e.identity.empty() || e.identity == kAnonymous;
  return e.result == Decision::denied || (nobody && e.result != Decision::ok);
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(Options options, const Clock& clock) {
  AuditFile::Found found;
  TRY(AuditFile file, AuditFile::open(options.folder, options.limits, found));
  return std::unique_ptr<AuditLog>(
      new AuditLog(std::move(options), clock, std::move(file), std::move(found)));
}

AuditLog::AuditLog(Options options, const Clock& clock, AuditFile file, AuditFile::Found found)
    : x_options(std::move(options)),
      x_clock(clock),
      x_file(std::move(file)),
      x_at(std::move(found.last)) {
  const std::int64_t now = clock.wall_ns();
  if (found.damaged) {
    log::error("the audit log is damaged: a new chain starts", {});
    x_backlog.push_back({mark_body(kDamaged, "the last line before does not verify", {}, now)});
  }
  if (found.torn > 0) {
    x_backlog.push_back(
        {mark_body(kTorn, "a crash cut the last line off", {{"bytes", found.torn}}, now)});
  }
  x_backlog.push_back({mark_body(kStart, "", {}, now)});
  x_pushed = x_backlog.size();
  x_thread = std::thread([this] { run(); });
}

AuditLog::~AuditLog() {
  {
    const std::lock_guard lock(x_mutex);
    x_stopping = true;
  }
  x_wake.notify_all();
  x_thread.join();
}

// Under the lock. Denials, and what fails for nobody that is known, have a rate of their own, by
// the second.
bool AuditLog::admit_locked(const Event& event) {
  if (from_a_stranger(event)) {
    if (const std::int64_t second = x_clock.steady_ns() / kSecond; second != x_denial_second) {
      x_denial_second = second;
      x_denials = 0;
    }
    if (++x_denials > kMaxDenialsPerSecond) {
      ++x_missing_denials;
      ++x_stats.suppressed;
      return false;
    }
  }
  return true;
}

void AuditLog::record(const Event& event) {
  std::string body = body_of(event, x_clock.wall_ns());
  bool wake = false;
  {
    const std::lock_guard lock(x_mutex);
    if (!admit_locked(event)) {
      return;
    }
    const std::size_t bytes = body.size() + kOverhead;
    if (x_queued_bytes + bytes > x_options.queue_bytes) {
      ++x_missing;
      ++x_stats.dropped;
      return;
    }
    wake = x_queue.empty();
    x_queued_bytes += bytes;
    x_queue.push_back({std::move(body), bytes});
    ++x_pushed;
  }
  if (wake) {
    x_wake.notify_one();
  }
}

void AuditLog::flush() {
  std::unique_lock lock(x_mutex);
  const std::uint64_t wanted = x_pushed;
  const std::uint64_t errors = x_stats.write_errors;
  x_wake.notify_one();
  x_written.wait(lock, [&] { return x_settled >= wanted || x_stats.write_errors > errors + 1; });
}

Stats AuditLog::stats() const {
  const std::lock_guard lock(x_mutex);
  Stats out = x_stats;
  out.queued_bytes = x_queued_bytes;
  return out;
}

void AuditLog::take_locked() {
  std::ranges::move(x_queue, std::back_inserter(x_backlog));
  x_queue.clear();
  if (x_missing + x_missing_denials == 0) {
    return;
  }
  x_backlog.push_back({mark_body(kGap, "events that were not recorded",
                                 {{"dropped", std::exchange(x_missing, 0)},
                                  {"suppressed", std::exchange(x_missing_denials, 0)}},
                                 x_clock.wall_ns())});
  ++x_pushed;
}

// As many lines as fit into one write and into the file. On an error the chain stands where it did.
Result<void> AuditLog::write_chunk() {
  if (x_file.full(x_backlog.front().body.size() + kOverhead)) {
    TRYV(x_file.rotate());
  }
  Link at = x_at;
  std::string lines;
  std::size_t count = 0, charged = 0;
  for (const Item& item : x_backlog) {
    const std::size_t more = lines.size() + item.body.size() + kOverhead;
    if (count > 0 && (more > kChunkBytes || x_file.full(more))) {
      break;
    }
    lines += seal(item.body, at);
    charged += item.charged;
    ++count;
  }
  TRYV(x_file.append(lines));
  x_at = std::move(at);
  x_unsynced = true;
  x_backlog.erase(x_backlog.begin(), x_backlog.begin() + static_cast<std::ptrdiff_t>(count));
  const std::lock_guard lock(x_mutex);
  x_queued_bytes -= charged;
  x_settled += count;
  x_stats.written += count;
  return ok();
}

bool AuditLog::write_backlog() {
  while (!x_backlog.empty()) {
    if (const Result<void> written = write_chunk(); !written) {
      if (!std::exchange(x_failing, true)) {
        log::error("the audit log cannot be written",
                   {{"folder", x_options.folder.string()}, {"error", written.error().describe()}});
      }
      const std::lock_guard lock(x_mutex);
      ++x_stats.write_errors;
      return false;
    }
  }
  if (std::exchange(x_failing, false)) {
    log::info("the audit log is written again", {});
  }
  return true;
}

void AuditLog::sync_if_due(bool idle) {
  if (!x_unsynced || x_options.sync == Sync::never) {
    return;
  }
  const std::int64_t now = x_clock.steady_ns();
  if (x_options.sync == Sync::second && !idle && now - x_synced_ns < kSecond) {
    return;
  }
  const Result<void> synced = x_file.sync();
  if (!synced) {
    log::error("the audit log cannot be synced", {{"error", synced.error().describe()}});
  }
  {
    const std::lock_guard lock(x_mutex);
    ++(synced ? x_stats.syncs : x_stats.write_errors);
  }
  x_unsynced = false;
  x_synced_ns = now;
}

void AuditLog::run() {
  std::unique_lock lock(x_mutex);
  bool written = false;  // the first time: the marks of the start
  while (!x_stopping) {
    const auto something = [this] { return x_stopping || !x_queue.empty(); };
    bool idle = false;
    if (!written && x_failing) {
      x_wake.wait_for(lock, kRetry, [this] { return x_stopping; });
    } else if (written && x_unsynced && x_options.sync == Sync::second) {
      idle = !x_wake.wait_for(lock, kRetry, something);
    } else if (written) {
      x_wake.wait(lock, something);
    }
    if (!x_stopping && !idle && !x_failing) {
      x_wake.wait_for(lock, kCollect, [this] { return x_stopping; });
    }
    if (x_backlog.empty()) {
      take_locked();
    }
    lock.unlock();
    written = write_backlog();
    sync_if_due(idle || !written);
    lock.lock();
    x_written.notify_all();
  }
  take_locked();
  lock.unlock();
  x_backlog.push_back({mark_body(kStop, "", {}, x_clock.wall_ns())});
  if (!write_backlog()) {
    log::error("audit events are lost", {{"count", x_backlog.size()}});
  }
  if (const Result<void> synced = x_file.sync(); !synced) {
    log::error("the audit log cannot be synced", {{"error", synced.error().describe()}});
  }
  x_written.notify_all();
}

}  // namespace outcrop::audit
