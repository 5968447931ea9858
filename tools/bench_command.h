// The command `outcrop bench s3`.
#pragma once

namespace CLI {
class App;
}

namespace outcrop {

/// Adds the command with its options to `app`. When it was given, running it sets `exit_code`.
void add_bench_command(CLI::App& app, int& exit_code);

}  // namespace outcrop
