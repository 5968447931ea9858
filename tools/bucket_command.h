// outcrop bucket list|set: settings of buckets that no S3 request has, of a running server.
#pragma once
#include <CLI/CLI.hpp>

namespace outcrop {

/// Adds the subcommand. `exit_code` becomes 1 if the server refuses and 2 if it cannot be asked.
void add_bucket_command(CLI::App& app, int& exit_code);

}  // namespace outcrop
