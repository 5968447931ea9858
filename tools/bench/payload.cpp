#include "tools/bench/payload.h"

#include "storage/base/random.h"
#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "tools/bench/signer.h"

namespace outcrop::bench {
namespace {

constexpr std::uint64_t kBlockMax = 16 << 20;

}  // namespace

Payload::Payload(std::uint64_t largest, digest::Algorithm checksum, bool sign)
    : x_block(std::clamp<std::uint64_t>(largest, 1, kBlockMax)),
      x_checksum(checksum),
      x_sign(sign) {
  SeededRandom(SystemRandom().next()).fill(x_block);
}

void Payload::prepare(std::uint64_t size) {
  if (x_bodies.contains(size)) {
    return;
  }
  digest::Digest sha(x_sign ? digest::Algorithm::sha256 : digest::Algorithm::none);
  digest::Digest checksum(x_checksum);
  for (std::uint64_t done = 0; done < size;) {
    const ConstBytes part =
        ConstBytes(x_block).first(std::min<std::uint64_t>(x_block.size(), size - done));
    sha.update(part);
    checksum.update(part);
    done += part.size();
  }
  Body body{size, std::string(kUnsignedPayload), {}};
  if (x_sign) {
    body.sha256 = digest::to_hex(as_bytes(sha.value()));
  }
  if (x_checksum != digest::Algorithm::none) {
    body.checksum = digest::to_base64(as_bytes(checksum.value()));
  }
  x_bodies.emplace(size, std::move(body));
}

}  // namespace outcrop::bench
