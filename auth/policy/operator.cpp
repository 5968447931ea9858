#include "auth/policy/operator.h"

#include <array>

#include "auth/policy/pattern.h"

namespace outcrop::policy {
namespace {

struct Row {
  std::string_view name;
  Operator op;
};

constexpr Operator plain(Comparison c, bool negated = false, bool ignore_case = false) {
  return {.comparison = c, .negated = negated, .ignore_case = ignore_case};
}
constexpr Operator ordered(Comparison c, Order o) { return {.comparison = c, .order = o}; }

constexpr auto kOperators = std::to_array<Row>({
    {"StringEquals", plain(Comparison::string)},
    {"StringNotEquals", plain(Comparison::string, true)},
    {"StringEqualsIgnoreCase", plain(Comparison::string, false, true)},
    {"StringNotEqualsIgnoreCase", plain(Comparison::string, true, true)},
    {"StringLike", plain(Comparison::string_like)},
    {"StringNotLike", plain(Comparison::string_like, true)},
    {"NumericEquals", plain(Comparison::number)},
    {"NumericNotEquals", plain(Comparison::number, true)},
    {"NumericLessThan", ordered(Comparison::number, Order::less)},
    {"NumericLessThanEquals", ordered(Comparison::number, Order::less_equal)},
    {"NumericGreaterThan", ordered(Comparison::number, Order::greater)},
    {"NumericGreaterThanEquals", ordered(Comparison::number, Order::greater_equal)},
    {"DateEquals", plain(Comparison::date)},
    {"DateNotEquals", plain(Comparison::date, true)},
    {"DateLessThan", ordered(Comparison::date, Order::less)},
    {"DateLessThanEquals", ordered(Comparison::date, Order::less_equal)},
    {"DateGreaterThan", ordered(Comparison::date, Order::greater)},
    {"DateGreaterThanEquals", ordered(Comparison::date, Order::greater_equal)},
    {"Bool", plain(Comparison::boolean)},
    {"BinaryEquals", plain(Comparison::binary)},
    {"IpAddress", plain(Comparison::address)},
    {"NotIpAddress", plain(Comparison::address, true)},
    {"ArnEquals", plain(Comparison::arn)},
    {"ArnLike", plain(Comparison::arn)},
    {"ArnNotEquals", plain(Comparison::arn, true)},
    {"ArnNotLike", plain(Comparison::arn, true)},
    {"Null", plain(Comparison::null)},
});

/// Takes `part` off the front or the back.
bool take_front(std::string_view& text, std::string_view part) {
  const bool there = same_text(text.substr(0, part.size()), part);
  text.remove_prefix(there ? part.size() : 0);
  return there;
}
bool take_back(std::string_view& text, std::string_view part) {
  const bool there =
      text.size() >= part.size() && same_text(text.substr(text.size() - part.size()), part);
  text.remove_suffix(there ? part.size() : 0);
  return there;
}

}  // namespace

std::optional<Operator> parse_operator(std::string_view name) {
  Quantifier quantifier = Quantifier::none;
  if (take_front(name, "ForAnyValue:")) {
    quantifier = Quantifier::for_any;
  } else if (take_front(name, "ForAllValues:")) {
    quantifier = Quantifier::for_all;
  }
  const bool if_exists = take_back(name, "IfExists");
  for (const Row& row : kOperators) {
    if (!same_text(row.name, name)) {
      continue;
    }
    Operator out = row.op;
    out.if_exists = if_exists;
    out.quantifier = quantifier;
    const bool null = out.comparison == Comparison::null;
    return null && (if_exists || quantifier != Quantifier::none) ? std::nullopt
                                                                 : std::optional(out);
  }
  return std::nullopt;
}

}  // namespace outcrop::policy
