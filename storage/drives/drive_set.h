// The drives of one cluster: identity by superblock, membership by epoch record. Drives are known
// by slot, a number that a drive keeps for life; paths and their order do not matter. States:
// docs/adr/0004-drives-and-repair.md.
#pragma once
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/ids.h"
#include "storage/base/random.h"
#include "storage/base/result.h"
#include "storage/io/disk.h"

namespace outcrop::drives {

using Slot = std::uint8_t;
inline constexpr unsigned kMaxDrives = 64;

struct Member {
  Uuid uuid;               ///< nil: nobody has this slot
  bool live = true;        ///< false: missing, ejected or stale; holds no current metadata
  bool returning = false;  ///< live after it was out: not settled yet which shards missed writes
  bool draining = false;   ///< nothing new is put on it; what is there moves away
  /// It left, and what it had of the metadata is not on m+1 others again: more than m of these are
  /// more than may be lost, and no epoch says so.
  bool missed = false;
  bool operator==(const Member&) const = default;
};

/// The membership of one epoch, written to every reachable drive before the first ack under it.
/// A drive whose newest record is older than the others' is stale.
struct EpochRecord {
  Uuid cluster;
  std::uint64_t epoch = 0;
  unsigned parity = 0;          ///< m
  std::vector<Member> members;  ///< by slot
  std::vector<Slot> mirrors;    ///< slots that hold a metadata mirror of this epoch
  bool operator==(const EpochRecord&) const = default;
};

struct Found;  // identity.h

struct DriveOptions {
  /// With m or fewer live drives go on with the parity that is left, instead of refusing writes.
  bool allow_reduced_redundancy = false;
  /// Where the newest epoch is kept as well (state_dir): the third party that tells which half of
  /// the drives may start alone. Outlives the set; null: none.
  io::Disk* witness = nullptr;
};

/// Default parity by number of drives: 1 -> 0, 2-3 -> 1, 4-11 -> 2, 12+ -> 3.
unsigned default_parity(std::size_t drives);

/// Thread-safe. Calls marked "blocking" write to drives: start-up and the blocking pool only.
class DriveSet {
 public:
  /// Writes superblocks and the first epoch record to blank directories. Refuses any that is not
  /// empty, or two that are the same directory. Blocking.
  static Result<void> format(std::span<const std::unique_ptr<io::Disk>> disks,
                             unsigned parity,
                             Random& random);
  /// Reads the superblocks, locks the drives, finds the newest epoch, marks members that are
  /// absent, blank or damaged as not live, takes stale ones back as returning members without
  /// metadata, leaves out drives that are no members any more, and writes the resulting epoch if it
  /// changed. Refuses foreign and cloned drives, and too few of the newest epoch's live members
  /// (identity.h). Blocking.
  static Result<std::unique_ptr<DriveSet>> open(std::vector<std::unique_ptr<io::Disk>> disks,
                                                DriveOptions options = {});

  /// Slots are below this; it grows when a drive joins.
  std::size_t slots() const { return x_slots.load(std::memory_order_acquire); }
  /// Null for a member that was never here. Another one once the drive was taken back; what was
  /// once returned stays valid.
  io::Disk* disk(Slot slot) const { return x_disk[slot].load(std::memory_order_acquire); }
  bool live(Slot slot) const { return x_live[slot].load(std::memory_order_acquire); }
  bool draining(Slot slot) const { return x_draining[slot].load(std::memory_order_acquire); }
  std::vector<Slot> live_slots() const;
  /// Where new data goes: live and not draining.
  std::vector<Slot> placement_slots() const;
  unsigned parity() const { return x_parity; }
  /// The parity of what is written over `live` drives: m, or what is left of it where reduced
  /// redundancy is allowed. Empty: too few drives for writes, or more have failed than an epoch may
  /// leave out.
  std::optional<unsigned> write_parity(std::size_t live) const;
  /// read_only, with the reason for which write_parity() is empty.
  Error no_writes() const;
  const Uuid& cluster() const { return x_cluster; }
  EpochRecord record() const;  ///< a copy of the last that is published; never waits for drives
  std::uint64_t epoch() const { return x_epoch.load(std::memory_order_acquire); }
  /// Slots that were part of the newest epoch found on disk at open, before this boot changed
  /// anything: only their journals and mirrors count at replay.
  const std::vector<Slot>& current_at_open() const { return x_current_at_open; }

  /// Drives that were blank at open, locked: new, a mount that failed, or on their way to join when
  /// the power went. Once.
  std::vector<std::unique_ptr<io::Disk>> take_blank() { return std::exchange(x_blank, {}); }

