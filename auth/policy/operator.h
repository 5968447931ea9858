// The operators of the Condition element, by name. Source: IAM JSON policy elements: Condition
// operators.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace outcrop::policy {

/// What two values are compared as.
enum class Comparison : std::uint8_t {
  string,       ///< equal, variables
  string_like,  ///< wildcards and variables
  number,
  date,
  boolean,
  binary,
  address,
  arn,
  null,  ///< whether the key is there
};
enum class Order : std::uint8_t { equal, less, less_equal, greater, greater_equal };
enum class Quantifier : std::uint8_t { none, for_any, for_all };

struct Operator {
  Comparison comparison = Comparison::string;
  Order order = Order::equal;
  bool negated = false;
  bool ignore_case = false;
  bool if_exists = false;
  Quantifier quantifier = Quantifier::none;
};

/// "ForAnyValue:StringLikeIfExists", in any case. Empty: no such operator.
std::optional<Operator> parse_operator(std::string_view name);

}  // namespace outcrop::policy
