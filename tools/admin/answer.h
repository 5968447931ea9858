// Members of a JSON answer of the admin API. Nothing throws: what is not there, or is something
// else, counts as empty.
#pragma once
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outcrop::tools {

/// "" for what is no text.
std::string text_of(const boost::json::object& o, std::string_view name);
/// 0 for what is no positive number.
std::uint64_t number_of(const boost::json::object& o, std::string_view name);
/// As it came; "" for what is not there.
std::string json_of(const boost::json::object& o, std::string_view name);
/// The objects in the array `name`; what is none is left out.
std::vector<boost::json::object> objects_in(const boost::json::object& o, std::string_view name);
const boost::json::object& object_at(const boost::json::object& o, std::string_view name);
bool flag_of(const boost::json::object& o, std::string_view name);

}  // namespace outcrop::tools
