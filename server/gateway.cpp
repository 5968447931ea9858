#include "server/gateway.h"

#include <atomic>
#include <ctime>
#include <numeric>

#include "api/admin/handler.h"
#include "api/iam/handler.h"
#include "api/s3/handler.h"
#include "api/s3/lifecycle_job.h"
#include "auth/access/export_rights.h"
#include "auth/authenticator.h"
#include "auth/key_store.h"
#include "server/account_admin.h"
#include "server/admin_sources.h"
#include "server/bucket_admin.h"
#include "server/crash_guard.h"
#include "server/drive_admin.h"
#include "server/health.h"
#include "server/http_group.h"
#include "server/identity_parts.h"
#include "server/kms_key_admin.h"
#include "server/late_key_ring.h"
#include "server/memory_plan.h"
#include "server/nfs_server.h"
#include "server/oidc.h"
#include "server/open_disks.h"
#include "server/quota_members.h"
#include "server/runtime.h"
#include "server/service_config.h"
#include "server/start_anew.h"
#include "server/store_sample.h"
#include "server/tls.h"
#include "server/token_registry.h"
#include "storage/digest/md5_engine.h"
#include "storage/engine/engine.h"
#include "storage/engine/periodic.h"
#include "storage/io/faults.h"

namespace outcrop::server {
namespace {

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(s3::OpId::other_unsupported); ++i) {
    names.emplace_back(s3::op_name(static_cast<s3::OpId>(i)));
  }
  return names;
}

HttpOptions s3_options(const Config& config) {
  return {.max_connections = config.max_connections,
          .max_connections_per_address = config.max_connections_per_address,
          .log_requests = config.log_requests};
}

std::vector<unsigned> all_workers(const Runtime& runtime) {
  std::vector<unsigned> all(runtime.workers());
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

}  // namespace

/// In the order they are made; destroyed in reverse, after the workers have stopped.
struct Gateway::Parts {
  explicit Parts(const Config& c) : config(c), runtime(c.workers) {}
  ~Parts() { std::ignore = halt(std::chrono::seconds(0)); }

  AccountParts account_parts() const;
  BucketParts bucket_parts() const;
  Result<void> open_audit();
  Result<void> open_admin();
  Result<void> open_store();
  engine::EngineRuntime engine_runtime();
  void note_drives();
  Result<void> open_s3();
  void start_lifecycle();
  void start_safe_mode();
  Result<void> load_keys();
  Result<void> open_identities();
  Result<void> open_nfs();
  Result<void> halt(std::chrono::nanoseconds patience);
  std::vector<admin::Check> checks() const;
  std::string metrics() const;

  const Config config;
  const MemoryPlan memory =
      plan_memory(config.memory_limit, cgroup_memory_limit("/"), physical_memory());
  const std::time_t started = std::time(nullptr);
  SystemClock machine_clock;
  FlooredClock clock{machine_clock, clock_is_synchronized};
  SystemRandom random;
  Runtime runtime;
  ByteBudget budget{memory.in_flight};
  ByteBudget admin_budget{kStreamBytes};  // a full S3 budget must not silence health checks
  std::shared_ptr<io::FaultPlan> faults;
  std::vector<std::unique_ptr<io::IoBackend>> backends;
  std::vector<std::unique_ptr<digest::Md5Engine>> md5_engines;
  std::unique_ptr<io::Disk> state_dir;
  LateKeyRing key_ring;  // outlives the store, which borrows it
  DriveList drive_list{config.state_dir, config.drives};
  DriveOpener opener;
  std::atomic<bool> restart{false};
  std::unique_ptr<engine::Engine> store;
  std::atomic<engine::Engine*> open_engine{nullptr};  // what the admin worker may look at
  std::unique_ptr<audit::AuditLog> audit;             // null: off
  std::unique_ptr<TokenRegistry> tokens;
  auth::Credential root;
  std::unique_ptr<identity::IdentityStore> identities;
  std::unique_ptr<Oidc> oidc;
  std::unique_ptr<access::AccessTable> bucket_access;
  std::unique_ptr<QuotaMembers> quota_members;
  std::unique_ptr<s3::SettingsTable> bucket_settings;
  std::unique_ptr<keys::Vault> vault;
  std::unique_ptr<auth::Authenticator> authenticator;
  std::unique_ptr<s3::LifecycleJob> lifecycle;
  std::unique_ptr<engine::Periodic> lifecycle_passes;
  SafeMode safe_mode;                          // none: lasts 0
  std::atomic<bool> safe{false};               // in it now
  std::unique_ptr<engine::Periodic> safe_end;  // looks whether it has lasted long enough
  std::unique_ptr<admin::RequestMetrics> requests;
  std::unique_ptr<HttpService> admin_service, s3_service;
  std::unique_ptr<HttpGroup> admin_group, s3_group;
  std::unique_ptr<NfsServer> nfs;
  DriveAdmin drives{runtime, drive_list,
                    [this] { return open_engine.load(std::memory_order_acquire); }};
};

