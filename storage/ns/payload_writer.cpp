#include "storage/ns/payload_writer.h"

#include <algorithm>
#include <cstring>

namespace outcrop::ns {
namespace {

constexpr std::size_t kFirstBuffer = 16 << 10;  // of a payload of unknown size
// One block more than a small payload may have: only a payload that fills it is surely larger.
constexpr std::size_t kLastBuffer = segment::kSmallMax + kIoAlign;

}  // namespace

PayloadWriter::PayloadWriter(segment::BlobStore& blobs, std::uint64_t size_hint)
    : x_blobs(blobs), x_size_hint(size_hint) {}

Task<MutBytes> PayloadWriter::buffer() {
  if (!x_blob && x_size == 0 && x_size_hint > segment::kSmallMax) {
    CO_TRY(x_blob, co_await x_blobs.open_writer(x_size_hint, segment::Purpose::client));
  }
  if (!x_blob && x_filled == x_buffer.size()) {
    if (x_filled == kLastBuffer) {
      CO_TRYV(co_await spill());
    } else {
      const std::size_t hinted = x_size_hint > x_filled ? x_size_hint : x_filled * 4;
      const std::size_t room = std::clamp<std::size_t>(hinted, kFirstBuffer / 16, kLastBuffer);
      Buffer larger = Buffer::make(x_size_hint == 0 ? std::max(room, kFirstBuffer) : room);
      if (x_filled > 0) {
        std::memcpy(larger.data(), x_buffer.data(), x_filled);
      }
      x_buffer = std::move(larger);
    }
  }
  if (x_blob) {
    co_return co_await x_blob->buffer();
  }
  co_return x_buffer.writable().subspan(x_filled);
}

Task<> PayloadWriter::advance(std::size_t n) {
  if (x_size + n > kMaxObjectBytes) {
    co_return fail(Errc::entity_too_large);
  }
  x_size += n;
  if (x_blob) {
    co_return co_await x_blob->advance(n);
  }
  OUTCROP_ASSERT(n <= x_buffer.size() - x_filled);
  x_filled += n;
  co_return ok();
}

Task<> PayloadWriter::spill() {
  CO_TRY(x_blob, co_await x_blobs.open_writer(x_size_hint, segment::Purpose::client));
  for (std::size_t done = 0; done < x_filled;) {
    CO_TRY(const MutBytes room, co_await x_blob->buffer());
    const std::size_t n = std::min(room.size(), x_filled - done);
    std::memcpy(room.data(), x_buffer.data() + done, n);
    CO_TRYV(co_await x_blob->advance(n));
    done += n;
  }
  x_buffer = {};
  x_filled = 0;
  co_return ok();
}

Task<> PayloadWriter::finish() {
  if (!x_blob && x_filled > segment::kSmallMax) {
    CO_TRYV(co_await spill());
  }
  if (x_blob && x_size == 0) {
    x_blob.reset();  // announced, but nothing came
  }
  if (!x_blob) {
    co_return ok();
  }
  CO_TRY(const auto extents, co_await x_blob->finish());
  std::uint64_t total = 0;
  for (const Extent& extent : extents) {
    x_pieces.push_back({.extent = extent, .skip = 0, .length = extent.length});
    total += extent.length;
  }
  if (total != x_size) {
    co_return fail(Errc::internal, "blob writer lost bytes");
  }
  co_return ok();
}

Task<PlacedPayload> place_payload(segment::BlobStore& blobs,
                                  const PayloadWriter& writer,
                                  std::size_t inline_max) {
  PlacedPayload out;
  const ConstBytes small = writer.small();
  if (writer.striped()) {
    out.pieces = writer.pieces();
  } else if (small.size() <= inline_max) {
    out.inline_data = as_text(small);
  } else {
    CO_TRY(segment::Placed placed, co_await blobs.place_small(small));
    out.pieces.push_back({.extent = placed.extent, .skip = 0, .length = small.size()});
    out.fresh.push_back(placed.extent);
    out.pin = std::move(placed.pin);
  }
  co_return out;
}

}  // namespace outcrop::ns
