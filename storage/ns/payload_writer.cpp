#include "storage/ns/payload_writer.h"

#include <algorithm>
#include <cstring>

#include "storage/ns/sealed.h"

namespace outcrop::ns {
namespace {

constexpr std::size_t kFirstBuffer = 16 << 10;  // of a payload of unknown size
// One block more than a small payload may have: only a payload that fills it is surely larger.
constexpr std::size_t kLastBuffer = segment::kSmallMax + kIoAlign;

}  // namespace

/// The run that is being sealed, and the unit that is being filled.
struct PayloadWriter::Seal {
  explicit Seal(const WriteOptions& options)
      : cipher(*options.seal, UnitCipher::Direction::seal),
        name{options.part, 0},
        hint(options.size_hint) {}
  UnitCipher cipher;
  UnitName name;
  const std::uint64_t hint;
  std::uint64_t size = 0;
  Buffer plain{};
  std::size_t filled = 0;
};

PayloadWriter::PayloadWriter(Core& core, const WriteOptions& options)
    : x_core(core),
      x_blobs(core.blobs),
      x_seal(options.seal ? std::make_unique<Seal>(options) : nullptr),
      x_size_hint(options.seal ? sealed_size(options.size_hint) : options.size_hint) {}
PayloadWriter::~PayloadWriter() = default;

std::uint64_t PayloadWriter::size() const { return x_seal ? x_seal->size : x_size; }

Result<void> PayloadWriter::check(bool sealed, std::uint32_t part) const {
  const bool fits = sealed ? x_seal && x_seal->name.part == part : !x_seal;
  return fits ? ok() : fail(Errc::invalid_argument, "payload and envelope do not fit each other");
}

Task<MutBytes> PayloadWriter::unit_buffer() {
  Seal& seal = *x_seal;
  if (seal.filled == seal.plain.size()) {
    const std::uint64_t more = seal.hint > seal.size
                                   ? seal.hint - seal.size
                                   : std::max<std::uint64_t>(kFirstBuffer, 3 * seal.filled);
    Buffer larger = Buffer::make(std::min(seal.filled + more, kUnitBytes));
    if (seal.filled > 0) {
      std::memcpy(larger.data(), seal.plain.data(), seal.filled);
    }
    seal.plain = std::move(larger);
  }
  co_return seal.plain.writable().subspan(seal.filled);
}

Task<> PayloadWriter::unit_advance(std::size_t n) {
  Seal& seal = *x_seal;
  OUTCROP_ASSERT(n <= seal.plain.size() - seal.filled);
  if (seal.size + n > kMaxObjectBytes) {
    co_return fail(Errc::entity_too_large);
  }
  seal.size += n;
  seal.filled += n;
  co_return seal.filled == kUnitBytes ? co_await seal_unit() : ok();
}

// What is in the buffer is a unit, and goes the way of every payload.
Task<> PayloadWriter::seal_unit() {
  Seal& seal = *x_seal;
  UnitCipher::Nonce nonce{};
  {
    const std::lock_guard lock(x_core.random_mutex);
    x_core.random.fill(nonce);
  }
  seal.cipher.begin(seal.name, nonce);
  CO_TRYV(co_await store(nonce));
  for (ConstBytes left = seal.plain.view().first(seal.filled); !left.empty();) {
    CO_TRY(const MutBytes room, co_await stored_buffer());
    const std::size_t n = std::min(room.size(), left.size());
    seal.cipher.update(left.first(n), room.data());
    CO_TRYV(co_await stored_advance(n));
    left = left.subspan(n);
  }
  const UnitCipher::Tag tag = seal.cipher.finish();
  CO_TRYV(co_await store(tag));
  ++seal.name.index;
  seal.filled = 0;
  co_return ok();
}

Task<> PayloadWriter::store(ConstBytes bytes) {
  while (!bytes.empty()) {
    CO_TRY(const MutBytes room, co_await stored_buffer());
    const std::size_t n = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), n);
    CO_TRYV(co_await stored_advance(n));
    bytes = bytes.subspan(n);
  }
  co_return ok();
}

Task<MutBytes> PayloadWriter::stored_buffer() {
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

Task<> PayloadWriter::stored_advance(std::size_t n) {
  if (!x_seal && x_size + n > kMaxObjectBytes) {
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
  if (x_seal && x_seal->filled > 0) {
    CO_TRYV(co_await seal_unit());
  }
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
