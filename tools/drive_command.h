// `outcrop drive`: shows the drives of a running server and what repair does, adds, replaces,
// drains and removes them.
#pragma once
#include <CLI/CLI.hpp>

namespace outcrop {

void add_drive_command(CLI::App& app, int& exit_code);

}  // namespace outcrop
