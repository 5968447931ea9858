#include "tools/bench/report.h"

#include <fmt/format.h>

#include <iterator>

namespace outcrop::bench {
namespace {

constexpr double kGiB = 1 << 30;

struct Totals {
  std::uint64_t ops = 0;
  std::uint64_t bytes = 0;
  std::uint64_t errors = 0;
};

Totals totals(const Report& report) {
  Totals sum;
  for (const Report::Row& row : report.rows) {
    sum.ops += row.tally.latency_ns.count();
    sum.bytes += row.tally.bytes;
    sum.errors += row.tally.errors;
  }
  return sum;
}

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

double ms(const OpTally& op, double share) {
  return static_cast<double>(op.latency_ns.quantile(share)) / 1e6;
}

std::string cpu_line(std::string_view who, double cpu_s, const Totals& sum, double elapsed_s) {
  const auto ops = static_cast<double>(sum.ops);
  const double gib = static_cast<double>(sum.bytes) / kGiB;
  return fmt::format("{:<7}CPU {:.2f} s ({:.0f} % of a core), {:.1f} us/op, {:.3f} s/GiB\n", who,
                     cpu_s, 100 * ratio(cpu_s, elapsed_s), 1e6 * ratio(cpu_s, ops),
                     ratio(cpu_s, gib));
}

std::string json_cpu(double cpu_s, const Totals& sum) {
  return fmt::format(R"({{"seconds":{:.3f},"us_per_op":{:.3f},"s_per_gib":{:.4f}}})", cpu_s,
                     1e6 * ratio(cpu_s, static_cast<double>(sum.ops)),
                     ratio(cpu_s, static_cast<double>(sum.bytes) / kGiB));
}

}  // namespace

/// Server-sent text goes into error labels.
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string to_text(const Report& report, std::string_view heading) {
  const Totals sum = totals(report);
  std::string out = fmt::format(
      "{}, {:.2f} s\n\n"
      "{:<7}{:>10}{:>11}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>9}\n",
      heading, report.elapsed_s, "", "ops", "ops/s", "MB/s", "mean ms", "p50 ms", "p99 ms",
      "p99.9 ms", "max ms", "errors");
  for (const auto& [row_name, op] : report.rows) {
    const auto count = static_cast<double>(op.latency_ns.count());
    if (count == 0 && op.errors == 0) {
      continue;
    }
    fmt::format_to(
        std::back_inserter(out),
        "{:<7}{:>10}{:>11.1f}{:>10.1f}{:>10.3f}{:>10.3f}{:>10.3f}{:>10.3f}{:>10.3f}{:>9}\n",
        row_name, op.latency_ns.count(), ratio(count, report.elapsed_s),
        ratio(static_cast<double>(op.bytes) / 1e6, report.elapsed_s), op.latency_ns.mean() / 1e6,
        ms(op, 0.5), ms(op, 0.99), ms(op, 0.999), ms(op, 1), op.errors);
  }
  out += "\n";
  if (report.server_cpu_s) {
    out += cpu_line("server", *report.server_cpu_s, sum, report.elapsed_s);
    fmt::format_to(std::back_inserter(out), "server memory {:.1f} MiB resident, {} threads\n",
                   static_cast<double>(report.server->rss_bytes) / (1 << 20),
                   report.server->threads);
  }
  if (report.calls > 0) {
    fmt::format_to(std::back_inserter(out), "calls   {}, {:.1f} per second", report.calls,
                   ratio(static_cast<double>(report.calls), report.elapsed_s));
    if (report.server_cpu_s) {
      fmt::format_to(std::back_inserter(out), ", {:.1f} us of the server each",
                     1e6 * ratio(*report.server_cpu_s, static_cast<double>(report.calls)));
    }
    out += "\n";
  }
  out += cpu_line("client", report.client_cpu_s, sum, report.elapsed_s);
  for (const auto& [label, times] : report.errors) {
    fmt::format_to(std::back_inserter(out), "error  {} x {}\n", times, label);
  }
  return out;
}

std::string to_json(const Report& report, std::string_view parameters) {
  const Totals sum = totals(report);
  std::string out =
      fmt::format(R"({{{},"elapsed_s":{:.6f},"ops":{},"bytes":{},"errors":{},"operations":{{)",
                  parameters, report.elapsed_s, sum.ops, sum.bytes, sum.errors);
  std::string_view comma;
  for (const auto& [row_name, op] : report.rows) {
    if (op.latency_ns.count() == 0 && op.errors == 0) {
      continue;
    }
    fmt::format_to(
        std::back_inserter(out),
        R"({}"{}":{{"ops":{},"ops_per_s":{:.3f},"mb_per_s":{:.3f},"mean_ms":{:.6f},)"
        R"("p50_ms":{:.6f},"p99_ms":{:.6f},"p999_ms":{:.6f},"max_ms":{:.6f},"errors":{}}})",
        comma, row_name, op.latency_ns.count(),
        ratio(static_cast<double>(op.latency_ns.count()), report.elapsed_s),
        ratio(static_cast<double>(op.bytes) / 1e6, report.elapsed_s), op.latency_ns.mean() / 1e6,
        ms(op, 0.5), ms(op, 0.99), ms(op, 0.999), ms(op, 1), op.errors);
    comma = ",";
  }
  out += "},\"error_codes\":{";
  comma = "";
  for (const auto& [label, times] : report.errors) {
    fmt::format_to(std::back_inserter(out), "{}{}:{}", comma, json_text(label), times);
    comma = ",";
  }
  out += "}";
  if (report.calls > 0) {
    out += fmt::format(R"(,"calls":{})", report.calls);
  }
  out += ",\"client_cpu\":" + json_cpu(report.client_cpu_s, sum);
  if (report.server_cpu_s) {
    out += ",\"server_cpu\":" + json_cpu(*report.server_cpu_s, sum);
    out += fmt::format(R"(,"server_rss_bytes":{},"server_threads":{})", report.server->rss_bytes,
                       report.server->threads);
  }
  return out + "}\n";
}

}  // namespace outcrop::bench