  /// Takes a drive out after an I/O error: not live and given up at once, then the next epoch is
  /// written to every live drive. Idempotent. After it returned ok, work on the remaining drives
  /// may be acked. read_only when the drives that are left are too few for writes, or may lack
  /// metadata: then no epoch names them alone, and a start with all drives finds what it was.
  /// Blocking.
  Result<void> eject(Slot slot, const Error& why);
  /// Publishes a new set of metadata mirrors as the next epoch. Blocking.
  Result<void> set_mirrors(std::vector<Slot> mirrors);
  /// Makes a blank drive, or one that this cluster has removed, a live member. invalid_argument
  /// with what to do for any other. The member that it `replaces`, if any, drains from the same
  /// epoch on. Blocking.
  Result<Slot> join(std::unique_ptr<io::Disk> disk,
                    Random& random,
                    std::optional<Slot> replaces = std::nullopt);
  using TakeStock = std::function<Result<void>(Slot, const std::function<void()>& show)>;
  /// The slot of the member that a disk says it is: it need not be away. Reads, and locks nothing.
  /// Blocking.
  std::optional<Slot> whose(io::Disk& disk) const;
  /// Makes a drive of this cluster that is away, and here again, a live member that is returning:
  /// with the checks of a start, and without metadata. `take_stock` is called before the epoch that
  /// says so, when live(slot) is false; disk(slot) is the new one once it has called `show`.
  /// Nothing of its earlier life may be in use (Disk::released), and what it had of the metadata
  /// must be on the others; errors: unavailable, when it is too early for it; read_only, as for
  /// eject(); else the drive is at fault, and what was opened is let go. Blocking.
  Result<Slot> take_back(std::unique_ptr<io::Disk> disk, const TakeStock& take_stock);
  /// Whether a start that finds the drives that are live now, and these, would take writes: by what
  /// is written on them. The error says what is lacking. Reads only. Blocking.
  Result<void> would_start(std::span<io::Disk* const> others) const;
  /// Starts or ends draining; not_found for a slot without a member. Blocking.
  Result<void> set_draining(Slot slot, bool draining);
  /// Forgets a member; the caller has seen to it that no record names its slot. Blocking.
  Result<void> remove(Slot slot);
  /// The mirrors hold durably what had been acknowledged when `seen` was the record: what left
  /// before that is not missed any more. Blocking if there is such a drive.
  Result<void> settle_metadata(const EpochRecord& seen);
  /// What returning drives missed is on record: they are plain live members now. Blocking.
  Result<void> settle_returning();
  /// Called on the thread that changed it after a drive left, joined, began or ceased to drain,
  /// and after settle_returning; add at start-up only. Must not block.
  void on_change(std::function<void(Slot)> listener);

 private:
  DriveSet() = default;
  Result<void> take_members(std::vector<std::unique_ptr<io::Disk>> disks,
                            const std::vector<Found>& found);
  void take_flags();
  void show();
  Result<void> publish(EpochRecord next);
  Result<void> check_losses(const EpochRecord& before, const EpochRecord& next);
  Result<void> tell_witness(const EpochRecord& before);
  EpochRecord next_record() const;
  Result<Slot> free_slot() const;
  Result<Slot> may_return(const Found& found, const io::Disk& disk) const;
  Result<void> publish_return(Slot slot, const Uuid& drive);
  Result<Slot> join_locked(std::unique_ptr<io::Disk> disk,
                           Random& random,
                           std::optional<Slot> replaces);
  void tell();

  std::vector<std::unique_ptr<io::Disk>> x_disks;  // all that were ever here, in no order
  std::vector<std::unique_ptr<io::Disk>> x_blank;
  std::array<std::atomic<io::Disk*>, kMaxDrives> x_disk{};
  std::array<std::atomic<bool>, kMaxDrives> x_live{}, x_draining{};
  std::atomic<std::size_t> x_slots{0};
  Uuid x_cluster;
  unsigned x_parity = 0;
  DriveOptions x_options;
  std::atomic<std::uint64_t> x_epoch{0};
  std::atomic<bool> x_beyond{false};  // more drives failed than an epoch may leave out
  std::vector<Slot> x_current_at_open;
  mutable std::mutex x_shown_mutex;  // guards x_shown
  EpochRecord x_shown;               // x_record for those who cannot wait for drives
  mutable std::mutex x_mutex;        // guards all below and the order of publications
  EpochRecord x_record;
  std::array<std::uint64_t, kMaxDrives> x_left{};  // the epoch by which a slot's drive last left
  std::vector<Slot> x_untold;                      // changed, listeners not called yet
  std::vector<std::function<void(Slot)>> x_listeners;
};

}  // namespace outcrop::drives
