// Bytes read from a connection and not used yet: the head being collected, and what came behind it.
// Its memory is borrowed from the worker only while there is something in it.
#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "server/framing.h"
#include "storage/base/bytes.h"

namespace outcrop::server {

/// Blocks for InBuffers, reused while warm in the worker's cache. One worker's thread only.
class BlockPool {
 public:
  /// Exactly the largest head: a full block without a blank line in it is a head too large.
  static constexpr std::size_t kBlock = kMaxHeadBytes;
  static constexpr std::size_t kKept = 64;
  using Block = std::unique_ptr<std::byte[]>;

  Block take() {
    if (x_free.empty()) {
      return std::make_unique_for_overwrite<std::byte[]>(kBlock);
    }
    Block b = std::move(x_free.back());
    x_free.pop_back();
    return b;
  }
  void give_back(Block block) {
    if (x_free.size() < kKept) {
      x_free.push_back(std::move(block));
    }
  }

 private:
  std::vector<Block> x_free;
};

class InBuffer {
 public:
  explicit InBuffer(BlockPool& pool) : x_pool(pool) {}
  ~InBuffer() { release(); }
  InBuffer(const InBuffer&) = delete;

  std::string_view view() const {
    return {reinterpret_cast<const char*>(x_block.get()) + x_begin, x_end - x_begin};
  }
  bool empty() const { return x_begin == x_end; }
  void consume(std::size_t n) {
    OUTCROP_ASSERT(n <= x_end - x_begin);
    x_begin += n;
  }
  /// Room for more bytes, behind those that are there; empty when a whole block is in use.
  MutBytes room() {
    if (!x_block) {
      x_block = x_pool.take();
    }
    if (x_begin > 0) {
      std::memmove(x_block.get(), x_block.get() + x_begin, x_end - x_begin);
      x_end -= std::exchange(x_begin, 0);
    }
    return {x_block.get() + x_end, BlockPool::kBlock - x_end};
  }
  void filled(std::size_t n) { x_end += n; }
  /// Gives the memory back; what is in it is lost.
  void release() {
    if (x_block) {
      x_pool.give_back(std::move(x_block));
    }
    x_begin = x_end = 0;
  }

 private:
  BlockPool& x_pool;
  BlockPool::Block x_block;
  std::size_t x_begin = 0, x_end = 0;
};

}  // namespace outcrop::server
