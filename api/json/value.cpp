#include "api/json/value.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>

namespace outcrop::json {
namespace {

using boost::json::error;
using boost::json::error_code;
using Piece = boost::json::string_view;

constexpr std::size_t kUnbounded = static_cast<std::size_t>(-1);

/// Builds the tree from the parser's events; what is open lies on a stack.
class Builder {
 public:
  // The text as a whole is bounded before it gets here.
  static constexpr std::size_t max_object_size = kUnbounded;
  static constexpr std::size_t max_array_size = kUnbounded;
  static constexpr std::size_t max_key_size = kUnbounded;
  static constexpr std::size_t max_string_size = kUnbounded;

  explicit Builder(std::size_t most_values) : x_values_left(most_values) {}

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& ec) { return open(Kind::object, ec); }
  bool on_object_end(std::size_t, error_code& ec) { return close(ec); }
  bool on_array_begin(error_code& ec) { return open(Kind::array, ec); }
  bool on_array_end(std::size_t, error_code& ec) { return close(ec); }
  bool on_key_part(Piece s, std::size_t, error_code&) { return append(x_text, s); }
  bool on_key(Piece s, std::size_t, error_code&) {
    append(x_text, s);
    x_open.back().members.push_back({std::move(x_text), {}});
    x_text.clear();
    return true;
  }
  bool on_string_part(Piece s, std::size_t, error_code&) { return append(x_text, s); }
  bool on_string(Piece s, std::size_t, error_code& ec) {
    append(x_text, s);
    return add(Kind::string, ec);
  }
  bool on_number_part(Piece s, error_code&) { return append(x_text, s); }
  bool on_int64(std::int64_t, Piece s, error_code& ec) { return number(s, ec); }
  bool on_uint64(std::uint64_t, Piece s, error_code& ec) { return number(s, ec); }
  bool on_double(double, Piece s, error_code& ec) { return number(s, ec); }
  bool on_bool(bool value, error_code& ec) {
    x_text = value ? "true" : "false";
    return add(Kind::boolean, ec);
  }
  bool on_null(error_code& ec) { return add(Kind::null, ec); }
  bool on_comment_part(Piece, error_code&) { return true; }
  bool on_comment(Piece, error_code&) { return true; }

  Value take() { return std::move(x_root); }

 private:
  static bool append(std::string& to, Piece s) {
    to.append(s.data(), s.size());
    return true;
  }
  bool number(Piece s, error_code& ec) {
    append(x_text, s);
    return add(Kind::number, ec);
  }
  bool add(Kind kind, error_code& ec) {
    Value value;
    value.kind = kind;
    value.text = std::move(x_text);
    x_text.clear();
    return counted(ec) && place(std::move(value));
  }
  bool open(Kind kind, error_code& ec) {
    x_open.emplace_back().kind = kind;
    return counted(ec);
  }
  bool close(error_code& ec) {
    Value value = std::move(x_open.back());
    x_open.pop_back();
    std::vector<std::string_view> names;
    for (const Member& m : value.members) {
      names.push_back(m.name);
    }
    std::ranges::sort(names);
    if (std::ranges::adjacent_find(names) != names.end()) {
      ec = error::syntax;
      return false;
    }
    return place(std::move(value));
  }
  bool counted(error_code& ec) {
    if (x_values_left == 0) {
      ec = error::array_too_large;
      return false;
    }
    --x_values_left;
    return true;
  }
  bool place(Value value) {
    if (x_open.empty()) {
      x_root = std::move(value);
    } else if (x_open.back().kind == Kind::array) {
      x_open.back().items.push_back(std::move(value));
    } else {
      x_open.back().members.back().value = std::move(value);
    }
    return true;
  }

  std::size_t x_values_left;
  std::vector<Value> x_open;
  Value x_root;
  std::string x_text;
};

}  // namespace

const Value* Value::find(std::string_view name) const {
  const auto at = std::ranges::find(members, name, &Member::name);
  return at == members.end() ? nullptr : &at->value;
}

Result<Value> parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return fail(Errc::invalid_argument, "longer than " + std::to_string(limits.bytes) + " bytes");
  }
  boost::json::parse_options options;
  options.max_depth = limits.depth;
  boost::json::basic_parser<Builder> parser(options, limits.values);
  error_code ec;
  const std::size_t taken = parser.write_some(false, text.data(), text.size(), ec);
  if (ec || taken != text.size()) {
    return fail(Errc::invalid_argument, "not valid JSON, at byte " + std::to_string(taken));
  }
  return parser.handler().take();
}

}  // namespace outcrop::json
