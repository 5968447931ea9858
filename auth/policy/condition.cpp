#include "auth/policy/condition.h"

#include <algorithm>

#include "auth/policy/condition_value.h"
#include "storage/digest/text.h"

namespace outcrop::policy {
namespace {

constexpr unsigned kLeastFixedBitsV4 = 96 + 8, kLeastFixedBitsV6 = 32;

Truth of(bool yes) { return yes ? Truth::yes : Truth::no; }
Truth negate(Truth t) { return t == Truth::unclear ? t : of(t == Truth::no); }
/// A yes decides; else one that is unclear.
Truth either(Truth a, Truth b) {
  if (a == Truth::yes || b == Truth::yes) {
    return Truth::yes;
  }
  return a == Truth::unclear || b == Truth::unclear ? Truth::unclear : Truth::no;
}
/// A no decides; else one that is unclear.
Truth both(Truth a, Truth b) { return negate(either(negate(a), negate(b))); }

}  // namespace

Condition::Condition() = default;
Condition::Condition(Condition&&) noexcept = default;
Condition& Condition::operator=(Condition&&) noexcept = default;
Condition::~Condition() = default;

std::expected<Condition, std::string> Condition::compile(const Operator& op,
                                                         KeyName key,
                                                         const std::vector<std::string>& values,
                                                         bool variables) {
  Condition out;
  out.x_op = op;
  out.x_key = std::move(key);
  for (const std::string& value : values) {
    if (auto added = out.add_value(value, variables); !added) {
      return std::unexpected(added.error());
    }
  }
  return out;
}

std::expected<void, std::string> Condition::add_value(const std::string& text, bool variables) {
  const auto refuse = [&](std::string_view what) {
    return std::unexpected("Invalid " + std::string(what) + " in condition: " + text);
  };
  switch (x_op.comparison) {
    case Comparison::string:
    case Comparison::string_like: {
      auto pattern = Pattern::compile(
          text, {.wildcards = x_op.comparison == Comparison::string_like,
                 .variables = variables,
                 .letters = x_op.ignore_case ? Case::insensitive : Case::sensitive});
      if (!pattern) {
        return std::unexpected(pattern.error());
      }
      x_patterns.push_back(*std::move(pattern));
      return {};
    }
    case Comparison::arn: {
      auto pattern = ArnPattern::compile(text, variables);
      if (!pattern) {
        return refuse("ARN");
      }
      x_arns.push_back(*std::move(pattern));
      return {};
    }
    case Comparison::number:
    case Comparison::date: {
      const bool date = x_op.comparison == Comparison::date;
      const auto value = date ? parse_date(text) : parse_number(text);
      if (!value) {
        return refuse(date ? "date" : "number");
      }
      x_numbers.push_back(*value);
      return {};
    }
    case Comparison::address: {
      const auto block = parse_block(text);
      if (!block) {
        return refuse("IP address");
      }
      x_blocks.push_back(*block);
      return {};
    }
    case Comparison::binary: {
      auto raw = digest::from_base64(text);
      if (!raw) {
        return refuse("base64");
      }
      x_binaries.push_back(*std::move(raw));
      return {};
    }
    case Comparison::boolean:
    case Comparison::null: {
      const auto value = parse_bool(text);
      if (!value) {
        return refuse("boolean");
      }
      (*value ? x_true : x_false) = true;
      return {};
    }
  }
  return refuse("value");
}

Truth Condition::ordered(std::string_view value) const {
  const auto n = x_op.comparison == Comparison::date ? parse_date(value) : parse_number(value);
  if (!n) {
    return Truth::unclear;
  }
  return of(std::ranges::any_of(x_numbers, [&](long double v) {
    switch (x_op.order) {
      case Order::equal:
        return *n == v;
      case Order::less:
        return *n < v;
      case Order::less_equal:
        return *n <= v;
      case Order::greater:
        return *n > v;
      case Order::greater_equal:
        return *n >= v;
    }
    return false;
  }));
}

Truth Condition::any_equal(std::string_view value, const Context& context) const {
  Truth out = Truth::no;
  switch (x_op.comparison) {
    case Comparison::string:
    case Comparison::string_like:
      for (const Pattern& p : x_patterns) {
        out = either(out, p.matches(value, context));
      }
      return out;
    case Comparison::arn: {
      ArnParts parts;
      const bool arn = split_arn(value, parts);
      for (const ArnPattern& p : x_arns) {
        out = either(out, p.everything() ? Truth::yes : arn ? p.matches(parts, context) : out);
      }
      return out;
    }
    case Comparison::number:
    case Comparison::date:
      return ordered(value);
    case Comparison::address: {
      const auto address = parse_address(value);
      return address ? of(std::ranges::any_of(
                           x_blocks, [&](const AddressBlock& b) { return b.contains(*address); }))
                     : Truth::unclear;
    }
    case Comparison::binary: {
      const auto raw = digest::from_base64(value);
      return raw ? of(std::ranges::count(x_binaries, *raw) != 0) : Truth::unclear;
    }
    case Comparison::boolean: {
      const auto truth = parse_bool(value);
      return truth ? of(*truth ? x_true : x_false) : Truth::unclear;
    }
    case Comparison::null:
      break;
  }
  return out;
}

Truth Condition::judge(std::string_view value, const Context& context) const {
  const Truth equal = any_equal(value, context);
  return x_op.negated ? negate(equal) : equal;
}

Truth Condition::over_all(const Values& values, const Context& context) const {
  Truth out = Truth::yes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out = both(out, judge(values[i], context));
  }
  return out;
}

