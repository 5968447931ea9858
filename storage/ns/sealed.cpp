#include "storage/ns/sealed.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace outcrop::ns {
namespace {

// A failing OpenSSL call is a broken installation: nothing may go out half sealed.
void check(int result) { OUTCROP_ASSERT(result == 1); }

const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

// Fetched once: an implicit fetch at each use costs more than a small payload.
const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  OUTCROP_ASSERT(cipher != nullptr);
  return cipher;
}

std::array<std::byte, 12> associated(const UnitName& name) {
  std::array<std::byte, 12> out{};
  std::memcpy(out.data(), &name.part, sizeof name.part);
  std::memcpy(out.data() + sizeof name.part, &name.index, sizeof name.index);
  return out;
}

/// Reads pieces as one run of bytes.
class Pieces {
 public:
  explicit Pieces(const std::vector<ConstBytes>& pieces) : x_pieces(pieces) {}
  /// At most `n` bytes that lie together; empty at the end.
  ConstBytes take(std::size_t n) {
    while (x_index < x_pieces.size() && x_used == x_pieces[x_index].size()) {
      ++x_index;
      x_used = 0;
    }
    if (x_index == x_pieces.size()) {
      return {};
    }
    const ConstBytes out =
        x_pieces[x_index].subspan(x_used, std::min(n, x_pieces[x_index].size() - x_used));
    x_used += out.size();
    return out;
  }
  bool fill(std::span<std::byte> out) {
    while (!out.empty()) {
      const ConstBytes some = take(out.size());
      if (some.empty()) {
        return false;
      }
      std::ranges::copy(some, out.begin());
      out = out.subspan(some.size());
    }
    return true;
  }

 private:
  const std::vector<ConstBytes>& x_pieces;
  std::size_t x_index = 0, x_used = 0;
};

/// Where a run lies in its object.
struct Run {
  std::uint32_t part = 0;
  std::uint64_t plain = 0, stored = 0, length = 0;
};

// The run of the byte at `offset`.
std::optional<Run> find_run(std::uint64_t size,
                            const std::vector<PartSummary>& parts,
                            std::uint64_t offset) {
  if (parts.empty()) {
    return offset < size ? std::optional(Run{.length = size}) : std::nullopt;
  }
  Run run;
  for (const PartSummary& part : parts) {
    if (part.size > size - run.plain) {
      break;
    }
    run.part = part.number;
    run.length = part.size;
    if (offset - run.plain < part.size) {
      return run;
    }
    run.plain += part.size;
    run.stored += sealed_size(part.size);
  }
  return std::nullopt;
}

bool open_unit(UnitCipher& cipher, const UnitName& name, Pieces& stored, MutBytes plain) {
  UnitCipher::Nonce nonce{};
  if (!stored.fill(nonce)) {
    return false;
  }
  cipher.begin(name, nonce);
  while (!plain.empty()) {
    const ConstBytes some = stored.take(plain.size());
    if (some.empty()) {
      return false;
    }
    cipher.update(some, plain.data());
    plain = plain.subspan(some.size());
  }
  UnitCipher::Tag tag{};
  return stored.fill(tag) && cipher.verify(tag);
}

}  // namespace

std::optional<std::uint64_t> sealed_size(std::uint64_t size,
                                         const std::vector<PartSummary>& parts) {
  if (size > kMaxObjectBytes) {
    return std::nullopt;
  }
  if (parts.empty()) {
    return sealed_size(size);
  }
  std::uint64_t plain = 0, stored = 0;
  for (const PartSummary& part : parts) {
    if (part.size > size - plain) {
      return std::nullopt;
    }
    plain += part.size;
    stored += sealed_size(part.size);
  }
  return plain == size ? std::optional(stored) : std::nullopt;
}

std::optional<UnitRange> find_units(std::uint64_t size,
                                    const std::vector<PartSummary>& parts,
                                    ByteRange range,
                                    std::uint64_t most) {
  const std::optional<Run> run = find_run(size, parts, range.offset);
  if (!run) {
    return std::nullopt;
  }
  const std::uint64_t inside = range.offset - run->plain;
  const std::uint64_t first = inside / kUnitBytes, begin = first * kUnitBytes;
  const std::uint64_t units =
      std::min(most, (inside - begin + range.length + kUnitBytes - 1) / kUnitBytes);
  const std::uint64_t bytes = std::min(units * kUnitBytes, run->length - begin);
  return UnitRange{.first = {run->part, first},
                   .plain = {run->plain + begin, bytes},
                   .stored = {run->stored + sealed_size(begin), sealed_size(bytes)}};
}

void UnitCipher::Free::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

UnitCipher::UnitCipher(const DataKey& key, Direction direction) : x_context(EVP_CIPHER_CTX_new()) {
  OUTCROP_ASSERT(x_context);
  check(EVP_CipherInit_ex(x_context.get(), aes_256_gcm(), nullptr, raw(key.bytes().data()), nullptr,
                          direction == Direction::seal ? 1 : 0));
}

void UnitCipher::begin(const UnitName& name, const Nonce& nonce) {
  check(
      EVP_CipherInit_ex(x_context.get(), nullptr, nullptr, nullptr, raw(nonce.data()), /*enc=*/-1));
  const auto place = associated(name);
  int n = 0;
  check(EVP_CipherUpdate(x_context.get(), nullptr, &n, raw(place.data()), place.size()));
}

void UnitCipher::update(ConstBytes in, std::byte* out) {
  OUTCROP_ASSERT(in.size() <= kUnitBytes);
  int n = 0;
  check(
      EVP_CipherUpdate(x_context.get(), raw(out), &n, raw(in.data()), static_cast<int>(in.size())));
  OUTCROP_ASSERT(static_cast<std::size_t>(n) == in.size());
}

UnitCipher::Tag UnitCipher::finish() {
  Tag tag{};
  unsigned char none = 0;
  int n = 0;
  check(EVP_CipherFinal_ex(x_context.get(), &none, &n));
  check(EVP_CIPHER_CTX_ctrl(x_context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag.data()));
  return tag;
}

bool UnitCipher::verify(const Tag& tag) {
  Tag expected = tag;
  unsigned char none = 0;
  int n = 0;
  check(EVP_CIPHER_CTX_ctrl(x_context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, expected.data()));
  return EVP_CipherFinal_ex(x_context.get(), &none, &n) == 1;
}

Result<Buffer> open_units(UnitCipher& cipher,
                          const UnitRange& units,
                          const std::vector<ConstBytes>& stored) {
  Buffer out = Buffer::make(units.plain.length);
  Pieces pieces(stored);
  UnitName name = units.first;
  for (MutBytes left = out.writable(); !left.empty(); ++name.index) {
    const MutBytes unit = left.first(std::min<std::size_t>(left.size(), kUnitBytes));
    if (!open_unit(cipher, name, pieces, unit)) {
      return fail(Errc::corrupt, "a sealed payload does not authenticate");
    }
    left = left.subspan(unit.size());
  }
  return out;
}

}  // namespace outcrop::ns
