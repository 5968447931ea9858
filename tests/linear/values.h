// What the clients write: bodies that say which of them they are, and their ETags.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "tests/linear/history.h"

namespace outcrop::linear {

/// One thread. A Value is twice the number of the body, plus one if it came as an upload in parts:
/// the same bytes under another ETag.
class Values {
 public:
  /// A new body of `size` bytes, at least 17.
  Value make(std::size_t size, bool in_parts);
  const std::string& body(Value value) const { return x_bodies.at(value / 2); }
  /// In quotes.
  const std::string& etag(Value value) const { return x_etags.at(value); }
  std::optional<Value> of_etag(const std::string& etag) const;

 private:
  std::map<std::uint64_t, std::string> x_bodies;
  std::map<Value, std::string> x_etags;
  std::map<std::string, Value> x_values;
  std::uint64_t x_last = 0;
};

}  // namespace outcrop::linear
