// What the commands that ask a running server share: where it is, the token, errors in words.
#pragma once
#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "tools/admin_client.h"

namespace outcrop::tools {

inline constexpr int kRefused = 1, kNotAsked = 2;  ///< exit codes

struct AdminOptions {
  AdminAccess access;
  std::string token_file;
  bool as_json = false;
};

void add_access_options(CLI::App& command, AdminOptions& options);
/// Asks; prints what went wrong. Empty: it did, and `exit_code` says how.
std::optional<std::string> ask(AdminOptions& options,
                               int& exit_code,
                               std::string_view method,
                               const std::string& target,
                               const std::string& body = {});
/// The answer as a JSON object; empty, with a message, if it is none.
std::optional<boost::json::object> parse_answer(const std::string& body, int& exit_code);
std::string text_of(const boost::json::object& o, std::string_view name);
std::uint64_t number_of(const boost::json::object& o, std::string_view name);

}  // namespace outcrop::tools
