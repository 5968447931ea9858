#include "storage/digest/md5_lanes.h"

#include "storage/digest/cpu_features.h"
#include "storage/digest/md5_kernels.h"
#include "storage/digest/openssl_hash.h"

namespace outcrop::digest {
namespace {

constexpr std::size_t kBlock = 64;

/// The block functions of a kernel and the lane counts from which each is the fastest, as measured
/// by digest_bench: a vector pass costs the same with idle lanes.
struct Plan {
  unsigned pays_from;  ///< fewer lanes: one by one with the scalar code
  Md5Blocks narrow;
  unsigned narrow_lanes;
  unsigned wide_from;
  Md5Blocks wide;
  unsigned wide_lanes;
};

Plan plan_of(Md5Kernel kernel) {
  switch (kernel) {
    case Md5Kernel::scalar:
      break;
    case Md5Kernel::interleaved:
      return {2, md5_blocks_x2, 2, ~0U, nullptr, 2};
#if defined(__x86_64__)
    case Md5Kernel::avx2:
      return {3, md5_blocks_avx2_x8, 8, 13, md5_blocks_avx2_x16, 16};
    case Md5Kernel::avx512:
      return {3, md5_blocks_avx512_x16, 16, 17, md5_blocks_avx512_x32, 32};
#else
    case Md5Kernel::avx2:
    case Md5Kernel::avx512:
      break;
#endif
  }
  return {~0U, nullptr, 1, ~0U, nullptr, 1};
}

struct Work {
  Md5State* state;
  const std::byte* data;
  std::size_t blocks;

  void advance(std::size_t done) {
    data += done * kBlock;
    blocks -= done;
    state->length += done * kBlock;
  }
};

/// One vector pass over the first `count` lanes, as long as the shortest of them lasts.
void run_pass(std::span<Work> work, Md5Blocks blocks_of, unsigned lanes) {
  std::array<std::uint32_t*, kMd5LanesMax> words;
  std::array<const std::byte*, kMd5LanesMax> data;
  std::array<std::uint32_t, 4> unused{};
  std::size_t blocks = work.front().blocks;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    const bool used = lane < work.size();
    words[lane] = used ? work[lane].state->words.data() : unused.data();
    data[lane] = used ? work[lane].data : work.front().data;
    blocks = used ? std::min(blocks, work[lane].blocks) : blocks;
  }
  blocks_of(words.data(), data.data(), blocks);
  for (Work& w : work) {
    w.advance(blocks);
  }
}

void run_blocks(std::vector<Work>& work, const Plan& plan) {
  // Longest first: the short ones fill in behind and all end together.
  std::ranges::sort(work, std::greater{}, &Work::blocks);
  while (work.size() >= plan.pays_from) {
    const bool wide = work.size() >= plan.wide_from;
    const unsigned lanes = wide ? plan.wide_lanes : plan.narrow_lanes;
    const std::size_t count = std::min<std::size_t>(work.size(), lanes);
    run_pass(std::span(work).first(count), wide ? plan.wide : plan.narrow, lanes);
    std::erase_if(work, [](const Work& w) { return w.blocks == 0; });
  }
  for (const Work& w : work) {
    md5_update(*w.state, {w.data, w.blocks * kBlock});
  }
}

}  // namespace

void md5_update(Md5State& state, ConstBytes data) {
  MD5_CTX context;
  context.A = state.words[0];
  context.B = state.words[1];
  context.C = state.words[2];
  context.D = state.words[3];
  // The length in bits, in two halves; the padding is made from it.
  context.Nl = static_cast<std::uint32_t>(state.length << 3);
  context.Nh = static_cast<std::uint32_t>(state.length >> 29);
  context.num = state.length % kBlock;
  std::memcpy(context.data, state.partial.data(), kBlock);
  MD5_Update(&context, data.data(), data.size());
  state.words = {context.A, context.B, context.C, context.D};
  state.length += data.size();
  std::memcpy(state.partial.data(), context.data, kBlock);
}

Md5Value md5_value(const Md5State& state) {
  Md5State copy = state;
  // RFC 1321 padding: 0x80, zeros, and the bit length in the last eight bytes of a block.
  std::array<std::byte, kBlock + 8> padding{std::byte{0x80}};
  const std::size_t zeros_end = (state.length % kBlock < 56 ? 56 : 120) - state.length % kBlock;
  const std::uint64_t bits = state.length << 3;
  for (unsigned i = 0; i < 8; ++i) {
    padding[zeros_end + i] = static_cast<std::byte>(bits >> (8 * i));
  }
  md5_update(copy, ConstBytes(padding).first(zeros_end + 8));
  Md5Value value;
  for (unsigned i = 0; i < value.size(); ++i) {
    value[i] = static_cast<std::byte>(copy.words[i / 4] >> (8 * (i % 4)));
  }
  return value;
}

bool md5_kernel_supported(Md5Kernel kernel) {
  switch (kernel) {
    case Md5Kernel::scalar:
    case Md5Kernel::interleaved:
      return true;
    case Md5Kernel::avx2:
      return cpu_features().avx2;
    case Md5Kernel::avx512:
      return cpu_features().avx512;
  }
  return false;
}

Md5Kernel best_md5_kernel() {
  if (cpu_features().avx512) {
    return Md5Kernel::avx512;
  }
  return cpu_features().avx2 ? Md5Kernel::avx2 : Md5Kernel::interleaved;
}

unsigned md5_lanes_of(Md5Kernel kernel) { return plan_of(kernel).wide_lanes; }

void md5_update_lanes(std::span<const Md5Lane> lanes, Md5Kernel kernel) {
  OUTCROP_ASSERT(md5_kernel_supported(kernel));
  std::vector<Work> work;
  std::vector<Md5Lane> tails;
  work.reserve(lanes.size());
  for (const Md5Lane& lane : lanes) {
    // The kernels need whole blocks: close the open one first, keep the rest for the end.
    const std::size_t open = lane.state->length % kBlock;
    const std::size_t head = open == 0 ? 0 : std::min(kBlock - open, lane.data.size());
    if (head > 0) {
      md5_update(*lane.state, lane.data.first(head));
    }
    const ConstBytes rest = lane.data.subspan(head);
    if (rest.size() >= kBlock) {
      work.push_back({lane.state, rest.data(), rest.size() / kBlock});
    }
    if (rest.size() % kBlock != 0) {
      tails.push_back({lane.state, rest.last(rest.size() % kBlock)});
    }
  }
  run_blocks(work, plan_of(kernel));
  for (const Md5Lane& lane : tails) {
    md5_update(*lane.state, lane.data);
  }
}

}  // namespace outcrop::digest
