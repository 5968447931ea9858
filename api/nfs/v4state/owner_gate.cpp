// Owners, and the sequence numbers by which 4.0 orders and repeats their operations
// (RFC 7530 9.1.7, 9.1.8).
#include <utility>

#include "api/nfs/v4state/file_table.h"

namespace outcrop::nfs {

namespace {

/// Most errors use a number up like success does; these do not (RFC 7530 9.1.7).
bool advances(Status status) {
  switch (status) {
    case Status::stale_clientid:
    case Status::stale_stateid:
    case Status::bad_stateid:
    case Status::bad_seqid:
    case Status::badxdr:
    case Status::resource:
    case Status::nofilehandle:
    case Status::moved:
      return false;
    default:
      return true;
  }
}

std::unordered_map<std::string, OwnerPtr>& owners_of(Client& client, bool locks) {
  return locks ? client.lock_owners : client.open_owners;
}

}  // namespace

OwnerPtr FileTable::find_owner(Client& client, std::string_view name, bool locks) {
  const auto& map = owners_of(client, locks);
  const auto it = map.find(std::string(name));
  return it == map.end() ? nullptr : it->second;
}

Outcome<OwnerPtr> FileTable::obtain_owner(const ClientRef& client,
                                          std::string_view name,
                                          bool locks) {
  if (OwnerPtr owner = find_owner(*client, name, locks)) {
    return owner;
  }
  const Status full = limit_status(client->sessions_family ? 1 : 0);
  if (client->owners >= x_config.limits.owners_per_client ||
      !x_budget.take_bytes(kOwnerBytes + name.size(), client->modest())) {
    return refuse(full);
  }
  ++client->owners;
  ++x_budget.owners;
  auto owner = std::make_shared<StateOwner>(client, std::string(name), locks);
  owners_of(*client, locks).emplace(owner->name, owner);
  if (!client->sessions_family) {
    owner->confirmed = locks;
    settle_owner(owner);
  }
  return owner;
}

void FileTable::settle_owner(const OwnerPtr& owner) {
  if (owner->gone) {
    return;
  }
  if (!owner->states.empty()) {
    owner->idle_since = 0;
    return;
  }
  Client& client = *owner->client;
  if (client.sessions_family) {
    remove_owner(owner);
    return;
  }
  owner->idle_since = x_clock.steady_ns();
  if (!std::exchange(owner->queued, true)) {
    client.idle_owners.emplace_back(owner->idle_since, owner);
  }
}

void FileTable::remove_owner(const OwnerPtr& owner) {
  Client& client = *owner->client;
  forget_closed(*owner);
  owner->gone = true;
  const std::size_t bytes = kOwnerBytes + owner->name.size();
  --client.owners;
  --x_budget.owners;
  x_budget.give_bytes(bytes);
  owners_of(client, owner->lock_owner).erase(owner->name);
}

void FileTable::purge_idle_owners(Client& client) {
  const std::int64_t now_ns = x_clock.steady_ns();
  const std::lock_guard lock(client.mutex);
  while (!client.idle_owners.empty() &&
         client.idle_owners.front().first + x_config.lease_ns < now_ns) {
    const OwnerPtr owner = std::move(client.idle_owners.front().second);
    client.idle_owners.pop_front();
    owner->queued = false;
    if (owner->gone || owner->idle_since == 0) {
      continue;
    }
    if (owner->busy || owner->idle_since + x_config.lease_ns >= now_ns) {
      owner->queued = true;
      client.idle_owners.emplace_back(owner->busy ? now_ns : owner->idle_since, owner);
      continue;
    }
    remove_owner(owner);
  }
}

void FileTable::forget_closed(StateOwner& owner) {
  if (const OpenPtr closed = std::exchange(owner.last_closed, nullptr)) {
    drop_id(*closed);
  }
}

void FileTable::drop_states(const OwnerPtr& owner, Trash& trash) {
  for (const StatePtr& state : owner->states) {
    FileShard& at = shard(state->file);
    const std::lock_guard lock(at.mutex);
    if (state->life == StateLife::live) {
      FileState& f = *find(at, state->file);
      if (state->kind == StateKind::open) {
        // Lock states of other owners that stand on this open alone end with it elsewhere: their
        // owners are dropped or closed by the same caller.
        auto& open = static_cast<OpenState&>(*state);
        for (LockState* lock_state : open.locks) {
          std::erase_if(lock_state->opens, [&](const OpenPtr& o) { return o == state; });
        }
        open.locks.clear();
      }
      unlink(f, *state, trash);
      drop_if_empty(at, state->file);
    }
    forget(*state);
    trash.push_back(state);
  }
  owner->states.clear();
}

FileTable::Turn FileTable::turn(const StateOwner& owner, std::uint32_t seqid) {
  if (owner.busy) {
    return seqid == owner.busy_seqid ? Turn::drop : Turn::bad;
  }
  if (!owner.seqid_known || seqid == owner.seqid + 1) {
    return Turn::run;
  }
  return seqid == owner.seqid && owner.reply ? Turn::replay : Turn::bad;
}

void FileTable::start(StateOwner& owner, std::uint32_t seqid) {
  owner.busy = true;
  owner.busy_seqid = seqid;
}

SeqidResult FileTable::answer(Turn turn, const OwnerPtr& owner, std::uint32_t seqid) {
  SeqidResult out;
  switch (turn) {
    case Turn::run:
      // The next operation proves that the reply to the last one has arrived.
      forget_closed(*owner);
      start(*owner, seqid);
      out.ticket = OwnerTicket(owner, seqid);
      break;
    case Turn::replay:
      out.replay = owner->reply;
      break;
    case Turn::drop:
      out.drop = true;
      break;
    case Turn::bad:
      out.status = Status::bad_seqid;
      break;
  }
  return out;
}

SeqidResult FileTable::begin_open(const ClientRef& client,
                                  std::string_view owner_name,
                                  std::uint32_t seqid) {
  if (owner_name.size() > kMaxOwnerBytes) {
    return {.status = Status::inval};
  }
  Trash trash;
  const std::lock_guard lock(client->mutex);
  if (client->gone) {
    return {.status = Status::expired};
  }
  Outcome<OwnerPtr> owner = obtain_owner(client, owner_name, false);
  if (!owner) {
    return {.status = owner.error()};
  }
  Turn next = turn(**owner, seqid);
  if (next == Turn::bad && !(*owner)->busy && !(*owner)->confirmed) {
    // Whoever sent the first OPEN did not confirm it: it was an old one (RFC 7530 16.18.5).
    next = Turn::run;
  }
  if (next == Turn::run && !(*owner)->confirmed) {
    drop_states(*owner, trash);
    settle_owner(*owner);
  }
  return answer(next, *owner, seqid);
}

SeqidResult FileTable::begin_stateid(const Stateid& id, std::uint32_t seqid) {
  const Outcome<StatePtr> state = named({.client = {}, .minor = 0}, id, nullptr);
  if (!state) {
    return {.status = state.error()};
  }
  const OwnerPtr& owner = (*state)->owner;
  const std::lock_guard lock(owner->client->mutex);
  if (owner->gone) {
    return {.status = Status::bad_stateid};
  }
  return answer(turn(*owner, seqid), owner, seqid);
}

SeqidResult FileTable::begin_new_lock(const ClientRef& client,
                                      const Stateid& open_stateid,
                                      std::uint32_t open_seqid,
                                      std::string_view lock_owner,
                                      std::uint32_t lock_seqid) {
  if (lock_owner.size() > kMaxOwnerBytes) {
    return {.status = Status::inval};
  }
  const Outcome<StatePtr> state = named({.client = client, .minor = 0}, open_stateid, nullptr);
  if (!state) {
    return {.status = state.error()};
  }
  const OwnerPtr& owner = (*state)->owner;
  const std::lock_guard lock(client->mutex);
  if (owner->gone || client->gone || (*state)->kind != StateKind::open) {
    return {.status = Status::bad_stateid};
  }
  const Turn next = turn(*owner, open_seqid);
  if (next != Turn::run) {
    return answer(next, owner, open_seqid);
  }
  Outcome<OwnerPtr> locker = obtain_owner(client, lock_owner, true);
  if (!locker) {
    return {.status = locker.error()};
  }
  if (turn(**locker, lock_seqid) != Turn::run) {
    return {.status = Status::bad_seqid};
  }
  // Not by way of answer(): letting go of its ticket would take the client's mutex, which we hold.
  forget_closed(*owner);
  start(*owner, open_seqid);
  start(**locker, lock_seqid);
  SeqidResult out;
  out.ticket = OwnerTicket(owner, open_seqid, *locker, lock_seqid);
  return out;
}

OwnerTicket& OwnerTicket::operator=(OwnerTicket&& other) noexcept {
  if (this != &other) {
    abandon();
    x_owner = std::move(other.x_owner);
    x_lock_owner = std::move(other.x_lock_owner);
    x_seqid = other.x_seqid;
    x_lock_seqid = other.x_lock_seqid;
  }
  return *this;
}

void OwnerTicket::finish(Status status, std::string encoded) {
  CachedReply reply = std::make_shared<const std::string>(std::move(encoded));
  const OwnerPtr owner = std::exchange(x_owner, nullptr);
  const OwnerPtr locker = std::exchange(x_lock_owner, nullptr);
  const std::lock_guard lock(owner->client->mutex);
  owner->busy = false;
  if (advances(status)) {
    owner->seqid = x_seqid;
    owner->seqid_known = true;
    owner->reply.swap(reply);
  }
  if (locker) {
    locker->busy = false;
    // A lock owner begins with its first lock.
    if (locker->seqid_known ? advances(status) : status == Status::ok) {
      locker->seqid = x_lock_seqid;
      locker->seqid_known = true;
      locker->reply = nullptr;
    }
  }
}

void OwnerTicket::abandon() {
  const OwnerPtr owner = std::exchange(x_owner, nullptr);
  const OwnerPtr locker = std::exchange(x_lock_owner, nullptr);
  if (!owner) {
    return;
  }
  const std::lock_guard lock(owner->client->mutex);
  owner->busy = false;
  if (locker) {
    locker->busy = false;
  }
}

}  // namespace outcrop::nfs
