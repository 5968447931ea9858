// The XXH3 implementations behind xxh.h: one body, compiled once per instruction set.
#pragma once
#include <cstddef>
#include <cstdint>

namespace outcrop::digest {

struct XxhPart {
  const void* data;
  std::size_t size;
};

struct XxhKernel {
  std::uint64_t (*one)(const void* data, std::size_t size, std::uint64_t seed);
  std::uint64_t (*many)(const XxhPart* parts, std::size_t count, std::uint64_t seed);
};

extern const XxhKernel kXxhBaseline;
#if defined(__x86_64__)
extern const XxhKernel kXxhAvx2;
#endif

}  // namespace outcrop::digest
