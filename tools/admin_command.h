// What the commands that talk to the admin API of a running server share.
#pragma once
#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "tools/admin_client.h"

namespace outcrop::tools {

inline constexpr int kRefused = 1, kNotAsked = 2;  ///< exit codes

/// How to reach the server, from the options of a command.
struct AdminOptions {
  AdminAccess access;
  std::string token_file;
};
void add_admin_options(CLI::App& command, AdminOptions& options);

/// Asks; prints what went wrong and sets `exit_code`. Empty: it did.
std::optional<std::string> ask(AdminOptions& options,
                               int& exit_code,
                               std::string_view method,
                               const std::string& target,
                               const std::string& body = {});

/// "" for what is no text.
std::string text_of(const boost::json::object& o, std::string_view name);
/// 0 for what is no positive number.
std::uint64_t number_of(const boost::json::object& o, std::string_view name);
/// The array `name` of the object that `body` is; what makes no sense is said, with `exit_code`.
std::optional<boost::json::array> array_of(const std::string& body,
                                           std::string_view name,
                                           int& exit_code);
/// The answer as a JSON object; what makes no sense is said, with `exit_code`.
std::optional<boost::json::object> parse_answer(const std::string& body, int& exit_code);

}  // namespace outcrop::tools
