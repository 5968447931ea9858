#include "api/nfs/v4state/state_manager.h"

#include <algorithm>
#include <mutex>

#include "api/nfs/v4state/client_table.h"
#include "api/nfs/v4state/file_table.h"
#include "api/nfs/v4state/recovery.h"
#include "api/nfs/v4state/session_table.h"

namespace outcrop::nfs {

namespace {

/// Files whose deny modes of expired clients someone met; more wait for the next attempt.
constexpr std::size_t kMaxBrokenFiles = 1024;
constexpr std::size_t kMaxReclaimedFileSystems = 1024;  ///< of one client

Status of_store(const Error& error) {
  switch (error.code()) {
    case Errc::no_space:
      return Status::nospc;
    case Errc::read_only:
      return Status::rofs;
    default:
      return Status::io;
  }
}

}  // namespace

struct StateManager::Parts {
  Parts(StateConfig wanted, const Clock& time, Random& random, RecoveryStore& store)
      : config(std::move(wanted)),
        clock(time),
        recovery(config, time, store),
        budget(config.limits),
        sessions(config, time, random),
        files(config, time, random, budget, recovery),
        clients(config, time, random, files, sessions, recovery) {}

  /// An I/O that only a deny mode of expired clients is against: they lose it at the next tick.
  void break_later(ns::FileId file) {
    const std::lock_guard lock(mutex);
    if (broken.size() < kMaxBrokenFiles && std::ranges::find(broken, file) == broken.end()) {
      broken.push_back(file);
    }
  }

