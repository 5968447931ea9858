// The commands `outcrop bench s3` and `outcrop bench nfs`.
#pragma once

namespace CLI {
class App;
}

namespace outcrop {

/// Adds the commands with their options to `app`. The one that was given sets `exit_code`.
void add_bench_command(CLI::App& app, int& exit_code);
/// Its part below `bench`.
void add_bench_nfs_command(CLI::App& bench, int& exit_code);

}  // namespace outcrop
