// Inode numbers: one atomic add, from blocks that are reserved durably before use and never again.
#pragma once
#include <atomic>
#include <cstdint>

#include "storage/meta/meta_store.h"
#include "storage/ns/lock_table.h"

namespace outcrop::ns {

class InodeAllocator {
 public:
  InodeAllocator(meta::MetaStore& meta, LockTable& locks, std::uint64_t block)
      : x_meta(meta), x_locks(locks), x_block(block) {}

  /// Reserves a block, whatever an earlier boot left of its own.
  Task<> open();
  /// The first of `count` consecutive new numbers. Call it without locks held.
  Task<InodeId> allocate(std::uint32_t count = 1);

 private:
  Task<> reserve(std::uint64_t count);

  meta::MetaStore& x_meta;
  LockTable& x_locks;
  const std::uint64_t x_block;
  std::atomic<std::uint64_t> x_next{0};
  std::atomic<std::uint64_t> x_limit{0};
};

/// The system record that says which numbers are taken.
std::string inode_counter_key();

}  // namespace outcrop::ns