  const StateConfig config;
  const Clock& clock;
  Recovery recovery;
  Budget budget;
  SessionTable sessions;
  FileTable files;
  ClientTable clients;
  std::mutex mutex;
  std::vector<ns::FileId> broken;
};

StateManager::StateManager(StateConfig config,
                           const Clock& clock,
                           Random& random,
                           RecoveryStore& store)
    : x(std::make_unique<Parts>(std::move(config), clock, random, store)) {}

StateManager::~StateManager() = default;

Task<> StateManager::start() { return x->recovery.start(); }

Task<> StateManager::tick() {
  x->recovery.tick();
  std::vector<ns::FileId> broken;
  {
    const std::lock_guard lock(x->mutex);
    broken.swap(x->broken);
  }
  for (const ns::FileId& file : broken) {
    x->files.break_denials(file);
  }
  const bool replies_short =
      x->sessions.reserved_bytes() > x->config.limits.reply_cache_bytes / 4 * 3;
  const bool pressed = x->budget.pressed();
  x->clients.tick(pressed || replies_short);
  return x->recovery.flush();
}

const StateConfig& StateManager::config() const { return x->config; }
bool StateManager::in_grace() const { return x->recovery.in_grace(); }

StateCounts StateManager::counts() const {
  StateCounts out;
  std::tie(out.confirmed_clients, out.unconfirmed_clients) = x->clients.counts();
  out.sessions = x->sessions.size();
  out.owners = x->budget.owners;
  out.opens = x->budget.opens;
  out.lock_states = x->budget.lock_states;
  out.ranges = x->budget.ranges;
  out.revoked = x->budget.revoked;
  out.state_bytes = x->budget.bytes;
  out.reply_cache_bytes = x->sessions.reserved_bytes();
  return out;
}

Outcome<ExchangeIdResult> StateManager::exchange_id(const ExchangeIdArgs& args,
                                                    const Principal& caller) {
  return x->clients.exchange_id(args, caller);
}

Outcome<CreateSessionResult> StateManager::create_session(const CreateSessionArgs& args,
                                                          const Principal& caller,
                                                          std::uint64_t connection) {
  return x->clients.create_session(args, caller, connection);
}

Status StateManager::destroy_session(const SessionId& session,
                                     const Principal& caller,
                                     std::uint64_t connection) {
  return x->clients.destroy_session(session, caller, connection);
}

Status StateManager::destroy_client(ClientId client, const Principal& caller) {
  return x->clients.destroy_client(client, caller);
}

Outcome<BoundDirection> StateManager::bind_connection(const SessionId& id,
                                                      std::uint32_t direction,
                                                      std::uint64_t connection) {
  const SessionPtr session = x->sessions.find(id);
  if (!session) {
    return refuse(Status::badsession);
  }
  const auto wanted = static_cast<BindDirection>(direction);
  switch (wanted) {
    case BindDirection::fore:
      session->associate(connection);
      return BoundDirection::fore;
    case BindDirection::back:
      session->associate_back(connection);
      return BoundDirection::back;
    case BindDirection::fore_or_both:
    case BindDirection::back_or_both:
      session->associate(connection);
      session->associate_back(connection);
      return BoundDirection::both;
  }
  return refuse(Status::inval);
}

Status StateManager::backchannel_control(const SlotTicket& ticket, std::uint32_t program) {
  const SessionPtr session = x->sessions.find(ticket.session());
  if (!session) {
    return Status::badsession;
  }
  const std::lock_guard lock(session->back_mutex);
  if (session->back_connections.empty()) {
    return Status::noent;
  }
  session->callback_program = program;
  return Status::ok;
}

Status StateManager::reclaim_complete(const ClientRef& client,
                                      std::optional<std::uint64_t> file_system) {
  if (!file_system) {
    if (client->reclaim_complete.exchange(true)) {
      return Status::complete_already;
    }
    x->recovery.complete(*client);
    return Status::ok;
  }
  const std::lock_guard lock(client->mutex);
  if (client->reclaimed_file_systems.contains(*file_system)) {
    return Status::complete_already;
  }
  // Nothing depends on it but this answer: a client with more is just not told of repeats.
  if (client->reclaimed_file_systems.size() < kMaxReclaimedFileSystems) {
    client->reclaimed_file_systems.insert(*file_system);
  }
  return Status::ok;
}

SequenceResult StateManager::sequence(const SequenceArgs& args) {
  return x->sessions.sequence(args);
}

Outcome<SetClientIdResult> StateManager::set_client_id(const SetClientIdArgs& args,
                                                       const Principal& caller) {
  return x->clients.set_client_id(args, caller);
}

Status StateManager::confirm_client_id(ClientId client,
                                       const Verifier& confirm,
                                       const Principal& caller) {
  return x->clients.confirm_client_id(client, confirm, caller);
}

Status StateManager::renew(ClientId id) {
  const Outcome<ClientRef> client = x->clients.find_v40(id);
  if (!client) {
    return client.error();
  }
  return (*client)->revoked == 0 ? Status::ok : Status::expired;
}

Outcome<ClientRef> StateManager::find_client(ClientId client) {
  return x->clients.find_v40(client);
}

SeqidResult StateManager::begin_open(const ClientRef& client,
                                     std::string_view owner,
                                     std::uint32_t seqid) {
  return x->files.begin_open(client, owner, seqid);
}

SeqidResult StateManager::begin_stateid(const Stateid& stateid, std::uint32_t seqid) {
  return x->files.begin_stateid(stateid, seqid);
}

SeqidResult StateManager::begin_new_lock(const ClientRef& client,
                                         const Stateid& open_stateid,
                                         std::uint32_t open_seqid,
                                         std::string_view lock_owner,
                                         std::uint32_t lock_seqid) {
  return x->files.begin_new_lock(client, open_stateid, open_seqid, lock_owner, lock_seqid);
}

Async<Outcome<OpenGrant>> StateManager::open(StateContext context, OpenRequest request) {
  const Outcome<OpenGrant> grant = x->files.open(context, request);
  if (!grant) {
    co_return refuse(grant.error());
  }
  x->recovery.keep(*context.client);
  if (x->recovery.dirty()) {
    const Result<void> written = co_await x->recovery.flush();
    if (!written) {
      x->files.undo_open(context, *grant);
      co_return refuse(of_store(written.error()));
    }
  }
  co_return grant;
}

Status StateManager::may_open(const StateContext& context, bool reclaim) const {
  return x->recovery.admit(*context.client, reclaim);
}

Status StateManager::test_share(const OpenRequest& request) const {
  return x->files.test_share(request);
}

void StateManager::undo_open(const StateContext& context, const OpenGrant& grant) {
  x->files.undo_open(context, grant);
}

Outcome<Stateid> StateManager::confirm_open(const StateContext& context,
                                            const Stateid& id,
                                            ns::FileId file) {
  return x->files.confirm(context, id, file);
}

Outcome<Stateid> StateManager::downgrade(const StateContext& context,
                                         const Stateid& id,
                                         ns::FileId file,
                                         std::uint32_t access,
                                         std::uint32_t deny) {
  return x->files.downgrade(context, id, file, access, deny);
}

Outcome<Stateid> StateManager::close(const StateContext& context,
                                     const Stateid& id,
                                     ns::FileId file) {
  return x->files.close(context, id, file);
}

Outcome<IoGrant> StateManager::check_io(const StateContext& context,
                                        const Stateid& id,
                                        ns::FileId file,
                                        IoKind kind) {
  if (is_special(id) && in_grace()) {
    return refuse(Status::grace);  // whoever denied it may still reclaim (RFC 8881 8.4.2.1)
  }
  const FileTable::IoCheck check = x->files.check_io(context, id, file, kind);
  if (check.courtesy) {
    x->break_later(file);
    return refuse(Status::delay);
  }
  return check.result;
}

std::vector<Status> StateManager::test_stateids(const ClientRef& client,
                                                std::span<const Stateid> ids) {
  std::vector<Status> out;
  out.reserve(ids.size());
  for (const Stateid& id : ids) {
    out.push_back(x->files.test(*client, id));
  }
  return out;
}

Status StateManager::free_stateid(const ClientRef& client, const Stateid& id) {
  return x->files.free(*client, id);
}

Async<LockResult> StateManager::lock(StateContext context, LockRequest request) {
  LockResult result = x->files.lock(context, request);
  if (result.status == Status::ok && x->recovery.dirty()) {
    const Result<void> written = co_await x->recovery.flush();
    if (!written) {
      // The range is given up, not what the owner had of it before: the store is out of order.
      (void)x->files.unlock(context, result.stateid, request.file, request.offset, request.length);
      co_return LockResult{.status = Status::serverfault};
    }
  }
  co_return result;
}

LockTestResult StateManager::test_lock(const StateContext& context,
                                       const LockTestRequest& request) {
  if (in_grace()) {
    return {.status = Status::grace};
  }
  return x->files.test_lock(context, request);
}

Outcome<Stateid> StateManager::unlock(const StateContext& context,
                                      const Stateid& id,
                                      ns::FileId file,
                                      std::uint64_t offset,
                                      std::uint64_t length) {
  return x->files.unlock(context, id, file, offset, length);
}

Status StateManager::release_lock_owner(const ClientRef& client, std::string_view owner) {
  return x->files.release_lock_owner(*client, owner);
}

}  // namespace outcrop::nfs
