#include "storage/digest/hmac.h"

#include "storage/digest/openssl_hash.h"

namespace outcrop::digest {
namespace {

using Chain = std::array<std::uint32_t, 8>;
constexpr std::size_t kBlock = SHA256_CBLOCK;

Sha256Value finish(SHA256_CTX& context) {
  Sha256Value out;
  SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &context);
  return out;
}

void add(SHA256_CTX& context, ConstBytes data) {
  SHA256_Update(&context, data.data(), data.size());
}

/// The chaining value after one block of `key` xor `pad`.
Chain chain_of(const std::array<std::byte, kBlock>& key, std::byte pad) {
  std::array<std::byte, kBlock> block;
  std::ranges::transform(key, block.begin(), [pad](std::byte b) { return b ^ pad; });
  SHA256_CTX context;
  SHA256_Init(&context);
  add(context, block);
  Chain chain;
  std::ranges::copy(context.h, chain.begin());
  OPENSSL_cleanse(block.data(), block.size());
  OPENSSL_cleanse(&context, sizeof(context));
  return chain;
}

/// A context that has just taken in one block.
SHA256_CTX resume(const Chain& chain) {
  SHA256_CTX context;
  SHA256_Init(&context);
  std::ranges::copy(chain, context.h);
  context.Nl = kBlock * 8;
  return context;
}

}  // namespace

Sha256Value sha256(ConstBytes message) { return sha256({message}); }

Sha256Value sha256(std::initializer_list<ConstBytes> parts) {
  SHA256_CTX context;
  SHA256_Init(&context);
  for (const ConstBytes part : parts) {
    add(context, part);
  }
  return finish(context);
}

HmacKey::HmacKey(ConstBytes key) {
  std::array<std::byte, kBlock> padded{};
  if (key.size() > kBlock) {
    std::ranges::copy(sha256(key), padded.begin());
  } else {
    std::ranges::copy(key, padded.begin());
  }
  x_inner = chain_of(padded, std::byte{0x36});
  x_outer = chain_of(padded, std::byte{0x5c});
  OPENSSL_cleanse(padded.data(), padded.size());
}

HmacKey::~HmacKey() {
  OPENSSL_cleanse(x_inner.data(), sizeof(x_inner));
  OPENSSL_cleanse(x_outer.data(), sizeof(x_outer));
}

Sha256Value HmacKey::sign(ConstBytes message) const { return sign({message}); }

Sha256Value HmacKey::sign(std::initializer_list<ConstBytes> parts) const {
  SHA256_CTX context = resume(x_inner);
  for (const ConstBytes part : parts) {
    add(context, part);
  }
  const Sha256Value inner = finish(context);
  context = resume(x_outer);
  add(context, inner);
  return finish(context);
}

bool equal_in_constant_time(ConstBytes a, ConstBytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace outcrop::digest
