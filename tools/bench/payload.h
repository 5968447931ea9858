// The bytes that are uploaded: one random block, repeated as often as an object needs, with its
// hashes computed before the measurement.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "storage/base/bytes.h"
#include "storage/digest/algorithm.h"

namespace outcrop::bench {

class Payload {
 public:
  struct Body {
    std::uint64_t size;
    std::string sha256;    ///< hex
    std::string checksum;  ///< base64; empty without an algorithm
  };

  /// Random, so that nothing can compress or deduplicate it within an object smaller than the
  /// block.
  Payload(std::uint64_t largest, digest::Algorithm checksum, bool sign);

  /// Hashes once per length; call for every length before the threads start.
  void prepare(std::uint64_t size);
  /// A length given to prepare() before. Any thread.
  const Body& body(std::uint64_t size) const { return x_bodies.at(size); }
  ConstBytes block() const { return x_block; }
  digest::Algorithm checksum() const { return x_checksum; }

 private:
  ByteVector x_block;
  digest::Algorithm x_checksum;
  bool x_sign;
  std::map<std::uint64_t, Body> x_bodies;
};

}  // namespace outcrop::bench