/// What the admin worker may look at is there once S3 is served.
AccountParts Gateway::Parts::account_parts() const {
  return open_engine.load(std::memory_order_acquire) != nullptr
             ? AccountParts{identities.get(), bucket_access.get(), &store->quota_groups()}
             : AccountParts{};
}
BucketParts Gateway::Parts::bucket_parts() const {
  engine::Engine* const e = open_engine.load(std::memory_order_acquire);
  const auto etag = config.fast_etags ? s3::EtagKind::fast : s3::EtagKind::md5;
  return e ? BucketParts{&e->ns(), bucket_access.get(), bucket_settings.get(), etag}
           : BucketParts{};
}

Result<void> Gateway::Parts::open_audit() {
  if (!config.audit) {
    return ok();
  }
  audit::Options options;
  options.folder = config.audit_dir.empty() ? config.state_dir + "/audit" : config.audit_dir;
  options.limits = {.file_bytes = config.audit_file_size, .files = config.audit_files};
  options.queue_bytes = config.audit_queue;
  options.sync = config.audit_sync;
  TRY(audit, audit::AuditLog::open(std::move(options), clock));
  return ok();
}

Result<void> Gateway::Parts::open_admin() {
  HttpOptions options;
  options.log_requests = false;
  TRY(tokens, TokenRegistry::open(config.state_dir, random, clock));
  admin_service = std::make_unique<HttpService>(
      admin::make_handler(
          {.checks = [this] { return checks(); },
           .metrics = [this] { return metrics(); },
           .v1 = {.find_caller = [this](std::string_view token) { return tokens->find(token); },
                  .exports = export_source(runtime.pool(), [this]() -> NfsServer& { return *nfs; }),
                  .drives = drives.source(),
                  .tokens =
                      token_source(runtime.pool(), [this]() -> TokenRegistry& { return *tokens; }),
                  .accounts = account_source([this] { return account_parts(); }),
                  .kms_keys = kms_key_source([this] {
                    return open_engine.load(std::memory_order_acquire) != nullptr ? vault.get()
                                                                                  : nullptr;
                  }),
                  .buckets = bucket_source([this] { return bucket_parts(); }),
                  .audit = audit.get()}}),
      options, admin_budget);
  admin_service->clock = &clock;
  // The last worker: the first one opens the store meanwhile.
  admin_group = std::make_unique<HttpGroup>(runtime, std::vector{runtime.workers() - 1},
                                            *admin_service, random);
  if (Result<void> bound = admin_group->bind(config.admin); !bound) {
    return fail(Errc::config, "server.admin: " + std::string(bound.error().detail()));
  }
  return ok();
}

Result<void> Gateway::Parts::open_store() {
  TRY(state_dir, io::open_posix_disk(config.state_dir));
  TRYV(drive_list.load());
  TRY(std::vector<std::unique_ptr<io::Disk>> disks, opener.open_present(drive_list.paths()));
  engine::EngineConfig engine_config;
  engine_config.segment_bytes = config.segment_size;
  engine_config.cache_bytes = memory.cache / 4 * 3;
  engine_config.object_cache_bytes = memory.cache / 4;
  engine_config.read_only = safe;
  engine_config.least_uptime_ns =
      std::chrono::nanoseconds(least_uptime(config.state_dir, std::time(nullptr))).count();
  engine_config.trust_clock = config.trust_clock;
  engine_config.recount = config.recount;
  engine_config.allow_reduced_redundancy = config.allow_reduced_redundancy;
  engine_config.scrub_period_seconds = static_cast<std::uint64_t>(config.scrub_period.count());
  engine_config.restripe_after_ns = std::chrono::nanoseconds(config.restripe_after).count();
  engine_config.rebalance_after_ns = std::chrono::nanoseconds(config.rebalance_after).count();
  engine_config.payload_cache_bytes = memory.payloads;
  engine_config.write_buffer_bytes = memory.writes;
  engine_config.extent_cache_bytes = memory.chunks;
  TRY(store,
      runtime.run_on(0, engine::Engine::open(std::move(disks), engine_config, engine_runtime())));
  note_drives();
  return ok();
}

