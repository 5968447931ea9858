#include "api/nfs/record.h"

#include <algorithm>

namespace outcrop::nfs {
namespace {

constexpr std::size_t kMark = 4;
constexpr std::uint32_t kLastFragment = 0x8000'0000;
/// Less room than this behind the unparsed bytes is not worth a system call.
constexpr std::size_t kLeastRoom = 2 << 10;
/// After a large record another one is likely: what is read into the block has to be copied.
constexpr std::size_t kPeek = 4 << 10;

}  // namespace

MutBytes RecordReader::room() {
  OUTCROP_ASSERT(x_wanted == 0);
  if (x_assembling && x_begin == x_end) {
    return x_record.writable().subspan(x_filled, x_left);
  }
  const std::size_t have = x_end - x_begin;
  const std::size_t missing = std::max(x_need, kMark) - std::min(have, std::max(x_need, kMark));
  if (!x_block || kBlock - x_end < std::max(missing, kLeastRoom)) {
    // Records of the old block may still be in use, so what is left of it moves to a new one.
    Buffer fresh = Buffer::make(kBlock);
    if (have > 0) {
      std::memcpy(fresh.data(), x_block.data() + x_begin, have);
    }
    x_block = std::move(fresh);
    x_begin = 0;
    x_end = have;
  }
  const std::size_t most = x_after_large ? std::max(missing, kPeek) : kBlock;
  return x_block.writable().subspan(x_end, std::min(most, kBlock - x_end));
}

bool RecordReader::received(std::size_t n, std::vector<Buffer>& out) {
  if (x_assembling && x_begin == x_end) {
    OUTCROP_ASSERT(n <= x_left);
    x_filled += n;
    x_left -= n;
  } else {
    x_end += n;
  }
  return parse(out);
}

bool RecordReader::supply(Buffer memory, std::vector<Buffer>& out) {
  OUTCROP_ASSERT(x_wanted > 0 && memory.size() >= x_wanted);
  x_wanted = 0;
  x_record = std::move(memory);
  return parse(out);
}

bool RecordReader::parse(std::vector<Buffer>& out) {
  for (bool more = true; more;) {
    if (x_assembling) {
      take_fragment();
      if (x_left > 0) {
        return true;
      }
      x_assembling = false;
      if (x_last) {
        finish(out, std::exchange(x_record, {}).slice(0, x_filled));
      }
    }
    if (!next_fragment(out, more)) {
      return false;
    }
  }
  return true;
}

/// Moves what the block has of the current fragment.
void RecordReader::take_fragment() {
  const std::size_t n = std::min(x_left, x_end - x_begin);
  if (n > 0) {
    std::memcpy(x_record.data() + x_filled, x_block.data() + x_begin, n);
    x_begin += n;
    x_filled += n;
    x_left -= n;
  }
}

/// Looks at the mark at x_begin. False: broken. `more`: a step was made.
bool RecordReader::next_fragment(std::vector<Buffer>& out, bool& more) {
  more = false;
  x_need = kMark;
  const std::size_t have = x_end - x_begin;
  if (have < kMark) {
    return true;
  }
  std::uint32_t mark = 0;
  std::memcpy(&mark, x_block.data() + x_begin, kMark);
  mark = std::byteswap(mark);
  const bool last = (mark & kLastFragment) != 0;
  const std::size_t length = mark & ~kLastFragment;
  if (length > x_max - x_filled || x_fragments + 1 > kMaxFragments) {
    return false;
  }
  const bool whole = last && x_fragments == 0;
  if (whole && kMark + length <= kBlock) {
    if (have < kMark + length) {
      x_need = kMark + length;
      return true;
    }
    const std::size_t at = x_begin + kMark;
    x_begin += kMark + length;
    x_after_large = false;
    out.push_back(x_block.slice(at, length));
    more = true;
    return true;
  }
  if (length == 0 && !x_record) {
    x_begin += kMark;
    ++x_fragments;
    more = true;
    if (last) {
      finish(out, {});
    }
    return true;
  }
  if (!x_record) {
    // Fragments may follow, up to the limit: one piece of memory, no growing.
    x_wanted = whole ? length : x_max;
    return true;
  }
  x_begin += kMark;
  ++x_fragments;
  x_last = last;
  x_left = length;
  x_assembling = true;
  more = true;
  return true;
}

void RecordReader::finish(std::vector<Buffer>& out, Buffer record) {
  out.push_back(std::move(record));
  x_after_large = true;
  x_filled = x_fragments = 0;
  x_last = false;
}

void RecordReader::release() {
  OUTCROP_ASSERT(empty());
  x_block = {};
  x_begin = x_end = 0;
}

}  // namespace outcrop::nfs
