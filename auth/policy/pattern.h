// Text patterns of policies: '*' is any run of characters, '?' one character, ${aws:username} a
// variable of the request. Matched from left to right with one resumption point: at most pattern
// times subject steps, no recursion, no allocation.
#pragma once
#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "auth/policy/condition_key.h"

namespace outcrop::policy {

enum class Case : std::uint8_t { sensitive, insensitive };  ///< of ASCII letters

bool same_text(std::string_view a, std::string_view b);  ///< ASCII, ignoring case
/// A pattern without variables.
bool wildcard_match(std::string_view pattern, std::string_view subject, Case letters);

/// no, yes, or not to be told: a variable without a single value, a number that is none.
enum class Truth : std::uint8_t { no, yes, unclear };

struct PatternOptions {
  bool wildcards = true;
  bool variables = true;
  Case letters = Case::sensitive;
};

class Pattern {
 public:
  static constexpr std::size_t kMaxVariables = 8;
  /// The error is the reason, for the author of the policy.
  static std::expected<Pattern, std::string> compile(std::string_view text, PatternOptions options);

  /// Variables get their values from `context`; what they stand for is plain text.
  Truth matches(std::string_view subject, const Context& context) const;
  /// Whether it is the one star that is everything.
  bool everything() const { return x_everything; }
  /// Whether some text that starts with `prefix` can match; variables count as any text.
  bool may_match_below(std::string_view prefix) const;
  bool has_variables() const { return !x_variables.empty(); }
  bool has_wildcards() const { return x_wild; }
  /// Adds the keys of its variables.
  void collect_keys(KeySet& out) const;
  /// Ends in a star: what it matches, it matches with anything behind it, too.
  bool ends_open() const { return !x_tokens.empty() && x_tokens.back().kind == Kind::run; }

 private:
  enum class Kind : std::uint8_t { text, one, run, variable };
  struct Token {
    Kind kind = Kind::text;
    std::string text{};  ///< text; for a variable, its index is `variable`
    std::size_t variable = 0;
  };
  struct Variable {
    KeyName key;
    bool has_default = false;
    std::string otherwise;
  };
  using Bound = std::array<std::string_view, kMaxVariables>;

  void add_text(std::string_view text);
  std::expected<std::size_t, std::string> add_variable(std::string_view text);
  bool bind(const Context& context, Bound& out) const;
  bool run(std::string_view subject, const Bound& bound) const;

  std::vector<Token> x_tokens;
  std::vector<Variable> x_variables;
  Case x_letters = Case::sensitive;
  bool x_everything = false, x_wild = false;
};

/// The six parts of an ARN, "arn:partition:service:region:account:resource".
struct ArnParts {
  std::array<std::string_view, 5> part;  ///< partition to resource
};
/// False if the text is no ARN.
bool split_arn(std::string_view text, ArnParts& out);

/// A pattern for ARNs: each part matches by itself, a star does not reach over a colon into the
/// next one. "*" matches everything.
class ArnPattern {
 public:
  static std::expected<ArnPattern, std::string> compile(std::string_view text, bool variables);
  Truth matches(const ArnParts& subject, const Context& context) const;
  bool everything() const { return x_everything; }
  bool has_variables() const;
  bool has_wildcards() const;
  void collect_keys(KeySet& out) const;
  const Pattern& part(std::size_t i) const { return x_parts[i]; }

 private:
  std::array<Pattern, 5> x_parts;
  bool x_everything = false;
};

}  // namespace outcrop::policy
