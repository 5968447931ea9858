#include "tools/selftest/run.h"

#include <fmt/format.h>
#include <netdb.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <csignal>
#include <random>

#include "tools/admin/answer.h"

namespace outcrop::selftest {
namespace {

namespace json = boost::json;

std::string random_name() {
  std::random_device device;
  return fmt::format("outcrop-selftest-{:08x}{:08x}", device(), device());
}

/// Our address as the NFS server sees it, if nothing on the way changes it.
Result<std::string> address_towards(const NfsPlace& place) {
  TRY(const bench::RpcTarget target, bench::RpcTarget::make(place.host, place.port));
  const int fd = ::socket(target.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_storage mine{};
  socklen_t size = sizeof mine;
  std::array<char, NI_MAXHOST> text{};
  const bool known =
      fd >= 0 &&
      ::connect(fd, reinterpret_cast<const sockaddr*>(&target.address), target.address_size) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&mine), &size) == 0 &&
      ::getnameinfo(reinterpret_cast<const sockaddr*>(&mine), size, text.data(), text.size(),
                    nullptr, 0, NI_NUMERICHOST) == 0;
  if (fd >= 0) {
    ::close(fd);
  }
  return known ? Result<std::string>(text.data())
               : fail(Errc::config, "--nfs: there is no way to " + place.host);
}

class Run {
 public:
  Run(const Options& options, std::function<void(const Outcome&)> tell)
      : x_options(options),
        x_bucket(random_name()),
        x_checks(x_stopper, std::move(tell)),
        x_timer(x_io.get_executor()),
        x_signals(x_io.get_executor(), SIGINT, SIGTERM) {}

  Result<std::vector<Outcome>> run() {
    TRY(const bench::Target target, bench::Target::make(x_options.s3));
    HttpClient client(target, x_options.s3, x_stopper, x_io.get_executor());
    x_client = &client;
    wait_for_signal();
    TRYV(run_on(x_io, all()));
    x_timer.cancel();
    x_signals.cancel();
    return x_checks.outcomes();
  }

