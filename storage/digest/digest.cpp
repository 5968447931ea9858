#include "storage/digest/digest.h"

#include <bit>

#include "storage/digest/crc.h"
#include "storage/digest/openssl_hash.h"

namespace outcrop::digest {
namespace {

struct Info {
  std::string_view name;
  std::string_view header;
  std::size_t size;
};

Info info(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::none:
      return {"", "", 0};
    case Algorithm::crc32:
      return {"CRC32", "x-amz-checksum-crc32", 4};
    case Algorithm::crc32c:
      return {"CRC32C", "x-amz-checksum-crc32c", 4};
    case Algorithm::crc64nvme:
      return {"CRC64NVME", "x-amz-checksum-crc64nvme", 8};
    case Algorithm::sha1:
      return {"SHA1", "x-amz-checksum-sha1", SHA_DIGEST_LENGTH};
    case Algorithm::sha256:
      return {"SHA256", "x-amz-checksum-sha256", SHA256_DIGEST_LENGTH};
    case Algorithm::md5:
      return {"MD5", "x-amz-checksum-md5", MD5_DIGEST_LENGTH};
    case Algorithm::sha512:
      return {"SHA512", "x-amz-checksum-sha512", SHA512_DIGEST_LENGTH};
    case Algorithm::xxhash64:
      return {"XXHASH64", "x-amz-checksum-xxhash64", 8};
    case Algorithm::xxhash3:
      return {"XXHASH3", "x-amz-checksum-xxhash3", 8};
    case Algorithm::xxhash128:
      return {"XXHASH128", "x-amz-checksum-xxhash128", 16};
  }
  return {"", "", 0};
}

bool same_text(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string big_endian(std::uint64_t value, std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<char>(value >> (8 * (size - 1 - i)));
  }
  return out;
}

std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) {
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

/// The context lives as bytes in the Digest: taken out, used, put back.
template <class Context, class State, class Use>
void with(State& state, Use use) {
  static_assert(sizeof(Context) <= sizeof(state.bytes) && alignof(Context) <= 8);
  Context context;
  std::memcpy(&context, state.bytes.data(), sizeof(context));
  use(context);
  std::memcpy(state.bytes.data(), &context, sizeof(context));
}

unsigned char* raw(std::string& out) { return reinterpret_cast<unsigned char*>(out.data()); }

}  // namespace

Digest::Xxh3Stream::Xxh3Stream() : state(std::make_unique<Xxh3State>()) {
  xxh_kernel().reset(*state);
}

Digest::Xxh3Stream::Xxh3Stream(const Xxh3Stream& other)
    : state(other.state ? std::make_unique<Xxh3State>(*other.state) : nullptr) {}

Digest::Xxh3Stream& Digest::Xxh3Stream::operator=(const Xxh3Stream& other) {
  return *this = Xxh3Stream(other);
}

Digest::Digest(Algorithm algorithm) : x_algorithm(algorithm), x_state(std::uint64_t{0}) {
  if (algorithm == Algorithm::md5) {
    x_state.emplace<Md5State>();
  } else if (algorithm == Algorithm::sha1) {
    with<SHA_CTX>(x_state.emplace<ShaState>(), [](SHA_CTX& c) { SHA1_Init(&c); });
  } else if (algorithm == Algorithm::sha256) {
    with<SHA256_CTX>(x_state.emplace<ShaState>(), [](SHA256_CTX& c) { SHA256_Init(&c); });
  } else if (algorithm == Algorithm::sha512) {
    with<SHA512_CTX>(x_state.emplace<ShaState>(), [](SHA512_CTX& c) { SHA512_Init(&c); });
  } else if (algorithm == Algorithm::xxhash64) {
    xxh64_reset(x_state.emplace<Xxh64State>());
  } else if (algorithm == Algorithm::xxhash3 || algorithm == Algorithm::xxhash128) {
    x_state.emplace<Xxh3Stream>();
  }
}

