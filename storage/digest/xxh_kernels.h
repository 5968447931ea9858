// The XXH3 implementations behind xxh.h and digest.h: one body, compiled once per instruction set.
#pragma once
#include <cstddef>
#include <cstdint>

namespace outcrop::digest {

struct XxhPart {
  const void* data;
  std::size_t size;
};

/// The library's XXH3_state_t, which stays out of our headers. Copying the bytes forks the stream.
struct Xxh3State {
  alignas(64) unsigned char bytes[576];
};

struct XxhKernel {
  std::uint64_t (*one)(const void* data, std::size_t size, std::uint64_t seed);
  std::uint64_t (*many)(const XxhPart* parts, std::size_t count, std::uint64_t seed);
  // A stream is 64 or 128 bits at its end only.
  void (*reset)(Xxh3State& state);
  void (*update)(Xxh3State& state, const void* data, std::size_t size);
  std::uint64_t (*value)(const Xxh3State& state);
  /// Big-endian, as the library's canonical form.
  void (*value128)(const Xxh3State& state, unsigned char (&out)[16]);
};

/// The same of XXH64, which no instruction set makes faster.
struct Xxh64State {
  alignas(8) unsigned char bytes[88];
};
void xxh64_reset(Xxh64State& state);
void xxh64_update(Xxh64State& state, const void* data, std::size_t size);
std::uint64_t xxh64_value(const Xxh64State& state);

extern const XxhKernel kXxhBaseline;
#if defined(__x86_64__)
extern const XxhKernel kXxhAvx2;
#endif
/// The fastest one that this processor has.
const XxhKernel& xxh_kernel();

}  // namespace outcrop::digest
