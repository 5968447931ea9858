// `outcrop quota`: what buckets hold, and what they may hold, of a running server.
#pragma once
#include <CLI/CLI.hpp>

namespace outcrop {

void add_quota_command(CLI::App& app, int& exit_code);

}  // namespace outcrop