engine::EngineRuntime Gateway::Parts::engine_runtime() {
  engine::EngineRuntime out{
      .clock = clock,
      .random = random,
      .pool = runtime.pool(),
      .workers = runtime.contexts(),
      .backends = {},
      .state_dir = state_dir.get(),
      .forgotten = [this](const std::string& uuid) { return drive_list.forget(uuid); },
      .look = [this](const auto& in_use) { return opener.look(drive_list.paths(), in_use); },
      .replaces = [this](const std::string& path) { return drive_list.replaces(path); },
      .returned =
          [this](const std::string& path, const std::string& uuid) {
            if (const auto noted = drive_list.joined(path, uuid); !noted) {
              log::warn("where a drive is is not noted down",
                        {{"drive", path}, {"error", noted.error().describe()}});
            }
          },
      .restart =
          [this](const std::string&) {
            restart = true;
            Runtime::stop_process();
          },
      .floor = &clock,
      .keys = &key_ring};
  for (const std::unique_ptr<io::IoBackend>& b : backends) {
    out.backends.push_back(b.get());
  }
  return out;
}

void Gateway::Parts::note_drives() {
  std::vector<DriveList::Drive> members;
  for (const engine::DriveStatus& d : store->stats().drives) {
    members.push_back({.path = d.path, .uuid = d.uuid, .added = false});
  }
  if (const Result<void> noted = drive_list.settle(members); !noted) {
    log::warn("where the drives are is not noted down", {{"error", noted.error().describe()}});
  }
}

Result<void> Gateway::Parts::load_keys() {
  TRY(root, auth::load_root_credential({.access_key = config.root_access_key,
                                        .secret_key = config.root_secret_key,
                                        .state_dir = config.state_dir},
                                       random));
  return ok();
}

Result<void> Gateway::Parts::open_identities() {
  TRY(IdentityParts opened, server::open_identities({.config = config,
                                                     .runtime = runtime,
                                                     .store = *store,
                                                     .clock = clock,
                                                     .random = random,
                                                     .root = root}));
  identities = std::move(opened.identities);
  bucket_access = std::move(opened.access);
  bucket_settings = std::move(opened.settings);
  vault = std::move(opened.vault);
  key_ring.set(vault.get());
  quota_members = std::make_unique<QuotaMembers>(*bucket_access, store->quota_groups());
  oidc = std::make_unique<Oidc>(runtime, config, clock, *identities);
  return ok();
}

/// Exports act as access keys do: their rights follow every change of a policy.
Result<void> Gateway::Parts::open_nfs() {
  const auto known = [this](const std::string& key) { return identities->find(key).has_value(); };
  const auto rights = [this](const nfs::Export& e) {
    const access::Rights r =
        access::rights_below(*identities, *bucket_access, e.identity, e.bucket, e.prefix);
    return nfs::Rights{.read = r.read, .write = r.write && !safe, .list = r.list};
  };
  TRYV(nfs->open(store->ns(), store->files(), {.known_identity = known, .rights = rights}));
  identities->on_change([this] { nfs->policies_changed(); });
  bucket_access->on_change([this] {
    quota_members->update();
    nfs->policies_changed();
  });
  return ok();
}

