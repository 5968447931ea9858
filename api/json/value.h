// JSON from strangers as a small tree: bounded before it is built, UTF-8 checked, and without
// duplicate names, of which parsers disagree which one counts. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace outcrop::json {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

struct Member;

struct Value {
  Kind kind = Kind::null;
  std::string text;             ///< string: decoded; number and boolean: as written
  std::vector<Value> items;     ///< of an array
  std::vector<Member> members;  ///< of an object, in the order sent; names differ

  bool is_string() const { return kind == Kind::string; }
  bool is_array() const { return kind == Kind::array; }
  bool is_object() const { return kind == Kind::object; }
  /// Null if there is no such member.
  const Value* find(std::string_view name) const;
};

struct Member {
  std::string name;
  Value value;
};

struct Limits {
  std::size_t bytes = 64 << 10;
  std::size_t depth = 16;
  std::size_t values = 16 << 10;  ///< all values of the tree together
};

/// invalid_argument: not one JSON value, a name twice in an object, or beyond the limits.
Result<Value> parse(std::string_view text, const Limits& limits);

}  // namespace outcrop::json
