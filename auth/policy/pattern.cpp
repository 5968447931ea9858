#include "auth/policy/pattern.h"

#include <algorithm>

namespace outcrop::policy {
namespace {

char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal(std::string_view a, std::string_view b, Case letters) {
  return letters == Case::sensitive ? a == b : same_text(a, b);
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// The bytes of the character at `at`, which is inside the text.
std::size_t character(std::string_view text, std::size_t at) {
  std::size_t n = 1;
  while (at + n < text.size() && continues_character(text[at + n])) {
    ++n;
  }
  return n;
}

enum class Step : std::uint8_t { text, one, run };
struct Piece {
  Step step = Step::text;
  std::string_view text;
};

/// `piece(i)` gives the i-th of `count` pieces.
template <class PieceAt>
bool match(std::string_view subject, std::size_t count, PieceAt&& piece_at, Case letters) {
  std::size_t at = 0, i = 0;
  std::size_t resume_at = 0, resume_i = count + 1;  // after the last star that was met
  for (;;) {
    if (i == count && at == subject.size()) {
      return true;
    }
    if (i < count) {
      const Piece piece = piece_at(i);
      if (piece.step == Step::run) {
        resume_i = ++i;
        resume_at = at;
        continue;
      }
      if (piece.step == Step::one && at < subject.size()) {
        at += character(subject, at);
        ++i;
        continue;
      }
      if (piece.step == Step::text &&
          equal(subject.substr(at, piece.text.size()), piece.text, letters)) {
        at += piece.text.size();
        ++i;
        continue;
      }
    }
    if (resume_i > count || resume_at == subject.size()) {
      return false;
    }
    resume_at += character(subject, resume_at);
    at = resume_at;
    i = resume_i;
  }
}

/// Cuts a pattern without variables into pieces as it goes: one byte of text at a time.
Piece piece_of(std::string_view pattern, std::size_t i) {
  if (pattern[i] == '*') {
    return {.step = Step::run, .text = {}};
  }
  if (pattern[i] == '?') {
    return {.step = Step::one, .text = {}};
  }
  return {.step = Step::text, .text = pattern.substr(i, 1)};
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

bool same_text(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, fold, fold);
}

bool wildcard_match(std::string_view pattern, std::string_view subject, Case letters) {
  return match(
      subject, pattern.size(), [&](std::size_t i) { return piece_of(pattern, i); }, letters);
}

void Pattern::add_text(std::string_view text) {
  if (text.empty()) {
    return;
  }
  if (x_tokens.empty() || x_tokens.back().kind != Kind::text) {
    x_tokens.push_back({});
  }
  x_tokens.back().text.append(text);
}

/// `text` starts behind "${"; gives the length up to and with "}".
std::expected<std::size_t, std::string> Pattern::add_variable(std::string_view text) {
  const std::size_t quote = text.find('\'');
  std::size_t end = text.find('}');
  Variable variable;
  std::string_view name = text.substr(0, end);
  if (quote < end) {
    const std::size_t second = text.find('\'', quote + 1);
    end = second == std::string_view::npos ? second : text.find('}', second);
    name = trim(text.substr(0, quote));
    if (end == std::string_view::npos || !name.ends_with(',') ||
        !trim(text.substr(second + 1, end - second - 1)).empty()) {
      return std::unexpected("A policy variable has a malformed default value.");
    }
    name.remove_suffix(1);
    variable.has_default = true;
    variable.otherwise = text.substr(quote + 1, second - quote - 1);
  }
  if (end == std::string_view::npos) {
    return std::unexpected("A policy variable has no closing brace.");
  }
  name = trim(name);
  if (name == "*" || name == "?" || name == "$") {
    add_text(name);
    return end + 1;
  }
  const std::optional<KeyName> key = find_key(name);
  if (!key || x_variables.size() == kMaxVariables) {
    return std::unexpected(key ? std::string("A pattern has too many policy variables.")
                               : "Unknown policy variable: " + std::string(name));
  }
  variable.key = *key;
  x_tokens.push_back({.kind = Kind::variable, .text = {}, .variable = x_variables.size()});
  x_variables.push_back(std::move(variable));
  return end + 1;
}

std::expected<Pattern, std::string> Pattern::compile(std::string_view text,
                                                     PatternOptions options) {
  Pattern out;
  out.x_letters = options.letters;
  while (!text.empty()) {
    const bool run = options.wildcards && text.front() == '*';
    const bool one = options.wildcards && text.front() == '?';
    if (options.variables && text.starts_with("${")) {
      const auto length = out.add_variable(text.substr(2));
      if (!length) {
        return std::unexpected(length.error());
      }
      text.remove_prefix(2 + *length);
      continue;
    }
    if (run || one) {
      out.x_wild = true;
      const bool again = run && !out.x_tokens.empty() && out.x_tokens.back().kind == Kind::run;
      if (!again) {
        out.x_tokens.push_back({.kind = run ? Kind::run : Kind::one, .text = {}, .variable = 0});
      }
    } else {
      out.add_text(text.substr(0, 1));
    }
    text.remove_prefix(1);
  }
  out.x_everything = out.x_tokens.size() == 1 && out.x_tokens.front().kind == Kind::run;
  return out;
}

bool Pattern::bind(const Context& context, Bound& out) const {
  for (std::size_t i = 0; i < x_variables.size(); ++i) {
    Values values;
    context.values(x_variables[i].key, values);
    if (values.size() == 1) {
      out[i] = values[0];
    } else if (values.empty() && x_variables[i].has_default) {
      out[i] = x_variables[i].otherwise;
    } else {
      return false;
    }
  }
  return true;
}

bool Pattern::run(std::string_view subject, const Bound& bound) const {
  const auto piece = [&](std::size_t i) -> Piece {
    const Token& token = x_tokens[i];
    switch (token.kind) {
      case Kind::run:
        return {.step = Step::run, .text = {}};
      case Kind::one:
        return {.step = Step::one, .text = {}};
      case Kind::variable:
        return {.step = Step::text, .text = bound[token.variable]};
      case Kind::text:
        break;
    }
    return {.step = Step::text, .text = token.text};
  };
  return match(subject, x_tokens.size(), piece, x_letters);
}

Truth Pattern::matches(std::string_view subject, const Context& context) const {
  if (x_everything) {
    return Truth::yes;
  }
  Bound bound;
  if (!bind(context, bound)) {
    return Truth::unclear;
  }
  return run(subject, bound) ? Truth::yes : Truth::no;
}

void Pattern::collect_keys(KeySet& out) const {
  for (const Variable& variable : x_variables) {
    out.set(static_cast<std::size_t>(variable.key.key));
  }
}

bool Pattern::may_match_below(std::string_view prefix) const {
  std::vector<Piece> pieces;  // one byte of text each; a variable may be anything
  for (const Token& token : x_tokens) {
    for (std::size_t i = 0; token.kind == Kind::text && i < token.text.size(); ++i) {
      pieces.push_back({.step = Step::text, .text = std::string_view(token.text).substr(i, 1)});
    }
    if (token.kind != Kind::text) {
      pieces.push_back({.step = token.kind == Kind::one ? Step::one : Step::run, .text = {}});
    }
  }
  // Every way to read the prefix at once: the pieces that may come next. The last place is the end.
  std::vector<bool> next(pieces.size() + 1, false);
  next[0] = true;
  const auto pass_runs = [&] {
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      next[i + 1] = next[i + 1] || (next[i] && pieces[i].step == Step::run);
    }
  };
  pass_runs();
  for (const char c : prefix) {
    std::vector<bool> after(next.size(), false);
    for (std::size_t i = 1; continues_character(c) && i < next.size(); ++i) {
      after[i] = next[i] && pieces[i - 1].step == Step::one;  // still the character that it took
    }
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (next[i] && pieces[i].step == Step::run) {
        after[i] = true;
      } else if (next[i] && (pieces[i].step == Step::one ||
                             equal(pieces[i].text, std::string_view(&c, 1), x_letters))) {
        after[i + 1] = true;
      }
    }
    next = std::move(after);
    pass_runs();
  }
  return std::ranges::count(next, true) != 0;
}

bool split_arn(std::string_view text, ArnParts& out) {
  if (!text.starts_with("arn:")) {
    return false;
  }
  text.remove_prefix(4);
  for (std::size_t i = 0; i + 1 < out.part.size(); ++i) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      return false;
    }
    out.part[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  out.part.back() = text;
  return true;
}

std::expected<ArnPattern, std::string> ArnPattern::compile(std::string_view text, bool variables) {
  ArnPattern out;
  if (text == "*") {
    out.x_everything = true;
    return out;
  }
  ArnParts parts;
  // Colons inside ${...} do not separate: they are masked while the parts are found.
  std::string masked(text);
  for (std::size_t i = 0, inside = 0; variables && i < masked.size(); ++i) {
    inside = masked.compare(i, 2, "${") == 0 ? 1 : masked[i] == '}' ? 0 : inside;
    masked[i] = inside == 1 && masked[i] == ':' ? '.' : masked[i];
  }
  if (!split_arn(masked, parts)) {
    return std::unexpected("not an ARN");
  }
  for (std::size_t i = 0; i < parts.part.size(); ++i) {
    const std::size_t at = static_cast<std::size_t>(parts.part[i].data() - masked.data());
    auto part = Pattern::compile(text.substr(at, parts.part[i].size()), {.variables = variables});
    if (!part) {
      return std::unexpected(part.error());
    }
    out.x_parts[i] = *std::move(part);
  }
  return out;
}

Truth ArnPattern::matches(const ArnParts& subject, const Context& context) const {
  if (x_everything) {
    return Truth::yes;
  }
  Truth out = Truth::yes;
  // The resource first: it tells most apart.
  for (std::size_t i = x_parts.size(); i-- > 0;) {
    const Truth one = x_parts[i].matches(subject.part[i], context);
    if (one == Truth::no) {
      return one;
    }
    out = one == Truth::unclear ? one : out;
  }
  return out;
}

bool ArnPattern::has_variables() const {
  return std::ranges::any_of(x_parts, &Pattern::has_variables);
}
void ArnPattern::collect_keys(KeySet& out) const {
  for (const Pattern& part : x_parts) {
    part.collect_keys(out);
  }
}

bool ArnPattern::has_wildcards() const {
  return x_everything || std::ranges::any_of(x_parts, &Pattern::has_wildcards);
}

}  // namespace outcrop::policy
