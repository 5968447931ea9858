// The body of an IAM or STS request: application/x-www-form-urlencoded parameters. Bounded, pure.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"

namespace outcrop::iam {

inline constexpr std::size_t kMaxFormBytes = 128 << 10;
inline constexpr std::size_t kMaxParameters = 256;  // a provider: 100 client ids, 50 tags

class Form {
 public:
  /// invalid_argument: not UTF-8, a bad escape, a parameter twice, or too many.
  static Result<Form> parse(std::string_view body);
  std::optional<std::string_view> find(std::string_view name) const;
  /// In the order of the body.
  std::span<const std::pair<std::string, std::string>> parameters() const { return x_parameters; }
  /// Every value becomes what `to` makes of it and its name.
  template <class To>
  void rewrite(const To& to) {
    for (auto& [name, value] : x_parameters) {
      value = to(name, value);
    }
  }
  std::string get(std::string_view name) const { return std::string(find(name).value_or("")); }

 private:
  std::vector<std::pair<std::string, std::string>> x_parameters;
};

}  // namespace outcrop::iam
