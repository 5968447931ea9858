// outcropd: flags, configuration, run until a signal, exit codes (0 fine, 1 failed, 2
// configuration, 3 to be started anew).
#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <span>
#include <string>

#include "server/gateway.h"
#include "server/runtime.h"
#include "server/start_anew.h"
#include "server/tls.h"

namespace {

using namespace outcrop;

constexpr int kOk = 0, kFailed = 1, kBadConfig = 2;
/// It ended by itself and wants to be started anew, as supervisors do.
constexpr int kStartAnew = 3;
// Not in the usage: --test-faults PLAN makes drives fail on purpose (docs/durability.md).
constexpr const char* kUsage =
    "usage: outcropd --config FILE [--init | --check | --trust-clock | --recount]\n"
    "  --config FILE  the configuration (see conf/outcrop.toml)\n"
    "  --init         format the blank drives of the configuration as a new cluster, and exit\n"
    "  --trust-clock  take the machine's time, also if it is behind what the store has seen\n"
    "  --recount      count anew what buckets hold, before it serves\n"
    "  --check        check the configuration, and exit\n"
    "  --version      print the version, and exit\n"
    "  --help         print this, and exit\n";

struct Flags {
  std::string config, test_faults;
  bool trust_clock = false, recount = false, init = false, check = false;
  bool version = false, help = false;
};

/// The argument that makes no sense, if any.
std::optional<std::string> read_flags(std::span<char*> args, Flags& out) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string_view arg = args[i];
    if (arg == "--config" && i + 1 < args.size()) {
      out.config = args[++i];
    } else if (arg.starts_with("--config=")) {
      out.config = arg.substr(9);
    } else if (arg == "--test-faults" && i + 1 < args.size()) {
      out.test_faults = args[++i];
    } else if (arg == "--trust-clock") {
      out.trust_clock = true;
    } else if (arg == "--recount") {
      out.recount = true;
    } else if (arg == "--init") {
      out.init = true;
    } else if (arg == "--check") {
      out.check = true;
    } else if (arg == "--version") {
      out.version = true;
    } else if (arg == "--help" || arg == "-h") {
      out.help = true;
    } else {
      return std::string(arg);
    }
  }
  return std::nullopt;
}

int complain(const Error& error) {
  const bool config = error.code() == Errc::config;
  const std::string text = config ? std::string(error.detail()) : error.describe();
  std::fprintf(stderr, "outcropd: %s\n", text.c_str());
  return config ? kBadConfig : kFailed;
}

/// What --check can tell without touching a drive or a port.
Result<void> check(const server::Config& config) {
  for (const std::string& drive : config.drives) {
    if (!std::filesystem::is_directory(drive)) {
      return fail(Errc::config, "storage.drives: " + drive +
                                    ": no such directory; create it or mount the drive there");
    }
  }
  if (!config.tls_cert.empty()) {
    TRY(const auto context, server::make_tls_context(config.tls_cert, config.tls_key));
  }
  return ok();
}

Result<int> serve(const server::Config& config) {
  // Secrets and payload must not end up in a core file; connections need descriptors.
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  server::Runtime::raise_descriptor_limit();
  server::Runtime::block_signals();
  TRY(const std::unique_ptr<server::Gateway> gateway, server::Gateway::start(config));
  server::Runtime::wait_for_stop_signal();
  const Result<void> stopped = gateway->stop();
  if (!gateway->wants_restart()) {
    TRYV(stopped);
    log::info("stopped");
    return kOk;
  }
  // That a store without enough drives cannot be closed is why it wants to be started anew.
  log::info("stopped, to be started anew",
            {{"store", stopped ? std::string("closed") : stopped.error().describe()}});
  server::note_new_start(config.state_dir, std::time(nullptr));
  return kStartAnew;
}

Result<int> run(const Flags& flags) {
  TRY(server::Config config, server::load_config(flags.config, server::process_environment()));
  config.test_faults = flags.test_faults;
  config.trust_clock = flags.trust_clock;
  config.recount = flags.recount;
  log::configure(config.log_level, config.log_format);
  if (!flags.check && !flags.init) {
    return serve(config);
  }
  TRYV(flags.check ? check(config) : server::Gateway::format(config));
  return kOk;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  const std::span<char*> args(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
  if (const std::optional<std::string> odd = read_flags(args, flags)) {
    std::fprintf(stderr, "outcropd: %s: unknown or incomplete option\n%s", odd->c_str(), kUsage);
    return kBadConfig;
  }
  if (flags.version || flags.help) {
    std::fputs(flags.version ? "outcropd " OUTCROP_VERSION "\n" : kUsage, stdout);
    return kOk;
  }
  if (flags.config.empty()) {
    std::fprintf(stderr, "outcropd: --config is missing\n%s", kUsage);
    return kBadConfig;
  }
  if (flags.init && flags.check) {
    std::fputs("outcropd: --init and --check exclude each other\n", stderr);
    return kBadConfig;
  }
  const Result<int> done = run(flags);
  return done ? *done : complain(done.error());
}
