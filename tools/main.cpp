// The outcrop command line. Options that make no sense end with exit code 2; what else an exit code
// says, each command defines.
#include <CLI/CLI.hpp>
#include <csignal>

#include "tools/account_command.h"
#include "tools/audit_command.h"
#include "tools/bench_command.h"
#include "tools/bucket_command.h"
#include "tools/drive_command.h"
#include "tools/export_command.h"
#include "tools/fsck_command.h"
#include "tools/kms_key_command.h"
#include "tools/quota_command.h"
#include "tools/selftest_command.h"
#include "tools/token_command.h"

namespace {

constexpr int kBadOptions = 2;

}  // namespace

int main(int argc, char** argv) {
  // A server that goes away is an error value of the write, not the end of this process.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("outcrop: the command line of the Outcrop object store", "outcrop");
  app.set_version_flag("--version", "outcrop " OUTCROP_VERSION, "Print the version, and exit");
  app.require_subcommand(1);
  int exit_code = 0;
  outcrop::add_audit_command(app, exit_code);
  outcrop::add_bench_command(app, exit_code);
  outcrop::add_bucket_command(app, exit_code);
  outcrop::add_drive_command(app, exit_code);
  outcrop::add_export_command(app, exit_code);
  outcrop::add_fsck_command(app, exit_code);
  outcrop::add_quota_command(app, exit_code);
  outcrop::add_selftest_command(app, exit_code);
  outcrop::add_token_command(app, exit_code);
  outcrop::add_account_command(app, exit_code);
  outcrop::add_kms_key_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kBadOptions;  // 0: --help, --version
  }
  return exit_code;
}
