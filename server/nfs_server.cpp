#include "server/nfs_server.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <numeric>

#include "api/nfs/export_scope.h"
#include "api/nfs/portmap.h"
#include "api/nfs/reply_cache.h"
#include "api/nfs/v3/mount.h"
#include "api/nfs/v3/nfs3.h"
#include "api/nfs/v4/nfs4.h"
#include "server/export_json.h"
#include "server/tls.h"
#include "storage/base/log.h"

namespace outcrop::server {
namespace {

constexpr std::uint16_t kPortmapPort = 111;
constexpr std::uint32_t kNfs3Procedures = 22, kMount3Procedures = 6, kNfs4Operations = 76;
constexpr std::chrono::seconds kHousekeepingEvery{1};

NfsOptions options_of(const Config& config) {
  NfsOptions o;
  o.max_connections = config.max_connections;
  o.max_connections_per_address = config.max_connections_per_address;
  return o;
}

std::vector<unsigned> all_workers(const Runtime& runtime) {
  std::vector<unsigned> all(runtime.workers());
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

/// Names by number; the last is for numbers that no operation has.
template <class Name>
std::vector<std::string> names(const std::string& protocol, std::uint32_t count, Name name) {
  std::vector<std::string> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    out.push_back(name(i));
  }
  out.push_back(protocol + ".other");
  return out;
}

nfs::Observer observer_of(admin::RequestMetrics& metrics, std::uint32_t count) {
  return [&metrics, count](std::uint32_t operation, std::uint32_t status, std::uint64_t in,
                           std::uint64_t out, std::int64_t ns) {
    metrics.record(std::min(operation, count), status, in, out, ns);
  };
}

nfs::StateConfig state_config(const Config& config,
                              const MemoryPlan& memory,
                              const ns::FileSystem& files) {
  nfs::StateConfig c;
  c.boot_id = files.boot_id();
  c.lease_ns = std::chrono::nanoseconds(config.nfs_lease).count();
  c.grace_ns = std::chrono::nanoseconds(config.nfs_grace).count();
  c.limits.state_bytes = memory.nfs_state;
  c.limits.reply_cache_bytes = memory.nfs_replies;
  return c;
}

}  // namespace

/// What serves calls; made when the store is open.
struct NfsServer::Programs {
  Programs(NfsServer& server, ns::Namespace& buckets, ns::FileSystem& file_system)
      : files(file_system),
        auditor(server.x_audit == nullptr
                    ? nullptr
                    : std::make_unique<nfs::Auditor>(*server.x_audit, file_system, server.x_clock)),
        service{.buckets = buckets,
                .files = file_system,
                .exports = server.x_exports,
                .handles = *server.x_handles,
                .clock = server.x_clock,
                .random = server.x_random,
                .audit = auditor.get()},
        scope(file_system),
        replies(server.x_clock),
        state(state_config(server.x_config, server.x_memory, file_system),
              server.x_clock,
              server.x_random,
              server.x_recovery),
        v3_metrics(server.x_runtime.workers(),
                   names("nfs3",
                         kNfs3Procedures,
                         [](std::uint32_t n) {
                           return "nfs3." + std::string(nfs::v3::procedure_name(n));
                         }),
                   admin::kNfsStatuses),
        mount_metrics(server.x_runtime.workers(),
                      names("mount3",
                            kMount3Procedures,
                            [](std::uint32_t n) {
                              return "mount3." + std::string(nfs::v3::mount_procedure_name(n));
                            }),
                      admin::kNfsStatuses),
        v4_metrics(server.x_runtime.workers(),
                   names("nfs4", kNfs4Operations, nfs::v4::operation_name),
                   admin::kNfsStatuses),
        nfs3(service, scope, replies, observer_of(v3_metrics, kNfs3Procedures)),
        mount(service, scope, observer_of(mount_metrics, kMount3Procedures)),
        nfs4(service,
             state,
             server.x_registry->server_id(),
             observer_of(v4_metrics, kNfs4Operations)),
        dispatcher({&nfs3, &nfs4, &mount}) {}

