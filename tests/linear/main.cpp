// linear_load ENDPOINT BUCKET PREFIX CLIENTS KEYS OPERATIONS SEED FOLDER: one history, loaded and
// checked. Credentials from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Prints one line; 1 for
// violations, which go to FOLDER.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "tests/linear/checker.h"
#include "tests/linear/load.h"

namespace {

using namespace outcrop;
using namespace outcrop::linear;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

void write_down(const std::string& path, const History& history, const Check& check) {
  std::ofstream out(path);
  out << "an order of the longest prefix that has one:\n";
  for (const std::size_t event : check.order) {
    out << to_text(history[event]) << '\n';
  }
  out << "stuck at: " << to_text(history[check.stuck]) << "\nall:\n";
  for (const Event& event : history) {
    out << to_text(event) << '\n';
  }
}

int run(std::span<char*> args) {
  LoadOptions options;
  auto endpoint = bench::parse_endpoint(args[0]);
  if (!endpoint) {
    std::cerr << endpoint.error().detail() << '\n';
    return 2;
  }
  options.server.endpoint = *std::move(endpoint);
  options.server.access_key = variable("AWS_ACCESS_KEY_ID");
  options.server.secret_key = variable("AWS_SECRET_ACCESS_KEY");
  options.server.bucket = args[1];
  options.server.prefix = args[2];
  options.clients = static_cast<unsigned>(std::stoul(args[3]));
  options.keys = static_cast<unsigned>(std::stoul(args[4]));
  options.operations = std::stoull(args[5]);
  options.seed = std::stoull(args[6]);
  const Result<Observed> observed = load(options);
  if (!observed) {
    std::cerr << observed.error().detail() << '\n';
    return 2;
  }
  std::size_t events = 0, tried = 0, violations = observed->problems.size(), undecided = 0;
  for (std::size_t key = 0; key < observed->keys.size(); ++key) {
    const History& history = observed->keys[key];
    const Check found = check(history);
    events += history.size();
    tried += found.tried;
    violations += found.verdict == Verdict::violation ? 1U : 0U;
    undecided += found.verdict == Verdict::undecided ? 1U : 0U;
    if (found.verdict != Verdict::linearizable) {
      write_down(fmt::format("{}/seed-{}-key-{}.txt", args[7], options.seed, key), history, found);
    }
  }
  for (const std::string& problem : observed->problems) {
    fmt::print(std::cout, "  {}\n", problem);
  }
  fmt::print(std::cout,
             "seed {}: {} operations, {} without an answer, {} of 5xx, {} events, {} "
             "configurations, {} violations, {} undecided\n",
             options.seed, observed->operations, observed->unknown, observed->failed, events, tried,
             violations, undecided);
  return violations + undecided == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) {
    std::cerr << "linear_load ENDPOINT BUCKET PREFIX CLIENTS KEYS OPERATIONS SEED FOLDER\n";
    return 2;
  }
  return run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
}
