// One line of a Condition element, "operator: {key: values}", compiled.
#pragma once
#include <expected>
#include <string>
#include <vector>

#include "auth/policy/condition_key.h"
#include "auth/policy/operator.h"
#include "auth/policy/pattern.h"

namespace outcrop::policy {

struct AddressBlock;

class Condition {
 public:
  /// The error is the reason, for the author of the policy. `variables`: whether the policy's
  /// version has them.
  static std::expected<Condition, std::string> compile(const Operator& op,
                                                       KeyName key,
                                                       const std::vector<std::string>& values,
                                                       bool variables);
  Condition(Condition&&) noexcept;
  Condition& operator=(Condition&&) noexcept;
  ~Condition();

  Truth holds(const Context& context) const;

  const Operator& op() const { return x_op; }
  const KeyName& key() const { return x_key; }
  /// Adds its key, and those of variables in its values.
  void collect_keys(KeySet& out) const;
  /// Whether the values pin the key down: no wildcards or variables; no more than a part of the
  /// address space. What makes a policy for everybody not public.
  bool fixed() const;
  /// Whether it holds for every value that starts with `prefix`, surely.
  bool covers_below(std::string_view prefix, const Context& context) const;

 private:
  Condition();
  std::expected<void, std::string> add_value(const std::string& text, bool variables);
  /// One value of the request against all values of the policy, before negation.
  Truth any_equal(std::string_view value, const Context& context) const;
  Truth ordered(std::string_view value) const;
  Truth judge(std::string_view value, const Context& context) const;
  Truth over_all(const Values& values, const Context& context) const;
  Truth over_any(const Values& values, const Context& context) const;

  Operator x_op;
  KeyName x_key;
  // Exactly one of these is used, by x_op.comparison.
  std::vector<Pattern> x_patterns;
  std::vector<ArnPattern> x_arns;
  std::vector<long double> x_numbers;  ///< and dates
  std::vector<AddressBlock> x_blocks;
  std::vector<std::string> x_binaries;
  bool x_true = false, x_false = false;  ///< Bool and Null
};

}  // namespace outcrop::policy
