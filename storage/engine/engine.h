// The storage engine put together: drives, metadata, payload, namespace, and their background work,
// opened and closed in the right order. The only storage type that server/ needs besides ns.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/async.h"
#include "storage/base/clock.h"
#include "storage/base/floored_clock.h"
#include "storage/base/random.h"
#include "storage/io/disk.h"
#include "storage/meta/meta_store.h"
#include "storage/ns/file_system.h"
#include "storage/ns/key_ring.h"
#include "storage/ns/namespace.h"
#include "storage/ns/quota_groups.h"

namespace outcrop::engine {

struct EngineConfig {
  std::uint64_t segment_bytes = 0;       ///< shard file size; 0: by drive capacity, 16 MiB - 1 GiB
  std::uint64_t cache_bytes = 64 << 20;  ///< RocksDB block cache and memtables together
  std::uint64_t object_cache_bytes = 48 << 20;   ///< decoded object records
  std::uint64_t payload_cache_bytes = 16 << 20;  ///< payloads of small objects
  std::uint64_t write_buffer_bytes = 64 << 20;   ///< written to files and not durable yet
  std::uint64_t extent_cache_bytes = 16 << 20;   ///< verified chunks of striped payload
  std::uint64_t min_part_bytes =
      ns::kMinPartBytes;               ///< multipart parts but the last; tests lower it
  std::uint64_t journal_bytes = 0;     ///< one journal file of a few per worker; 0: by capacity
  std::uint64_t table_file_bytes = 0;  ///< RocksDB's files; by capacity
  std::uint64_t most_memtable_bytes = UINT64_MAX;  ///< RocksDB keeps room for several; by capacity
  bool allow_reduced_redundancy = false;           ///< drives::DriveOptions
  std::uint64_t scrub_period_seconds = 14 * 86'400;  ///< every byte is read this often; 0: never
  bool recount = false;                              ///< ns::NamespaceConfig
  bool trust_clock = false;  ///< the machine's, also if it is behind EngineRuntime::floor
  /// A drive that has been away for so long is taken back when it is there again; longer if it
  /// keeps leaving (return_policy.h).
  std::int64_t return_wait_ns = 5'000'000'000;
  /// A missing drive gets so long to come back or to be replaced before large objects are written
  /// anew over the drives that are left; since the start, if that was later. 0: they never are.
  std::int64_t restripe_after_ns = 1'800'000'000'000;
  /// Data is spread over drives that were added when they have been the same for so long. 0: never.
  std::int64_t rebalance_after_ns = 600'000'000'000;
  /// EngineRuntime::restart is not asked sooner: a process that was started lately is not worth
  /// another start.
  std::int64_t least_uptime_ns = 30'000'000'000;
  /// Starts without the work that changes data by itself, and takes no writes, until resume().
  bool read_only = false;
  bool background = true;  ///< timers for GC, drive checks, repair; off in simulation
};

/// What the engine runs on; owned by the caller, outlives the engine.
struct EngineRuntime {
  const Clock& clock;
  Random& random;
  BlockingPool& pool;
  std::vector<asio::io_context*> workers;  ///< by worker index
  std::vector<io::IoBackend*> backends;    ///< by worker index
  io::Disk* state_dir = nullptr;  ///< keeps the newest epoch, too; drives::DriveOptions::witness
  /// Told of each drive that is no member any more, by its uuid, once that is durable. On the pool;
  /// may be empty. Its error is that of what was done; the drive is forgotten all the same.
  std::function<Result<void>(const std::string& uuid)> forgotten{};
  /// Opens the directories in which drives of the store may be, but those of these names: where one
  /// that is away is looked for. On the pool; empty: nowhere.
  std::function<std::vector<std::unique_ptr<io::Disk>>(const std::vector<std::string>& in_use)>
      look{};
  /// Of a drive that is blank at the start: the uuid of the one that it was to replace, when its
  /// joining was cut off. On the pool; may be empty, and so may the answer.
  std::function<std::string(const std::string& path)> replaces{};
  /// Told of each drive that was taken back. On the pool; may be empty.
  std::function<void(const std::string& path, const std::string& uuid)> returned{};
  /// The store takes no writes any more, and would after a new start: asks for one, once. Worker 0;
  /// may be empty.
  std::function<void(const std::string& why)> restart{};
  /// Also `clock`, where it is one: its floor is kept with the metadata. Null in simulation.
  FlooredClock* floor = nullptr;
  ns::KeyRing* keys = nullptr;  ///< NamespaceConfig::keys
};

struct DriveStatus {
  unsigned slot = 0;
  std::string path, uuid;
  bool live = false, mirror = false;
  bool draining = false;   ///< nothing new is put on it
  bool returning = false;  ///< it is here again, and what it missed is not all on record yet
  std::string absence;     ///< of one that is away: what is awaited before it is taken back
  bool empty = false;      ///< drained: nothing that anybody needs is on it
  std::uint64_t shards = 0;
  bool safe_to_pull = false;
  std::string reason;  ///< why it is, or is not
  io::Space space;
  const io::DiskStats* stats = nullptr;  ///< null when missing
};

/// How whole the data is, and what is done about it. All of it from one look at the catalogue.
struct RepairStatus {
  std::uint64_t segments = 0;
  std::uint64_t degraded = 0;    ///< with a shard missing
  std::uint64_t moving = 0;      ///< with a shard on a drive that drains
  std::uint64_t unreadable = 0;  ///< with more shards missing than parity
  std::uint64_t damaged = 0;     ///< with data that the drives that are here cannot give
  std::uint64_t blocked = 0;     ///< degraded or moving, and no drive can take the shard
  std::uint64_t bytes_left = 0;  ///< to write, of what is degraded or moving and not blocked
  std::uint64_t bytes_done = 0;  ///< of this run of repair
  bool running = false;
  double bytes_per_second = 0;         ///< of this run
  std::optional<double> seconds_left;  ///< empty: not known
  std::uint64_t chunks_repaired = 0;   ///< damage rewritten, since the start
  std::uint64_t shards_moved = 0;      ///< rebuilt or drained, since the start
  std::uint64_t oldest_scrub = 0;      ///< Unix seconds: all data has been read since then
  std::uint64_t scrub_period_seconds = 0;
};

/// Why data that should lie over other drives moves there, or does not.
enum class MoveState : std::uint8_t {
  idle,  ///< there is nothing of the kind, nothing more can be done, or something else goes first
  waiting,  ///< for a drive: one that is missing, one in its place, or more after one that came
  running,
  no_room,  ///< it would take room that clients need, or that drives do not have
};

/// Restriping: data that no drive can complete is written anew over the drives that are left.
/// Rebalancing: data is spread over drives that are emptier than others.
struct MoveStatus {
  MoveState state = MoveState::idle;
  std::uint64_t segments = 0;  ///< to be written anew
  std::uint64_t shards = 0;    ///< to be moved as they are, as far as is known yet; restriping: 0
  double wait_seconds = 0;     ///< while it waits: until it begins
  /// Of this run. Payload at most, for segments may hold less, and shards.
  std::uint64_t bytes_left = 0, bytes_done = 0;
  double bytes_per_second = 0;
  std::optional<double> seconds_left;  ///< empty: not known
};

struct EngineStats {
  std::vector<DriveStatus> drives;
  std::uint64_t epoch = 0;
  unsigned parity = 0;
  bool writable = false;  ///< enough live drives, no fatal error, and not EngineConfig::read_only
  std::uint64_t commits = 0, commit_transactions = 0, journal_bytes = 0;
  std::array<std::uint64_t, 17> commit_sizes{};  ///< [i]: commits of 2^i up to 2^(i+1)-1
  std::uint64_t cache_hits = 0, cache_misses = 0;
  std::uint64_t payload_hits = 0, payload_misses = 0, payload_cache_bytes = 0;
  std::uint64_t segments_open = 0, segments_sealed = 0, segments_recycled = 0;
  std::uint64_t segments_compacted = 0, compacted_bytes = 0;
  std::uint64_t reconstructed_reads = 0, corrupt_reads = 0, hedged_reads = 0;
  std::uint64_t metadata_memory_bytes = 0;
  std::uint64_t clock_behind_seconds = 0;  ///< the machine's, behind the time that is used
  std::uint64_t segments_restriped = 0, restriped_bytes = 0;
  RepairStatus repair;
  std::uint64_t segments_widened = 0, shards_rebalanced = 0, rebalanced_bytes = 0;
  MoveStatus restripe;
  MoveStatus rebalance;
};

class Engine {
 public:
  /// Formats blank drive directories as a new cluster. `parity` empty: by number of drives.
  static Result<void> format(std::vector<std::unique_ptr<io::Disk>> disks,
                             std::optional<unsigned> parity,
                             Random& random);
  /// Recovers and opens. Runs on worker 0's io_context, before any worker serves. Error detail is
  /// one line for the operator.
  static Task<std::unique_ptr<Engine>> open(std::vector<std::unique_ptr<io::Disk>> disks,
                                            EngineConfig config,
                                            EngineRuntime runtime);
  virtual ~Engine() = default;

