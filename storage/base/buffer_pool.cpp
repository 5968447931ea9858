// The process-wide pool behind Buffer: power-of-two classes carved from one region, with a plain
// aligned allocation where the region is exhausted or not configured.
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <mutex>
#include <new>

#include "storage/base/bytes.h"

namespace outcrop {
namespace {

constexpr std::size_t kMinClass = kIoAlign;
constexpr std::size_t kMaxClass = std::size_t{2} << 20;
constexpr std::size_t kClasses = 10;  // 4 KiB ... 2 MiB
static_assert(kMinClass << (kClasses - 1) == kMaxClass);

struct SizeClass {
  std::mutex mutex;
  std::vector<std::byte*> free;
};

struct Pool {
  std::array<SizeClass, kClasses> classes;
  std::byte* base = nullptr;
  std::size_t size = 0;
  std::atomic<std::size_t> carved{0};
  std::atomic<std::size_t> in_use{0};

  bool owns(const std::byte* p) const { return p >= base && p < base + size; }
};

Pool& pool() {
  static Pool* const instance = new Pool;  // never destroyed: Buffers may outlive static teardown
  return *instance;
}

std::size_t class_of(std::size_t size) {
  const std::size_t rounded = std::bit_ceil(std::max(size, kMinClass));
  return static_cast<std::size_t>(std::countr_zero(rounded) - std::countr_zero(kMinClass));
}

std::byte* take_pooled(std::size_t cls) {
  Pool& p = pool();
  SizeClass& c = p.classes[cls];
  {
    const std::lock_guard lock(c.mutex);
    if (!c.free.empty()) {
      std::byte* block = c.free.back();
      c.free.pop_back();
      return block;
    }
  }
  const std::size_t bytes = kMinClass << cls;
  std::size_t at = p.carved.load(std::memory_order_relaxed);
  while (at + bytes <= p.size) {
    if (p.carved.compare_exchange_weak(at, at + bytes)) {
      return p.base + at;
    }
  }
  return nullptr;
}

/// Gives a block back; named, so that a share can ask it for the block's size.
struct BlockDeleter {
  std::size_t charged;
  std::size_t cls;  ///< kClasses: not pooled
  void operator()(std::byte* block) const {
    Pool& owner = pool();
    owner.in_use.fetch_sub(charged, std::memory_order_relaxed);
    if (cls == kClasses) {
      ::operator delete(block, std::align_val_t{kIoAlign});
      return;
    }
    const std::lock_guard lock(owner.classes[cls].mutex);
    owner.classes[cls].free.push_back(block);
  }
};

}  // namespace

Buffer Buffer::make(std::size_t size) {
  Pool& p = pool();
  Buffer out;
  out.x_size = size;
  const std::size_t cls = size <= kMaxClass ? class_of(size) : kClasses;
  const std::size_t charged =
      cls < kClasses ? kMinClass << cls : static_cast<std::size_t>(align_up(size, kIoAlign));
  p.in_use.fetch_add(charged, std::memory_order_relaxed);
  std::byte* block = cls < kClasses ? take_pooled(cls) : nullptr;
  const bool pooled = block != nullptr;
  if (!pooled) {
    block = static_cast<std::byte*>(::operator new(charged, std::align_val_t{kIoAlign}));
  }
  out.x_data = block;
  out.x_block = std::shared_ptr<std::byte>(block, BlockDeleter{charged, pooled ? cls : kClasses});
  return out;
}

std::size_t Buffer::pinned_bytes() const {
  const auto* deleter = std::get_deleter<BlockDeleter>(x_block);
  return deleter ? deleter->charged : x_size;
}

Buffer Buffer::zeroed(std::size_t size) {
  Buffer out = make(size);
  std::memset(out.data(), 0, size);
  return out;
}

Buffer Buffer::copy_of(ConstBytes bytes) {
  Buffer out = make(bytes.size());
  if (!bytes.empty()) {
    std::memcpy(out.data(), bytes.data(), bytes.size());
  }
  return out;
}

Buffer Buffer::unpooled(ConstBytes bytes) {
  const auto block = std::make_shared_for_overwrite<std::byte[]>(bytes.size());
  if (!bytes.empty()) {
    std::memcpy(block.get(), bytes.data(), bytes.size());
  }
  Buffer out;
  out.x_block = std::shared_ptr<std::byte>(block, block.get());
  out.x_data = block.get();
  out.x_size = bytes.size();
  return out;
}

void configure_buffer_pool(std::size_t region_bytes) {
  Pool& p = pool();
  OUTCROP_ASSERT(p.base == nullptr);
  region_bytes = static_cast<std::size_t>(align_up(region_bytes, kMaxClass));
  void* mem = ::mmap(nullptr, region_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mem == MAP_FAILED) {
    return;  // plain allocations serve instead
  }
  ::madvise(mem, region_bytes, MADV_HUGEPAGE);
  p.base = static_cast<std::byte*>(mem);
  p.size = region_bytes;
}

PoolRegion buffer_pool_region() { return {pool().base, pool().size}; }

std::size_t buffer_bytes_in_use() { return pool().in_use.load(std::memory_order_relaxed); }

}  // namespace outcrop
