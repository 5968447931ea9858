#include "api/nfs/handle.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace outcrop::nfs {
namespace {

constexpr std::size_t kSigned = 20, kMac = kHandleBytes - kSigned, kFullMac = 16;
static_assert(kMac == 12);

/// One context per thread: making one costs several allocations, giving it another key does not.
class Mac {
 public:
  Mac() {
    EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
    OUTCROP_ASSERT(algorithm != nullptr);
    x_context = EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm);  // the context has its own reference
    std::size_t size = kFullMac;
    const std::array<OSSL_PARAM, 2> parameters = {
        OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
    OUTCROP_ASSERT(x_context != nullptr &&
                   EVP_MAC_CTX_set_params(x_context, parameters.data()) == 1);
  }
  ~Mac() { EVP_MAC_CTX_free(x_context); }
  Mac(const Mac&) = delete;

  std::array<unsigned char, kFullMac> sum(const HandleKey& key, ConstBytes text) {
    std::array<unsigned char, kFullMac> out{};
    std::size_t size = 0;
    const bool done = EVP_MAC_init(x_context, reinterpret_cast<const unsigned char*>(key.data()),
                                   key.size(), nullptr) == 1 &&
                      EVP_MAC_update(x_context, reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size()) == 1 &&
                      EVP_MAC_final(x_context, out.data(), &size, out.size()) == 1;
    OUTCROP_ASSERT(done && size == out.size());
    return out;
  }

 private:
  EVP_MAC_CTX* x_context = nullptr;
};

std::array<unsigned char, kFullMac> sum(const HandleKey& key, ConstBytes text) {
  thread_local Mac mac;
  return mac.sum(key, text);
}

template <class T>
void put_be(std::byte* to, T v) {
  v = std::byteswap(v);
  std::memcpy(to, &v, sizeof v);
}

template <class T>
T get_be(const std::byte* from) {
  T v{};
  std::memcpy(&v, from, sizeof v);
  return std::byteswap(v);
}

}  // namespace

HandleCodec::HandleCodec(const HandleKeys& keys) { use(keys); }

void HandleCodec::use(const HandleKeys& keys) {
  const std::lock_guard lock(x_mutex);
  x_all.push_back(std::make_unique<const HandleKeys>(keys));
  x_keys.store(x_all.back().get(), std::memory_order_release);
}

HandleBytes HandleCodec::seal(const Handle& handle) const {
  const HandleKeys& keys = *x_keys.load(std::memory_order_acquire);
  HandleBytes out{};
  out[0] = std::byte{keys.number};
  put_be<std::uint16_t>(out.data() + 2, handle.export_id);
  put_be<std::uint64_t>(out.data() + 4, handle.file.root);
  put_be<std::uint64_t>(out.data() + 12, handle.file.ino);
  const auto mac = sum(keys.current, ConstBytes(out).first(kSigned));
  std::memcpy(out.data() + kSigned, mac.data(), kMac);
  return out;
}

std::optional<Handle> HandleCodec::open(ConstBytes bytes) const {
  if (bytes.size() != kHandleBytes) {
    return std::nullopt;
  }
  const HandleKeys& keys = *x_keys.load(std::memory_order_acquire);
  const auto number = static_cast<std::uint8_t>(bytes[0]);
  const bool current = number == keys.number;
  const bool previous =
      number == static_cast<std::uint8_t>(keys.number - 1) && keys.previous != keys.current;
  if (!current && !previous) {
    return std::nullopt;
  }
  const auto mac = sum(current ? keys.current : keys.previous, bytes.first(kSigned));
  if (CRYPTO_memcmp(mac.data(), bytes.data() + kSigned, kMac) != 0 || bytes[1] != std::byte{0}) {
    return std::nullopt;
  }
  return Handle{.export_id = get_be<std::uint16_t>(bytes.data() + 2),
                .file = {.root = get_be<std::uint64_t>(bytes.data() + 4),
                         .ino = get_be<std::uint64_t>(bytes.data() + 12)}};
}

}  // namespace outcrop::nfs
