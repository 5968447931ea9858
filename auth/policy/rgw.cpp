#include "auth/policy/rgw.h"

#include <boost/algorithm/string/replace.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/json/value.h"
#include "auth/policy/principal.h"

namespace outcrop::policy {

std::string with_account(std::string_view text) {
  std::string out(text);
  for (const std::string_view service : {"arn:aws:iam::", "arn:aws:sts::"}) {
    boost::algorithm::replace_all(out, std::string(service).append(":"),
                                  std::string(service).append(kAccount).append(":"));
  }
  return out;
}

std::string without_account(std::string_view text) {
  static const std::string kRole = "arn:aws:iam::" + std::string(kAccount) + ":role/";
  return boost::algorithm::replace_all_copy(std::string(text), kRole, "arn:aws:iam:::role/");
}

std::string without_principal(std::string_view policy) {
  // What is ambiguous, as with a name twice, stays what the parser of policies refuses.
  if (!json::parse(policy, {})) {
    return std::string(policy);
  }
  boost::system::error_code ec;
  boost::json::value all = boost::json::parse(policy, ec);
  boost::json::object* const document = ec ? nullptr : all.if_object();
  boost::json::value* const statement =
      document != nullptr ? document->if_contains("Statement") : nullptr;
  if (statement == nullptr) {
    return std::string(policy);
  }
  std::size_t erased = 0;
  if (boost::json::object* const one = statement->if_object()) {
    erased = one->erase("Principal");
  } else if (boost::json::array* const several = statement->if_array()) {
    for (boost::json::value& each : *several) {
      if (boost::json::object* const object = each.if_object()) {
        erased += object->erase("Principal");
      }
    }
  }
  return erased > 0 ? boost::json::serialize(all) : std::string(policy);
}

}  // namespace outcrop::policy
