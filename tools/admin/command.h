// What the commands that talk to the admin API of a running server share.
#pragma once
#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "tools/admin/answer.h"
#include "tools/admin/client.h"

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

/// The answer as a JSON object; what makes no sense is said, with `exit_code`.
std::optional<boost::json::object> parse_answer(const std::string& body, int& exit_code);
/// What GET says, as a JSON object; with `as_json` it is printed instead, and there is none.
std::optional<boost::json::object> show(AdminOptions& options,
                                        bool as_json,
                                        int& exit_code,
                                        const std::string& target);

}  // namespace outcrop::tools
