// Bytes in memory: spans for calls that return at once, Buffer for I/O that completes later.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "storage/base/assert.h"

namespace outcrop {

using ConstBytes = std::span<const std::byte>;
using MutBytes = std::span<std::byte>;
using ByteVector = std::vector<std::byte>;

/// Alignment of every disk transfer: O_DIRECT needs it, and no two acked records share a block.
inline constexpr std::size_t kIoAlign = 4096;

constexpr std::uint64_t align_up(std::uint64_t n, std::uint64_t to) {
  return (n + to - 1) / to * to;
}
constexpr std::uint64_t align_down(std::uint64_t n, std::uint64_t to) { return n / to * to; }

inline ConstBytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ConstBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A share of one 4 KiB-aligned block of memory from the process pool (buffer_pool.cpp). Copying
/// copies the handle; the block goes back to the pool with the last one. An I/O operation holds a
/// share until its completion, so memory the kernel may touch is never reused. Any thread.
class Buffer {
 public:
  Buffer() = default;
  /// Uninitialised, aligned to kIoAlign, of at least `size` bytes; size() is exactly `size`.
  static Buffer make(std::size_t size);
  static Buffer zeroed(std::size_t size);
  static Buffer copy_of(ConstBytes bytes);
  /// A copy in plain memory of just that size: what is kept for long, and no drive ever touches.
  /// Not aligned, not counted in buffer_bytes_in_use().
  static Buffer unpooled(ConstBytes bytes);

  Buffer slice(std::size_t offset, std::size_t length) const {
    OUTCROP_ASSERT(offset + length <= x_size);
    Buffer part = *this;
    part.x_data = x_data + offset;
    part.x_size = length;
    return part;
  }
  /// The same share with `n` bytes more at its end, which lie within the block.
  Buffer grown(std::size_t n) const {
    Buffer more = *this;
    more.x_size = x_size + n;
    return more;
  }
  ConstBytes view() const { return {x_data, x_size}; }
  /// The writer of a fresh buffer; the caller sees to it that nobody reads at the same time.
  MutBytes writable() const { return {x_data, x_size}; }
  std::byte* data() const { return x_data; }
  std::size_t size() const { return x_size; }
  /// Bytes of memory that this share keeps alive: those of the whole block.
  std::size_t pinned_bytes() const;
  explicit operator bool() const { return x_data != nullptr; }

 private:
  std::shared_ptr<std::byte> x_block;
  std::byte* x_data = nullptr;
  std::size_t x_size = 0;
};

/// The memory that io_uring registers as fixed buffers: blocks up to its size come from here.
struct PoolRegion {
  std::byte* base = nullptr;
  std::size_t size = 0;
};

/// Sets the size of the pooled region; called once, before the first Buffer. Without it (tools,
/// tests) every Buffer is a plain aligned allocation.
void configure_buffer_pool(std::size_t region_bytes);
PoolRegion buffer_pool_region();
/// Bytes of Buffers alive now, pooled or not; for metrics and the memory limit.
std::size_t buffer_bytes_in_use();

}  // namespace outcrop