  ns::FileSystem& files;
  std::unique_ptr<nfs::Auditor> auditor;
  nfs::Service service;
  nfs::ExportScope scope;
  nfs::ReplyCache replies;
  nfs::StateManager state;
  admin::RequestMetrics v3_metrics, mount_metrics, v4_metrics;
  nfs::v3::Nfs3 nfs3;
  nfs::v3::Mount3 mount;
  nfs::v4::Nfs4 nfs4;
  nfs::Dispatcher dispatcher;
  std::unique_ptr<nfs::Portmap> portmap;
  std::unique_ptr<nfs::Dispatcher> portmap_dispatcher;
};

NfsServer::NfsServer(Runtime& runtime,
                     const Config& config,
                     const MemoryPlan& memory,
                     ByteBudget& budget,
                     const Clock& clock,
                     Random& random,
                     audit::Sink* audit)
    : x_runtime(runtime),
      x_config(config),
      x_memory(memory),
      x_budget(budget),
      x_clock(clock),
      x_random(random),
      x_audit(audit),
      x_recovery(std::filesystem::path(config.state_dir) / "nfs-clients", runtime.pool()) {}

NfsServer::~NfsServer() = default;

Result<void> NfsServer::prepare() {
  TRY(x_registry, ExportRegistry::open(x_config.state_dir, x_random));
  x_handles = std::make_unique<nfs::HandleCodec>(x_registry->handle_keys());
  for (const nfs::Export& e : x_config.exports) {
    if (const std::string complaint = security_complaint(x_config, e); !complaint.empty()) {
      return fail(Errc::config, "export " + e.path + ": " + complaint);
    }
  }
  TRYV(x_registry->publish(x_config.exports, x_exports));
  x_service = std::make_unique<NfsService>(options_of(x_config), x_exports, x_budget);
  if (!x_config.nfs_tls_cert.empty()) {
    TRY(x_service->tls, make_nfs_tls_context(x_config.nfs_tls_cert, x_config.nfs_tls_key,
                                             x_config.nfs_tls_client_ca));
  }
  x_group = std::make_unique<NfsGroup>(x_runtime, all_workers(x_runtime), *x_service);
  return x_exports.list()->empty() ? ok() : bind();
}

/// What only the server knows to be wrong with an export. Under the mutex; after open().
/// invalid_argument.
Result<void> NfsServer::check(const nfs::Export& e) const {
  if (std::string complaint = security_complaint(x_config, e); !complaint.empty()) {
    return fail(Errc::invalid_argument, std::move(complaint));
  }
  if (!e.identity.empty() && !x_policies.known_identity(e.identity)) {
    return fail(Errc::invalid_argument, "identity: there is no access key " + e.identity);
  }
  return ok();
}

Result<void> NfsServer::bind() {
  if (!x_config.nfs || port() != 0) {
    return ok();
  }
  if (Result<void> bound = x_group->bind(*x_config.nfs); !bound) {
    return fail(Errc::config, "nfs.listen: " + std::string(bound.error().detail()));
  }
  x_port.store(x_group->port(), std::memory_order_relaxed);
  return ok();
}

Result<void> NfsServer::open(ns::Namespace& buckets, ns::FileSystem& files, Policies policies) {
  {
    const std::lock_guard lock(x_mutex);
    x_policies = std::move(policies);
  }
  for (const nfs::ExportPtr& e : *x_exports.list()) {
    if (!e->identity.empty() && !x_policies.known_identity(e->identity)) {
      log::error("an export allows nothing: its identity is no access key that is switched on",
                 {{"export", e->path}, {"identity", e->identity}});
    }
  }
  x_exports.decide_rights(x_policies.rights);
  x_programs = std::make_unique<Programs>(*this, buckets, files);
  const auto start = [](nfs::StateManager& state) -> Task<> { co_return co_await state.start(); };
  TRYV(x_runtime.run_on(0, start(x_programs->state)));
  x_service->dispatcher = &x_programs->dispatcher;
  x_tick = std::make_unique<Timer>(x_runtime.io(0).get_executor());
  const auto run = [](NfsServer& self) -> Async<bool> {
    co_await self.housekeeping();
    co_return true;
  };
  x_housekeeping = x_runtime.start_on(0, run(*this));
  const std::lock_guard lock(x_mutex);
  x_open = true;
  if (port() != 0) {
    TRYV(bind_portmap());
    serve();
  }
  return ok();
}

/// Port 111, over TCP and UDP, and MOUNT over UDP on the port of NFS: what clients of NFSv3 ask
/// without options.
Result<void> NfsServer::bind_portmap() {
  if (!x_config.nfs_portmap) {
    return ok();
  }
  using nfs::PortMapping;
  Programs& p = *x_programs;
  p.portmap = std::make_unique<nfs::Portmap>(
      std::vector<PortMapping>{{nfs::kProgramPortmap, 2, PortMapping::kTcp, kPortmapPort},
                               {nfs::kProgramPortmap, 2, PortMapping::kUdp, kPortmapPort},
                               {nfs::kProgramNfs, 3, PortMapping::kTcp, port()},
                               {nfs::kProgramNfs, 4, PortMapping::kTcp, port()},
                               {nfs::kProgramMount, 3, PortMapping::kTcp, port()},
                               {nfs::kProgramMount, 3, PortMapping::kUdp, port()}});
  p.portmap_dispatcher =
      std::make_unique<nfs::Dispatcher>(std::vector<nfs::Program*>{p.portmap.get()});
  x_portmap_service = std::make_unique<NfsService>(options_of(x_config), x_exports, x_budget);
  x_portmap_service->dispatcher = p.portmap_dispatcher.get();
  x_portmap_group =
      std::make_unique<NfsGroup>(x_runtime, std::vector<unsigned>{0}, *x_portmap_service);
  const Executor ex = x_runtime.io(0).get_executor();
  x_portmap_udp =
      std::make_unique<RpcDatagrams>(ex, x_exports, std::vector<nfs::Program*>{p.portmap.get()});
  x_mount_udp = std::make_unique<RpcDatagrams>(ex, x_exports, std::vector<nfs::Program*>{&p.mount});
  boost::system::error_code ec;
  const asio::ip::address address = asio::ip::make_address(x_config.nfs->host, ec);
  Result<void> bound = x_portmap_group->bind({x_config.nfs->host, kPortmapPort});
  bound = bound ? x_portmap_udp->bind({address, kPortmapPort}) : std::move(bound);
  bound = bound ? x_mount_udp->bind({address, port()}) : std::move(bound);
  if (!bound) {
    return fail(Errc::config, "nfs.portmap: " + std::string(bound.error().detail()) +
                                  "; is rpcbind running? Stop it, or set nfs.portmap = false");
  }
  return ok();
}

/// Under the mutex.
void NfsServer::serve() {
  x_group->serve();
  if (x_portmap_group) {
    x_portmap_group->serve();
    const auto start = [](RpcDatagrams& one, RpcDatagrams& two) -> Async<bool> {
      one.serve();
      two.serve();
      co_return true;
    };
    x_runtime.run_on(0, start(*x_portmap_udp, *x_mount_udp));
  }
  x_serving = true;
  log::info("serving NFS", {{"address", x_config.nfs->host},
                            {"port", port()},
                            {"tls", x_service->tls ? "yes" : "no"},
                            {"exports", x_exports.list()->size()}});
}

/// Leases, grace, and files that crashed clients had open: those go when nobody can reclaim them.
Async<> NfsServer::housekeeping() {
  bool reaped = false;
  while (!x_stopping) {
    if (const Result<void> ticked = co_await x_programs->state.tick(); !ticked) {
      log::warn("NFS client records", {{"error", ticked.error().describe()}});
    }
    if (!reaped && !x_programs->state.in_grace()) {
      const Result<void> done = co_await x_programs->files.reap_orphans();
      reaped = done.has_value();
      if (!done) {
        log::warn("removing orphans", {{"error", done.error().describe()}});
      }
    }
    x_tick->expires_after(kHousekeepingEvery);
    boost::system::error_code ignored;
    if (!x_stopping) {
      co_await x_tick->async_wait(asio::redirect_error(use_async, ignored));
    }
  }
}

void NfsServer::stop(std::chrono::nanoseconds patience) {
  {
    const std::lock_guard lock(x_mutex);
    if (std::exchange(x_stopped, true)) {
      return;
    }
  }
  if (x_group) {
    x_group->stop(patience);
  }
  if (x_portmap_group) {
    x_portmap_group->stop(std::chrono::seconds(1));
    const auto end = [](RpcDatagrams& one, RpcDatagrams& two) -> Async<bool> {
      co_await one.stop();
      co_await two.stop();
      co_return true;
    };
    x_runtime.run_on(0, end(*x_portmap_udp, *x_mount_udp));
  }
  if (x_housekeeping.valid()) {
    const auto wake = [](NfsServer& self) -> Async<bool> {
      self.x_stopping = true;
      self.x_tick->cancel();
      co_return true;
    };
    x_runtime.run_on(0, wake(*this));
    x_housekeeping.get();
  }
  // What clients hold open must let go of the store before that closes.
  x_programs.reset();
}

std::string NfsServer::list_exports() const {
  boost::json::array out;
  for (const nfs::ExportPtr& e : *x_exports.list()) {
    boost::json::object one = export_to_json(*e);
    one.emplace("source", x_registry->added(e->path) ? "admin" : "config");
    out.push_back(std::move(one));
  }
  return boost::json::serialize(boost::json::object{{"exports", std::move(out)}}) + "\n";
}

Result<std::string> NfsServer::add_export(std::string_view text) {
  boost::system::error_code ec;
  const boost::json::value value = boost::json::parse({text.data(), text.size()}, ec);
  if (ec) {
    return fail(Errc::invalid_argument, "not JSON: " + ec.message());
  }
  TRY(nfs::Export wanted, export_from_json(value));
  const std::lock_guard lock(x_mutex);
  if (!x_config.nfs || !x_open || x_stopped) {
    return fail(Errc::invalid_argument,
                x_config.nfs ? "the server is starting or stopping" : "NFS is off: set nfs.listen");
  }
  TRYV(check(wanted));
  TRY(const nfs::ExportPtr added, x_registry->add(std::move(wanted), x_exports));
  if (!x_serving) {
    TRYV(bind());
    TRYV(bind_portmap());
    serve();
  }
  log::info("export added", {{"path", added->path}, {"bucket", added->bucket}});
  return boost::json::serialize(export_to_json(*added)) + "\n";
}

Result<void> NfsServer::remove_export(std::string_view path) {
  TRYV(x_registry->remove(path, x_exports));
  log::info("export removed", {{"path", path}});
  return ok();
}

Result<std::string> NfsServer::rotate_key(bool force) {
  const std::int64_t now = x_clock.wall_ns() / 1'000'000'000;
  TRY(const nfs::HandleKeys keys, x_registry->rotate_key(x_random, now, force));
  x_handles->use(keys);
  log::info("handle key rotated", {{"number", keys.number}});
  return boost::json::serialize(
             boost::json::object{{"key_number", keys.number},
                                 {"next_rotation", now + ExportRegistry::kRotationInterval}}) +
         "\n";
}

admin::NfsSample NfsServer::sample() const {
  admin::NfsSample s;
  s.exports = x_exports.list()->size();
  for (const NfsCounters* const c : x_group->counters()) {
    s.connections += c->connections.get();
    s.accepted += c->accepted.get();
    s.refused += c->refused.get();
    s.calls += c->calls.get();
    s.in_flight += c->in_flight.get();
    s.bytes_in += c->bytes_in.get();
    s.bytes_out += c->bytes_out.get();
    s.writes += c->writes.get();
    s.bad_records += c->bad_records.get();
    s.timeouts += c->timeouts.get();
    s.resets += c->resets.get();
    s.tls_handshakes += c->tls_handshakes.get();
    s.tls_failures += c->tls_failures.get();
  }
  const nfs::StateCounts state = x_programs->state.counts();
  s.clients = state.confirmed_clients;
  s.sessions = state.sessions;
  s.opens = state.opens;
  s.state_bytes = state.state_bytes;
  return s;
}

std::vector<admin::OperationTotals> NfsServer::totals() const {
  std::vector<admin::OperationTotals> out = x_programs->v3_metrics.totals();
  for (const admin::RequestMetrics* const more :
       {&x_programs->mount_metrics, &x_programs->v4_metrics}) {
    std::ranges::move(more->totals(), std::back_inserter(out));
  }
  return out;
}

}  // namespace outcrop::server
