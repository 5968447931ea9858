// outcrop audit verify: the hash chain of audit log files.
#pragma once
#include <CLI/CLI.hpp>

namespace outcrop {

/// Adds the subcommand. `exit_code` becomes 1 if the chain is not intact and 2 for bad arguments.
void add_audit_command(CLI::App& app, int& exit_code);

}  // namespace outcrop