void Digest::update(ConstBytes data) {
  switch (x_algorithm) {
    case Algorithm::none:
      return;
    case Algorithm::crc32: {
      auto& crc = std::get<std::uint64_t>(x_state);
      crc = crc32(static_cast<std::uint32_t>(crc), data);
      return;
    }
    case Algorithm::crc32c: {
      auto& crc = std::get<std::uint64_t>(x_state);
      crc = crc32c(static_cast<std::uint32_t>(crc), data);
      return;
    }
    case Algorithm::crc64nvme: {
      auto& crc = std::get<std::uint64_t>(x_state);
      crc = crc64nvme(crc, data);
      return;
    }
    case Algorithm::sha1:
      with<SHA_CTX>(std::get<ShaState>(x_state),
                    [data](SHA_CTX& c) { SHA1_Update(&c, data.data(), data.size()); });
      return;
    case Algorithm::sha256:
      with<SHA256_CTX>(std::get<ShaState>(x_state),
                       [data](SHA256_CTX& c) { SHA256_Update(&c, data.data(), data.size()); });
      return;
    case Algorithm::md5:
      md5_update(std::get<Md5State>(x_state), data);
      return;
    case Algorithm::sha512:
      with<SHA512_CTX>(std::get<ShaState>(x_state),
                       [data](SHA512_CTX& c) { SHA512_Update(&c, data.data(), data.size()); });
      return;
    case Algorithm::xxhash64:
      xxh64_update(std::get<Xxh64State>(x_state), data.data(), data.size());
      return;
    case Algorithm::xxhash3:
    case Algorithm::xxhash128:
      xxh_kernel().update(*std::get<Xxh3Stream>(x_state).state, data.data(), data.size());
      return;
  }
}

std::string Digest::value() const {
  std::string out(size_of(x_algorithm), '\0');
  switch (x_algorithm) {
    case Algorithm::none:
      break;
    case Algorithm::crc32:
    case Algorithm::crc32c:
    case Algorithm::crc64nvme:
      return big_endian(std::get<std::uint64_t>(x_state), out.size());
    case Algorithm::sha1: {
      ShaState copy = std::get<ShaState>(x_state);
      with<SHA_CTX>(copy, [&out](SHA_CTX& c) { SHA1_Final(raw(out), &c); });
      break;
    }
    case Algorithm::sha256: {
      ShaState copy = std::get<ShaState>(x_state);
      with<SHA256_CTX>(copy, [&out](SHA256_CTX& c) { SHA256_Final(raw(out), &c); });
      break;
    }
    case Algorithm::md5: {
      const Md5Value md5 = md5_value(std::get<Md5State>(x_state));
      out.assign(as_text(md5));
      break;
    }
    case Algorithm::sha512: {
      ShaState copy = std::get<ShaState>(x_state);
      with<SHA512_CTX>(copy, [&out](SHA512_CTX& c) { SHA512_Final(raw(out), &c); });
      break;
    }
    case Algorithm::xxhash64:
      return big_endian(xxh64_value(std::get<Xxh64State>(x_state)), out.size());
    case Algorithm::xxhash3:
      return big_endian(xxh_kernel().value(*std::get<Xxh3Stream>(x_state).state), out.size());
    case Algorithm::xxhash128: {
      unsigned char canonical[16];
      xxh_kernel().value128(*std::get<Xxh3Stream>(x_state).state, canonical);
      out.assign(reinterpret_cast<const char*>(canonical), sizeof(canonical));
      break;
    }
  }
  return out;
}

std::string Digest::of(Algorithm algorithm, ConstBytes data) {
  Digest digest(algorithm);
  digest.update(data);
  return digest.value();
}

Result<std::string> combine(Algorithm algorithm,
                            std::string_view a,
                            std::string_view b,
                            std::uint64_t length_of_b) {
  const std::size_t size = size_of(algorithm);
  if (a.size() != size || b.size() != size) {
    return fail(Errc::invalid_argument);
  }
  const std::uint64_t x = from_big_endian(a);
  const std::uint64_t y = from_big_endian(b);
  const auto x32 = static_cast<std::uint32_t>(x);
  const auto y32 = static_cast<std::uint32_t>(y);
  switch (algorithm) {
    case Algorithm::crc32:
      return big_endian(crc32_combine(x32, y32, length_of_b), size);
    case Algorithm::crc32c:
      return big_endian(crc32c_combine(x32, y32, length_of_b), size);
    case Algorithm::crc64nvme:
      return big_endian(crc64nvme_combine(x, y, length_of_b), size);
    case Algorithm::none:
    case Algorithm::sha1:
    case Algorithm::sha256:
    case Algorithm::md5:
    case Algorithm::sha512:
    case Algorithm::xxhash64:
    case Algorithm::xxhash3:
    case Algorithm::xxhash128:
      break;
  }
  return fail(Errc::invalid_argument);
}

std::size_t size_of(Algorithm algorithm) { return info(algorithm).size; }
std::string_view name(Algorithm algorithm) { return info(algorithm).name; }
std::string_view header_name(Algorithm algorithm) { return info(algorithm).header; }

std::optional<Algorithm> parse_name(std::string_view text) {
  for (const Algorithm a : kAlgorithms) {
    if (same_text(name(a), text)) {
      return a;
    }
  }
  return std::nullopt;
}

std::optional<Algorithm> parse_header_name(std::string_view text) {
  for (const Algorithm a : kAlgorithms) {
    if (same_text(header_name(a), text)) {
      return a;
    }
  }
  return std::nullopt;
}

}  // namespace outcrop::digest