  virtual ns::Namespace& ns() = 0;
  virtual ns::FileSystem& files() = 0;  ///< the same tree
  virtual ns::QuotaGroups& quota_groups() = 0;
  /// For what is no part of the tree and has a table of its own (auth/identity).
  virtual meta::MetaStore& meta() = 0;
  virtual EngineStats stats() = 0;  ///< any thread
  /// Stores what files have in memory, finishes commits in flight, stops background work,
  /// checkpoints so that the next start has nothing to replay. Runs on worker 0 while the other
  /// workers still run.
  virtual Task<> close() = 0;
  /// Ends what EngineConfig::read_only began; else nothing. Worker 0.
  virtual void resume() = 0;
  /// One pass of garbage collection now, on worker 0: frees segments that no committed reference
  /// names.
  virtual Task<std::uint64_t> collect_garbage() = 0;
  /// One pass of compaction now: moves what lives out of sealed segments with at least this share
  /// of garbage (0..1), for garbage collection to free them.
  virtual Task<> compact(double garbage) = 0;

  // Drives. On worker 0, one call at a time. Errors: invalid_argument and conflict, with one line
  // for the operator; not_found for a slot without a drive.

  /// Makes a blank drive part of the cluster; repair begins to use it. Its slot. The one that it
  /// `replaces`, if any, drains from then on.
  virtual Task<unsigned> add_drive(std::unique_ptr<io::Disk> disk,
                                   std::optional<unsigned> replaces = std::nullopt) = 0;
  /// Moves everything off a drive, or (`on` false) stops that. A drive that is missing is forgotten
  /// once nothing is missing with it any more.
  virtual Task<> drain_drive(unsigned slot, bool on) = 0;
  /// Forgets a drive that is drained, or missing and replaced.
  virtual Task<> remove_drive(unsigned slot) = 0;
  /// One pass of repair now, as fast as it goes: all that is degraded or draining and that has
  /// somewhere to go. The number of segments it left whole.
  virtual Task<std::uint64_t> repair() = 0;
  /// Writes all anew that repair cannot complete and that has more parity then, now: what it leaves
  /// is garbage.
  virtual Task<> restripe() = 0;
  /// Spreads data over the drives that are here, now, as far as there is room: what it writes anew
  /// leaves garbage.
  virtual Task<> rebalance() = 0;
  /// Reads all that was last read `period_seconds` or longer ago, and repairs it; the mirrors of
  /// the metadata, too: one that is damaged leaves, and is built anew.
  virtual Task<> scrub(std::uint64_t period_seconds) = 0;
  /// Drives that have not answered for five seconds are given up; see io/health.h. Worker 0.
  virtual Task<> judge_drives() = 0;
  /// Takes drives back that were away and are there again, or asks for a new start where that needs
  /// one. Worker 0.
  virtual Task<> look_for_drives() = 0;
  /// Those that were given up leave. Worker 0.
  virtual Task<> eject_given_up() = 0;
};

}  // namespace outcrop::engine
