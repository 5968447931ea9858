// One worker's way of making transactions durable: what arrives while a block is being written is
// the next block. One block in flight, no timers.
#pragma once
#include <deque>
#include <functional>

#include "storage/base/async.h"
#include "storage/meta/companion.h"
#include "storage/meta/journal_files.h"
#include "storage/meta/mirror_set.h"

namespace outcrop::meta {

/// What the committers of all workers share. Any thread.
struct CommitShared {
  drives::DriveSet& drives;
  JournalFiles& files;
  MirrorSet& mirrors;
  CommitCompanion& companion;
  BlockingPool& pool;
  const MetaConfig& config;
  std::function<void()> request_checkpoint;  ///< soon; must not block
  std::function<Task<>()> checkpoint;        ///< now
  std::atomic<Sequence> next_sequence{1};
  std::function<void()> settle_doubts;  ///< calls settle_doubt() of every committer, soon
  std::atomic<bool> failed{
      false};                     ///< a durable block is not in the index: no commit until restart
  std::atomic<bool> held{false};  ///< see JournaledMetaStore::hold
  /// A checkpoint waits for blocks that are being written: when one is through, another is due.
  std::atomic<bool> checkpoint_after_block{false};
  std::atomic<unsigned> doubts{
      0};  ///< workers in doubt (Committer::settle_doubt): no commit for now
  std::atomic<std::uint64_t> blocks{0}, transactions{0}, journal_bytes{0}, failed_blocks{0};
  std::atomic<std::uint64_t> block_ns{0};  ///< from the first write of a block until it is durable
  std::array<std::atomic<std::uint64_t>, 17> block_sizes{};
};

/// Used on its worker's thread only, but for applied().
class Committer {
 public:
  Committer(unsigned worker, MetaWorker at, CommitShared& shared, Sequence floor);

  /// A generation made at start-up, so that the first commit need not wait. Before any commit.
  void give_generation(GenerationPtr generation) { x_current = std::move(generation); }
  /// See MetaStore::commit.
  Task<> commit(Batch batch);
  /// A block that was given up may lie on some drives, where the next start would find it. Nothing
  /// is committed until another block has been written that passes over it: its `previous` names
  /// the block before. Tries to write that one, if it is needed and nothing else runs.
  void settle_doubt();
  /// Gives up generations with a file on a drive that left or drains. True if one with a file on
  /// `slot` is in use all the same: a block is being written, or a file being prepared.
  bool leave(drives::Slot slot);
  /// Lets the blocks in flight finish; later commits are refused.
  Task<> close();
  /// Every transaction of this worker up to here is in the mirrors or their queues. Any thread.
  Sequence applied() const { return x_applied.load(std::memory_order_acquire); }
  /// No transaction behind this one has been given to any drive. Any thread.
  Sequence handed() const { return x_handed.load(std::memory_order_acquire); }

 private:
  struct Pending {
    Sequence sequence = 0;
    std::string encoded;
    std::vector<Mutation> mutations;
    Resume<void> resume;
  };
  struct Block {
    std::vector<Pending> transactions;
    BlockHeader header;
    std::size_t payload_bytes = 0;
    std::uint64_t bytes() const;
  };
  struct Written {
    std::size_t holders = 0;  ///< live drives that have the block
    bool complete = false;    ///< all replicas have it
    bool in_doubt = false;    ///< the next start may find it on a drive that is current then
  };

  Task<> run();
  Block take_block();
  BlockHeader next_header(Sequence last) const;
  Task<> commit_block(Block& block);
  Task<> pass_over();
  void doubt();
  void fail_queue(const Error& why);
  Task<> write_block(Block& block, bool with_companion);
  Async<Written> write_replicas(Block& block, std::vector<io::IoOp>& ops, std::size_t companions);
  Task<Written> write_once(Block& block, bool with_companion);
  Task<> ensure_room(std::uint64_t bytes);
  Task<> next_generation();
  Task<> wait_for_next();
  void prepare_in_background();
  Task<> prepare();
  void retire_current();
  Task<> apply(Block& block);
  void count(const Block& block);

  const unsigned x_worker;
  const MetaWorker x_at;
  CommitShared& x_shared;
  TaskGroup x_tasks;
  std::deque<Pending> x_queue;
  bool x_running = false;
  bool x_closed = false;
  bool x_doubt = false;

  GenerationPtr x_current;
  GenerationPtr x_next;
  bool x_preparing = false;
  Result<void> x_prepared;        ///< of the last prepare()
  Resume<void> x_prepare_waiter;  ///< only run() waits
  Sequence x_last = 0;            ///< of the last block that succeeded
  std::atomic<Sequence> x_applied{0}, x_handed{0};
};

}  // namespace outcrop::meta