Truth Condition::over_any(const Values& values, const Context& context) const {
  Truth out = Truth::no;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out = either(out, judge(values[i], context));
  }
  return out;
}

Truth Condition::holds(const Context& context) const {
  Values values;
  context.values(x_key, values);
  if (x_op.comparison == Comparison::null) {
    return of(values.empty() ? x_true : x_false);
  }
  if (values.empty() && x_op.if_exists) {
    return Truth::yes;
  }
  switch (x_op.quantifier) {
    case Quantifier::for_all:
      return over_all(values, context);
    case Quantifier::for_any:
      return over_any(values, context);
    case Quantifier::none:
      break;
  }
  // Without a quantifier, "not equal" means that no value is equal; so it holds for an absent key.
  return x_op.negated ? over_all(values, context) : over_any(values, context);
}

bool Condition::covers_below(std::string_view prefix, const Context& context) const {
  return x_op.comparison == Comparison::string_like && !x_op.negated &&
         std::ranges::any_of(x_patterns, [&](const Pattern& p) {
           return p.ends_open() && p.matches(prefix, context) == Truth::yes;
         });
}

void Condition::collect_keys(KeySet& out) const {
  out.set(static_cast<std::size_t>(x_key.key));
  for (const Pattern& pattern : x_patterns) {
    pattern.collect_keys(out);
  }
  for (const ArnPattern& pattern : x_arns) {
    pattern.collect_keys(out);
  }
}

bool Condition::fixed() const {
  switch (x_op.comparison) {
    case Comparison::string:
    case Comparison::string_like:
      return std::ranges::none_of(
          x_patterns, [](const Pattern& p) { return p.has_wildcards() || p.has_variables(); });
    case Comparison::arn:
      return std::ranges::none_of(x_arns, [](const ArnPattern& p) {
        return p.everything() || p.has_variables() || p.part(3).has_wildcards();
      });
    case Comparison::address:
      return std::ranges::all_of(x_blocks, [](const AddressBlock& b) {
        const AddressBlock v4 = *parse_block("0.0.0.0/0");
        return v4.contains(b) ? b.bits >= kLeastFixedBitsV4
                              : b.bits >= kLeastFixedBitsV6 && !b.contains(v4);
      });
    default:
      return false;
  }
}

}  // namespace outcrop::policy
