#include "tools/admin/answer.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace outcrop::tools {

namespace json = boost::json;

std::string text_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

std::uint64_t number_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  boost::system::error_code ec;
  const auto number = v != nullptr && v->is_number() ? v->to_number<double>(ec) : 0.0;
  return number > 0 ? static_cast<std::uint64_t>(number) : 0;
}

std::string json_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  return v != nullptr ? json::serialize(*v) : std::string();
}

std::vector<json::object> objects_in(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  std::vector<json::object> out;
  if (v != nullptr && v->is_array()) {
    for (const json::value& item : v->get_array()) {
      if (item.is_object()) {
        out.push_back(item.get_object());
      }
    }
  }
  return out;
}

const json::object& object_at(const json::object& o, std::string_view name) {
  static const json::object kNone;
  const json::value* const v = o.if_contains(name);
  return v != nullptr && v->is_object() ? v->get_object() : kNone;
}

bool flag_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  return v != nullptr && v->is_bool() && v->get_bool();
}

}  // namespace outcrop::tools