Result<void> Gateway::Parts::open_s3() {
  authenticator = std::make_unique<auth::Authenticator>(*identities, clock, auth_config_of(config));
  s3::S3Config s3_config = s3_config_of(config);
  s3_config.audit = audit.get();
  s3_config.clock = &clock;
  s3_config.access = bucket_access.get();
  s3_config.settings = bucket_settings.get();
  s3_config.vault = vault.get();
  s3_config.accounts = identities.get();
  for (const std::unique_ptr<digest::Md5Engine>& e : md5_engines) {
    s3_config.md5_engines.push_back(e.get());
  }
  s3_config.observer = [this](s3::OpId op, int status, std::uint64_t in, std::uint64_t out,
                              std::int64_t ns) {
    requests->record(static_cast<std::size_t>(op), static_cast<std::uint32_t>(status), in, out, ns);
  };
  s3_service->handler =
      iam::choose(iam::make_handler({.store = *identities,
                                     .clock = clock,
                                     .region = config.region,
                                     .audit = audit.get(),
                                     .oidc = &oidc->keys(),
                                     .rgw = config.rgw_dialect}),
                  s3::make_handler(store->ns(), *authenticator, std::move(s3_config)));
  start_lifecycle();
  start_safe_mode();
  oidc->start();
  s3_group->serve();
  open_engine.store(store.get(), std::memory_order_release);  // ready: S3 answers from here on
  return ok();
}

/// Rules count in days: a pass each hour is often enough, and a short day has as many.
void Gateway::Parts::start_lifecycle() {
  constexpr int kPassesADay = 24;
  lifecycle = std::make_unique<s3::LifecycleJob>(
      s3::LifecycleJob::Parts{.ns = store->ns(),
                              .settings = *bucket_settings,
                              .clock = clock,
                              .audit = audit.get(),
                              .day_seconds = config.lifecycle_day.count()});
  const std::chrono::milliseconds pause = config.lifecycle_day;
  lifecycle_passes = std::make_unique<engine::Periodic>(
      runtime.io(0).get_executor(), pause / kPassesADay, "a lifecycle pass did not get through",
      [this] { return lifecycle->pass(); });
  if (!safe) {
    lifecycle_passes->start();
  }
}

/// It ends by itself: nobody may be there to end it.
void Gateway::Parts::start_safe_mode() {
  if (!safe) {
    return;
  }
  log::error(safe_mode.reason, {{"read_only_for_seconds", safe_mode.lasts.count()}});
  const std::int64_t end = clock.steady_ns() + std::chrono::nanoseconds(safe_mode.lasts).count();
  safe_end = std::make_unique<engine::Periodic>(
      runtime.io(0).get_executor(), std::chrono::milliseconds(500), "the end of safe mode",
      [this, end]() -> Task<> {
        if (clock.steady_ns() >= end && safe.exchange(false)) {
          log::info("safe mode ends");
          store->resume();
          nfs->policies_changed();
          lifecycle_passes->start();
        }
        co_return ok();
      });
  safe_end->start();
}

std::vector<admin::Check> Gateway::Parts::checks() const {
  engine::Engine* const e = open_engine.load(std::memory_order_acquire);
  if (e == nullptr) {
    return {
        {.name = "storage", .ok = false, .reason = "the store is not open (starting or stopping)"}};
  }
  return health_checks(e->stats(), safe ? safe_mode.reason : std::string());
}

std::string Gateway::Parts::metrics() const {
  admin::Sample sample;
  sample.http = s3_group->totals();
  sample.process = {.resident_bytes = resident_bytes(),
                    .memory_limit_bytes = memory.total,
                    .buffer_bytes = buffer_bytes_in_use(),
                    .in_flight_bytes = budget.in_use(),
                    .start_time_seconds = static_cast<std::uint64_t>(started)};
  if (audit) {
    const audit::Stats s = audit->stats();
    sample.audit = {.written = s.written,
                    .dropped = s.dropped,
                    .suppressed = s.suppressed,
                    .write_errors = s.write_errors,
                    .queued_bytes = s.queued_bytes};
  }
  std::vector<admin::OperationTotals> operations = requests->totals();
  if (engine::Engine* const e = open_engine.load(std::memory_order_acquire); e != nullptr) {
    sample.store = sample_store(e->stats());
    sample.nfs = nfs->sample();
    std::ranges::move(nfs->totals(), std::back_inserter(operations));
  }
  return admin::render_metrics(operations, sample);
}

