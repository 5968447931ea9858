// `outcrop selftest`: does a running server do what it should?
#pragma once

namespace CLI {
class App;
}

namespace outcrop {

/// Adds the command to `app`; it sets `exit_code` (0 all passed, 1 not, 2 could not begin).
void add_selftest_command(CLI::App& app, int& exit_code);

}  // namespace outcrop
