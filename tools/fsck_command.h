// `outcrop fsck`: is the store of a configuration whole? Offline, and nothing is changed.
#pragma once

namespace CLI {
class App;
}

namespace outcrop {

/// Adds the command to `app`; it sets `exit_code` (0 clean, 1 problems, 2 could not check).
void add_fsck_command(CLI::App& app, int& exit_code);

}  // namespace outcrop
