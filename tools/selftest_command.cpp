#include "tools/selftest_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "tools/selftest/run.h"

namespace outcrop {
namespace {

namespace json = boost::json;
using selftest::Outcome;
using selftest::Verdict;

constexpr const char* kFooter =
    "\nExamples\n"
    "  After an upgrade, on the box itself, with drives and NFS:\n"
    "    outcrop selftest --endpoint http://127.0.0.1:9000 --admin 127.0.0.1:9001 \\\n"
    "        --token-file STATE_DIR/admin-token --nfs 127.0.0.1:2049\n"
    "  From a client host, on an export that is there:\n"
    "    outcrop selftest --endpoint https://s3.example.com --nfs nas.example.com:2049/datasets\n"
    "A bucket with a random name is made and removed again, also after a failure or Ctrl-C. "
    "Credentials\n"
    "come from --access-key and --secret-key, or from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY "
    "and\n"
    "AWS_SESSION_TOKEN. Exit code: 0 all checks passed, 1 some did not, 2 it could not begin.\n";

constexpr int kNotAll = 1, kNotBegun = 2;

struct State {
  selftest::Options options;
  std::string endpoint = "http://127.0.0.1:9000", nfs, nfs_bucket, nfs_version = "4.1";
  tools::AdminAccess admin;
  std::string token_file;
  CLI::Option* admin_option = nullptr;
  unsigned nfs_uid = 0;
  bool json = false;
};

/// "/datasets" is the bucket datasets unless --nfs-bucket BUCKET[/prefix] says otherwise.
Result<void> complete_nfs(State& state) {
  TRY(selftest::NfsPlace place, selftest::parse_nfs_place(state.nfs));
  if (state.nfs_version != "3" && state.nfs_version != "4.1") {
    return fail(Errc::config, "--nfs-version: 3 or 4.1");
  }
  place.session = state.nfs_version == "4.1";
  place.uid = state.nfs_uid;
  if (place.path.empty() && !state.options.admin) {
    return fail(Errc::config,
                "--nfs: name an export, HOST:PORT/export, or give --admin: then the scratch bucket "
                "is exported for the test");
  }
  if (!place.path.empty()) {
    const std::string bucket =
        state.nfs_bucket.empty() ? place.path.substr(place.path.rfind('/') + 1) : state.nfs_bucket;
    const std::size_t slash = bucket.find('/');
    state.options.nfs_bucket = bucket.substr(0, slash);
    place.prefix = slash == std::string::npos ? "" : bucket.substr(slash + 1) + "/";
  }
  state.options.nfs = std::move(place);
  return ok();
}

Result<void> complete(State& state) {
  bench::Options& s3 = state.options.s3;
  TRY(s3.endpoint, bench::parse_endpoint(state.endpoint));
  if (s3.access_key.empty() || s3.secret_key.empty()) {
    return fail(Errc::config,
                "no credentials: --access-key and --secret-key, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY");
  }
  if (state.options.seconds <= 0 || state.options.seconds > selftest::kMostSeconds) {
    return fail(Errc::config, fmt::format("--seconds: at most {}", selftest::kMostSeconds));
  }
  if (state.admin_option->count() > 0) {
    TRY(state.admin.token, tools::find_token(state.token_file));
    state.admin.deadline = std::chrono::seconds(10);
    state.options.admin = state.admin;
  }
  return state.nfs.empty() ? ok() : complete_nfs(state);
}

void print_line(const Outcome& o) {
  constexpr std::array<const char*, 3> kVerdicts{"PASS", "FAIL", "SKIP"};
  fmt::print("{}  {:<52} {:>6.2f} s{}{}\n", kVerdicts[static_cast<std::size_t>(o.verdict)], o.name,
             o.seconds, o.why.empty() ? "" : "  ", o.why);
  std::fflush(stdout);
}

int finish(const std::vector<Outcome>& outcomes, bool as_json) {
  std::array<std::size_t, 3> counts{};
  json::array checks;
  for (const Outcome& o : outcomes) {
    constexpr std::array<const char*, 3> kVerdicts{"pass", "fail", "skipped"};
    ++counts[static_cast<std::size_t>(o.verdict)];
    checks.push_back(json::object{{"name", o.name},
                                  {"verdict", kVerdicts[static_cast<std::size_t>(o.verdict)]},
                                  {"why", o.why},
                                  {"seconds", o.seconds}});
  }
  const auto [passed, failed, skipped] = counts;
  const bool all = failed == 0 && skipped == 0;
  if (as_json) {
    const json::object out{{"passed", passed},
                           {"failed", failed},
                           {"skipped", skipped},
                           {"checks", std::move(checks)}};
    fmt::print("{}\n", json::serialize(out));
  } else {
    fmt::print("selftest: {} passed, {} failed, {} skipped\n", passed, failed, skipped);
  }
  return all ? 0 : kNotAll;
}

int run(State& state) {
  if (const Result<void> completed = complete(state); !completed) {
    fmt::print(stderr, "outcrop selftest: {}\n", completed.error().detail());
    return kNotBegun;
  }
  const auto tell = [&state](const Outcome& o) {
    if (!state.json) {
      print_line(o);
    }
  };
  const auto outcomes = selftest::run(state.options, tell);
  if (!outcomes) {
    fmt::print(stderr, "outcrop selftest: {}\n", outcomes.error().detail());
    return kNotBegun;
  }
  return finish(*outcomes, state.json);
}

void add_options(CLI::App& app, State& s) {
  bench::Options& o = s.options.s3;
  app.add_option("--endpoint", s.endpoint, "http://HOST:PORT or https://HOST[:PORT]")
      ->capture_default_str();
  app.add_option("--access-key", o.access_key, "Access key ID")->envname("AWS_ACCESS_KEY_ID");
  app.add_option("--secret-key", o.secret_key, "Secret access key")
      ->envname("AWS_SECRET_ACCESS_KEY");
  app.add_option("--session-token", o.session_token, "Token of temporary credentials")
      ->envname("AWS_SESSION_TOKEN");
  app.add_option("--region", o.region, "Region to sign for")->capture_default_str();
  app.add_option("--ca-file", o.ca_file, "CA certificates for https (default: the system's)");
  app.add_flag("--insecure", o.insecure, "Accept any certificate");
  app.add_option("--nfs", s.nfs, "HOST:PORT[/export]: also test NFS, beside S3");
  app.add_option("--nfs-bucket", s.nfs_bucket,
                 "BUCKET[/prefix] behind the export (default: the last name of its path)");
  app.add_option("--nfs-version", s.nfs_version, "3 or 4.1")->capture_default_str();
  app.add_option("--nfs-uid", s.nfs_uid, "User and group to act as")->capture_default_str();
  s.admin_option = app.add_option("--admin", s.admin.address,
                                  "HOST:PORT of the admin API: also check the drives");
  app.add_option("--token-file", s.token_file,
                 "File with the admin token (default: OUTCROP_ADMIN_TOKEN)");
  app.add_option("--seconds", s.options.seconds, "Stop after this time")->capture_default_str();
  app.add_flag("--json", s.json, "Print one JSON object");
}

}  // namespace

void add_selftest_command(CLI::App& app, int& exit_code) {
  CLI::App* const selftest =
      app.add_subcommand("selftest", "Check that a running server does S3, and NFS, as it should");
  const auto state = std::make_shared<State>();
  add_options(*selftest, *state);
  selftest->footer(kFooter);
  selftest->callback([state, &exit_code] { exit_code = run(*state); });
}

}  // namespace outcrop