 private:
  void wait_for_signal() {
    x_signals.async_wait([this](const boost::system::error_code& ec, int) {
      if (!ec) {
        x_stopper.stop("it was interrupted");
        wait_for_signal();
      }
    });
  }
  void give(double seconds, std::string why) {
    x_timer.expires_after(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
    x_timer.async_wait([this, why = std::move(why)](const boost::system::error_code& ec) {
      if (!ec) {
        x_stopper.stop(why);
      }
    });
  }

  Task<> all() {
    x_stopper.on_stop([this] { x_client->abort(); });
    give(x_options.seconds, fmt::format("the {} s are over", x_options.seconds));
    S3Checks s3(*x_client, x_bucket, x_options.s3.region);
    co_await s3.run(x_checks);
    if (x_options.nfs) {
      co_await nfs(s3);
    }
    if (x_options.admin) {
      co_await x_checks.run("drives: all live, nothing degraded", drives());
    }
    x_stopper.clear_actions();
    x_stopper.go_on();
    x_stopper.on_stop([this] { x_client->abort(); });
    give(kCleanSeconds, fmt::format("cleaning up took more than {} s", kCleanSeconds));
    if (x_nfs && x_nfs->made()) {
      co_await x_checks.run_always("clean up: the NFS folder goes",
                                   x_nfs->clean_up(x_io.get_executor()));
    }
    if (!x_export.empty()) {
      co_await x_checks.run_always("clean up: the export goes", remove_export());
    }
    co_await x_checks.run_always("clean up: bucket " + x_bucket + " goes", s3.clean_up());
    co_return ok();
  }

  Async<> nfs(S3Checks& scratch) {
    NfsPlace place = *x_options.nfs;
    S3Checks* s3 = &scratch;
    if (!x_options.nfs_bucket.empty()) {
      x_exported.emplace(*x_client, x_options.nfs_bucket, x_options.s3.region);
      s3 = &*x_exported;
    } else {
      place.path = "/" + x_bucket;
      if (!co_await x_checks.run("NFS: export the scratch bucket to this host", add_export())) {
        co_return;
      }
    }
    x_nfs.emplace(std::move(place), x_bucket, *s3, x_stopper);
    co_await x_nfs->run(x_checks, x_io.get_executor());
  }

  /// Blocks for a moment: nothing else is under way.
  Result<tools::AdminReply> ask(std::string_view method,
                                const std::string& target,
                                const std::string& body = {}) {
    return tools::ask_admin(*x_options.admin, method, target, body);
  }

  Task<> add_export() {
    CO_TRY(const std::string address, address_towards(*x_options.nfs));
    const std::string bits = address.find(':') == std::string::npos ? "/32" : "/128";
    const json::object wanted{{"bucket", x_bucket},
                              {"path", "/" + x_bucket},
                              {"clients", json::array{json::string(address + bits)}},
                              {"access", "rw"},
                              {"squash", "none"}};
    CO_TRY(const tools::AdminReply reply, ask("POST", "/v1/exports", json::serialize(wanted)));
    if (reply.status != 201) {
      co_return differs("POST /v1/exports", "201", fmt::format("{} {}", reply.status, reply.body));
    }
    x_export = "/" + x_bucket;
    co_return ok();
  }

  Task<> remove_export() {
    CO_TRY(const tools::AdminReply reply, ask("DELETE", "/v1/exports" + x_export));
    co_return reply.status == 204 || reply.status == 200
        ? ok()
        : Result<void>(differs("DELETE /v1/exports" + x_export, "204",
                               fmt::format("{} {}", reply.status, reply.body)));
  }

  Task<> drives() {
    CO_TRY(const tools::AdminReply reply, ask("GET", "/v1/drives"));
    boost::system::error_code ec;
    const json::value answer = json::parse(reply.body, ec);
    if (reply.status != 200 || ec || !answer.is_object()) {
      co_return differs("GET /v1/drives", "200", fmt::format("{} {}", reply.status, reply.body));
    }
    const json::object& status = answer.get_object();
    const json::object& repair = tools::object_at(status, "repair");
    for (const json::object& drive : tools::objects_in(status, "drives")) {
      CO_TRYV(expect_equal("drive " + tools::text_of(drive, "last_path"), "live",
                           tools::text_of(drive, "state")));
    }
    for (const char* what : {"degraded", "unreadable", "damaged"}) {
      CO_TRYV(expect_equal(fmt::format("{} segments", what), "0",
                           std::to_string(tools::number_of(repair, what))));
    }
    co_return tools::flag_of(status, "writable")
        ? ok()
        : Result<void>(differs("the store", "writable", "read-only"));
  }

  const Options& x_options;
  const std::string x_bucket;
  std::string x_export;  ///< one that was made
  asio::io_context x_io{1};
  Stopper x_stopper;
  Checklist x_checks;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>,
                             Executor>
      x_timer;
  asio::basic_signal_set<Executor> x_signals;
  HttpClient* x_client = nullptr;
  std::optional<S3Checks> x_exported;  ///< of the bucket of an export that is there
  std::optional<NfsChecks> x_nfs;
};

}  // namespace

Result<NfsPlace> parse_nfs_place(const std::string& text) {
  const auto wrong = [&text] {
    return fail(Errc::config,
                "--nfs: '" + text + "' is not HOST:PORT or HOST:PORT/export, as server:2049/data");
  };
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string::npos) {
    return wrong();
  }
  const std::size_t slash = text.find('/', bracket), colon = text.find(':', bracket);
  const std::string port =
      colon == std::string::npos || colon > slash ? "" : text.substr(colon + 1, slash - colon - 1);
  NfsPlace out;
  out.host = bracket > 0 ? text.substr(1, bracket - 1) : text.substr(0, std::min(colon, slash));
  out.path = slash == std::string::npos || slash + 1 == text.size() ? "" : text.substr(slash);
  const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  const bool good = ec == std::errc{} && end == port.data() + port.size() && out.port > 0 &&
                    out.port <= 65'535 && !out.host.empty();
  return good ? Result<NfsPlace>(std::move(out)) : wrong();
}

Result<std::vector<Outcome>> run(const Options& options,
                                 const std::function<void(const Outcome&)>& tell) {
  Run one(options, tell);
  return one.run();
}

}  // namespace outcrop::selftest
