#include "server/export_json.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "server/export_fields.h"

namespace outcrop::server {
namespace {

namespace json = boost::json;

std::optional<ConfigValue> value_of(const json::value& v) {
  if (v.is_string()) {
    return std::string(v.get_string());
  }
  if (v.is_int64()) {
    return v.get_int64();
  }
  if (v.is_bool()) {
    return v.get_bool();
  }
  if (v.is_array()) {
    std::vector<std::string> list;
    for (const json::value& item : v.get_array()) {
      if (!item.is_string()) {
        return std::nullopt;
      }
      list.emplace_back(item.get_string());
    }
    return list;
  }
  return std::nullopt;
}

json::value json_of(const ConfigValue& v) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&v)) {
    json::array out;
    for (const std::string& item : *list) {
      out.emplace_back(item);
    }
    return out;
  }
  if (const auto* n = std::get_if<std::int64_t>(&v)) {
    return *n;
  }
  if (const auto* b = std::get_if<bool>(&v)) {
    return *b;
  }
  return json::value(std::get<std::string>(v));
}

}  // namespace

json::object export_to_json(const nfs::Export& e) {
  json::object out;
  for (const std::string_view name : export_fields()) {
    out.emplace(name, json_of(export_field(e, name)));
  }
  return out;
}

Result<nfs::Export> export_from_json(const json::value& value) {
  const json::object* const object = value.if_object();
  if (object == nullptr) {
    return fail(Errc::invalid_argument, "expected an object with the fields of an export");
  }
  nfs::Export out;
  for (const auto& [key, item] : *object) {
    const std::string name(key);
    if (std::ranges::count(export_fields(), name) == 0) {
      return fail(Errc::invalid_argument, name + ": unknown field");
    }
    const std::optional<ConfigValue> v = value_of(item);
    const std::optional<Expected> expected =
        v ? set_export_field(out, name, *v) : std::optional<Expected>("a single value");
    if (expected) {
      return fail(Errc::invalid_argument, name + ": expected " + *expected);
    }
  }
  if (std::string complaint = finish_export(out); !complaint.empty()) {
    return fail(Errc::invalid_argument, std::move(complaint));
  }
  return out;
}

}  // namespace outcrop::server
