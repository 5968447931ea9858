#include "tools/bench/process_stats.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace outcrop::bench {

Result<ProcessStats> process_stats(int pid) {
  const std::string who = pid == 0 ? "self" : std::to_string(pid);
  std::ifstream file("/proc/" + who + "/stat");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  // The second field is the command in parentheses, which may hold blanks and parentheses itself.
  const std::size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) {
    return fail(Errc::not_found, "no process " + who);
  }
  std::istringstream rest(text.substr(end_of_name + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  // proc(5), counted from the third field: utime 14, stime 15, num_threads 20, rss 24.
  if (fields.size() < 22) {
    return fail(Errc::not_found, "unexpected /proc/" + who + "/stat");
  }
  const auto number = [&](std::size_t field) {
    return std::strtoull(fields[field - 3].c_str(), nullptr, 10);
  };
  ProcessStats stats;
  stats.cpu_s =
      static_cast<double>(number(14) + number(15)) / static_cast<double>(sysconf(_SC_CLK_TCK));
  stats.threads = number(20);
  stats.rss_bytes = number(24) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return stats;
}

}  // namespace outcrop::bench
