// Drives in memory for crash and fault tests: every mutating I/O step is counted and can be the one
// at which the power goes, writes sit in a volatile cache until synced, and errors are injected.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/io/disk.h"

namespace outcrop::io {

enum class SimStep : std::uint8_t {
  read,  ///< not counted: a crash at a read is a crash before the next step
  create,
  write,
  truncate,
  punch,
  sync,
  prewrite,
  rename,
  remove,
  make_dir,
  remove_tree,
  sync_dir
};

/// What a step is about, for predicates and rules. `path` borrowed for the call.
struct SimStepInfo {
  unsigned drive = 0;
  SimStep step = SimStep::read;
  std::string_view path;
  bool durable = false;  ///< a durable write
};

enum class CrashMode : std::uint8_t {
  before,  ///< the step has no effect
  after,   ///< it has its full effect and nobody hears of it
  torn     ///< a random subset of its 512-byte sectors; so for the writes in flight beside it
};

/// Fails the steps it matches. Empty members match everything.
struct SimErrorRule {
  std::optional<unsigned> drive{};
  std::optional<SimStep> step{};
  std::string path_part{};      ///< substring of the path
  Errc error = Errc::io_error;  ///< io_error (EIO) or no_space (ENOSPC)
  bool once = false;            ///< spent by its first match; otherwise sticky
  unsigned skip = 0;            ///< lets this many matches pass first
};

/// A set of simulated drives and their power supply. What survives a power cut, by file: sectors
/// of durable writes and of synced files; by directory: entries synced with sync_dir, or in the
/// calls of Disk that promise it. rename is atomic, also across directories.
///
/// Copies are worlds of their own: clone() shares unmodified 4 KiB pages (copy on write), so tests
/// set up once and re-run thousands of crash points from clones. Handles keep the world alive. All
/// calls are thread-safe; runs are reproducible when driven from one thread.
class SimWorld {
 public:
  explicit SimWorld(unsigned drives, std::uint64_t seed = 1);
  ~SimWorld();
  SimWorld(SimWorld&&) noexcept;
  SimWorld& operator=(SimWorld&&) noexcept;

  /// A copy as if the running process stopped now (caches intact, locks free): the same files and
  /// lost drives, no faults planned, io_count() 0. Power-cut it with reboot().
  SimWorld clone(std::uint64_t seed) const;

  unsigned drives() const;
  unsigned add_drive();  ///< a blank one; its number
  /// Fresh handles, as a starting process opens them. A drive that is removed opens not_found.
  Result<std::unique_ptr<Disk>> open_disk(unsigned drive);
  std::vector<std::unique_ptr<Disk>> open_disks();  ///< all that are not removed
  /// Applies ops in seeded order, one per turn of `io`.
  std::unique_ptr<IoBackend> make_backend(asio::io_context& io);

  /// Mutating steps since construction or clone(), on all drives.
  std::uint64_t io_count() const;
  /// The n-th step from now (1: the next one) is the last: it and all later calls fail with
  /// io_error until reboot(). 0 cancels.
  void crash_at(std::uint64_t n, CrashMode mode);
  void crash_now();  ///< before whatever comes next
  bool crashed() const;
  /// Power cut and restart: each file keeps a seeded part of its unsynced sectors, each directory
  /// a seeded prefix of its unsynced changes. Handles from before stay dead; locks are free;
  /// error rules and skip_sync stay; drives that hung answer again.
  void reboot(std::uint64_t seed);

  /// Steps for which this is true claim to sync but do not (sync, sync_dir, the directory syncs of
  /// rename and the others, durable writes): twin tests that must fail use it. Null: none.
  void skip_sync(std::function<bool(const SimStepInfo&)> skip);
  void add_error(SimErrorRule rule);
  void clear_errors();
  /// Fails every call on the drive and makes present() false, until restored.
  void remove_drive(unsigned drive);
  void restore_drive(unsigned drive);
  /// From now on transfers never end, until the drive is given up (health.h), except hedged reads,
  /// which are late, and synchronous calls, which fail. No time passes meanwhile.
  void hang_drive(unsigned drive);
  void wake_drive(unsigned drive);  ///< it answers again
  /// The drive's own power cut: what it had not on stable storage goes as in reboot(), handles from
  /// before stay dead, and it can be opened again, also after remove_drive().
  void replug_drive(unsigned drive, std::uint64_t seed);
  void set_space(unsigned drive, Space space);  ///< what Disk::space() says
  /// From now on Disk::space() counts the files against this, and none is written beforehand that
  /// does not fit. 0: set_space() says it.
  void set_size(unsigned drive, std::uint64_t bytes);
  /// Flips every bit of a range of a file, cached and durable; false if there is no such range.
  bool corrupt(unsigned drive, std::string_view path, std::uint64_t offset, std::uint64_t length);
  /// Reads of these 4 KiB pages of a file fail with EIO; if it `heals`, until they are written.
  /// False if there is no such file.
  bool make_unreadable(unsigned drive,
                       std::string_view path,
                       std::uint64_t offset,
                       std::uint64_t length,
                       bool heals = true);

  class State;

 private:
  explicit SimWorld(std::shared_ptr<State> state);
  std::shared_ptr<State> x_state;
};

}  // namespace outcrop::io