/// Also after a start that failed half way: whatever runs has to end before the workers can.
Result<void> Gateway::Parts::halt(std::chrono::nanoseconds patience) {
  if (!runtime.running()) {
    return ok();
  }
  if (safe_end) {
    std::ignore = runtime.run_on(0, safe_end->stop());
  }
  if (oidc) {
    oidc->cancel();
  }
  s3_group->stop(patience);
  open_engine.store(nullptr, std::memory_order_release);
  // The admin listener may be inside a look at the engine: it stops before the engine goes.
  admin_group->stop(std::chrono::seconds(1));
  nfs->stop(patience);
  if (lifecycle_passes) {
    lifecycle->stop();
    std::ignore = runtime.run_on(0, lifecycle_passes->stop());
  }
  Result<void> closed = store ? runtime.run_on(0, store->close()) : ok();
  // Last: it only reads what is in memory, and must not keep the store from being closed.
  if (oidc) {
    std::ignore = runtime.run_on(0, oidc->stop());
  }
  runtime.join();
  return closed;
}

Result<void> Gateway::format(const Config& config) {
  TRY(std::vector<std::unique_ptr<io::Disk>> disks, open_disks(config.drives));
  SystemRandom random;
  return engine::Engine::format(std::move(disks), config.parity, random);
}

Result<std::unique_ptr<Gateway>> Gateway::start(const Config& config) {
  auto parts = std::make_unique<Parts>(config);
  configure_buffer_pool(parts->memory.buffer_pool);
  Runtime& runtime = parts->runtime;
  TRY(parts->faults, plan_faults(config.test_faults));
  parts->opener = DriveOpener(parts->faults);
  parts->requests = std::make_unique<admin::RequestMetrics>(runtime.workers(), operation_names());
  // Until the store is open there is no handler, and nothing accepts.
  parts->s3_service =
      std::make_unique<HttpService>(http::Handler(), s3_options(config), parts->budget);
  if (!config.tls_cert.empty()) {
    TRY(parts->s3_service->tls, make_tls_context(config.tls_cert, config.tls_key));
  }
  parts->s3_service->clock = &parts->clock;
  parts->s3_group =
      std::make_unique<HttpGroup>(runtime, all_workers(runtime), *parts->s3_service, parts->random);
  for (unsigned i = 0; i < runtime.workers(); ++i) {
    TRY(std::unique_ptr<io::IoBackend> backend, io::make_backend(config.io, runtime.io(i)));
    parts->backends.push_back(parts->faults ? io::make_faulty(std::move(backend), runtime.io(i))
                                            : std::move(backend));
    parts->md5_engines.push_back(std::make_unique<digest::Md5Engine>(runtime.io(i)));
  }
  parts->safe_mode = arm_crash_guard(config.state_dir, std::time(nullptr), config.safe_mode);
  parts->safe = parts->safe_mode.lasts.count() > 0;
  TRYV(parts->open_audit());
  TRYV(parts->open_admin());
  if (Result<void> bound = parts->s3_group->bind(config.s3); !bound) {
    return fail(Errc::config, "server.s3: " + std::string(bound.error().detail()));
  }
  TRYV(parts->load_keys());
  parts->nfs = std::make_unique<NfsServer>(runtime, parts->config, parts->memory, parts->budget,
                                           parts->clock, parts->random, parts->audit.get());
  TRYV(parts->nfs->prepare());
  runtime.start();
  parts->admin_group->serve();
  TRYV(parts->open_store());
  TRYV(parts->open_identities());
  TRYV(parts->open_nfs());
  TRYV(parts->open_s3());
  log::info("serving S3", {{"address", config.s3.host},
                           {"port", parts->s3_group->port()},
                           {"tls", config.tls_cert.empty() ? "no" : "yes"},
                           {"workers", runtime.workers()},
                           {"io", parts->backends.front()->name()},
                           {"memory_limit", parts->memory.total},
                           {"admin_port", parts->admin_group->port()}});
  return std::unique_ptr<Gateway>(new Gateway(std::move(parts)));
}

Gateway::Gateway(std::unique_ptr<Parts> parts) : x_parts(std::move(parts)) {}
Gateway::~Gateway() = default;

bool Gateway::wants_restart() const { return x_parts->restart; }

Result<void> Gateway::stop() { return x_parts->halt(x_parts->config.shutdown_timeout); }

}  // namespace outcrop::server
