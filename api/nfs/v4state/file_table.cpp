#include "api/nfs/v4state/file_table.h"

#include <algorithm>
#include <cstring>

#include "storage/base/assert.h"

namespace outcrop::nfs {

namespace {

std::uint32_t boot_tag(std::uint64_t boot_id) {
  // One to one on 32 bits: boots that count do not meet; spread, so that no small number is one.
  return static_cast<std::uint32_t>(boot_id) * 0x9e37'79b1U ^ 0xa5c3'a5c3U;
}

template <class T>
T load(const StateidOther& other, std::size_t at) {
  T v;
  std::memcpy(&v, other.data() + at, sizeof v);
  return v;
}

/// Behind the boot: client tag and a random number.
std::uint64_t key_of(const StateidOther& other) { return load<std::uint64_t>(other, 4); }

}  // namespace

FileTable::FileTable(const StateConfig& config,
                     const Clock& clock,
                     Random& random,
                     Budget& budget,
                     Recovery& recovery)
    : x_config(config),
      x_clock(clock),
      x_random(random),
      x_budget(budget),
      x_recovery(recovery),
      x_boot(boot_tag(config.boot_id)) {}

FileTable::~FileTable() {
  for (const FileShard& at : x_files) {
    OUTCROP_ASSERT(at.files.empty());
  }
}

bool FileTable::add_client(ClientId client) {
  const std::lock_guard lock(x_tags_mutex);
  return x_tags.insert(client_tag(client)).second;
}

void FileTable::drop_client(ClientId client) {
  const std::lock_guard lock(x_tags_mutex);
  x_tags.erase(client_tag(client));
}

void FileTable::release_client(Client& client) {
  Trash trash;
  const std::lock_guard lock(client.mutex);
  client.gone = true;
  std::vector<OwnerPtr> owners;
  for (const auto* map : {&client.open_owners, &client.lock_owners}) {
    for (const auto& [name, owner] : *map) {
      owners.push_back(owner);
    }
  }
  for (const OwnerPtr& owner : owners) {
    drop_states(owner, trash);
    remove_owner(owner);
  }
  client.idle_owners.clear();
}

void FileTable::forget_revoked(Client& client) {
  Trash trash;
  const std::lock_guard lock(client.mutex);
  for (const auto* map : {&client.open_owners, &client.lock_owners}) {
    for (const auto& [name, owner] : *map) {
      for (auto it = owner->states.begin(); it != owner->states.end();) {
        const StatePtr state = *it;
        FileShard& at = shard(state->file);
        const std::lock_guard shard_lock(at.mutex);
        if (state->life != StateLife::revoked) {
          ++it;
          continue;
        }
        it = owner->states.erase(it);
        forget(*state);
        trash.push_back(state);
      }
      settle_owner(owner);
    }
  }
}

FileState* FileTable::find(FileShard& at, const ns::FileId& file) {
  const auto it = at.files.find(file);
  return it == at.files.end() ? nullptr : &it->second;
}

void FileTable::drop_if_empty(FileShard& at, const ns::FileId& file) {
  const auto it = at.files.find(file);
  if (it != at.files.end() && it->second.empty()) {
    at.files.erase(it);
  }
}

StatePtr FileTable::find(const Stateid& id) {
  if (load<std::uint32_t>(id.other, 0) != x_boot) {
    return nullptr;
  }
  IdShard& at = shard(key_of(id.other));
  const std::lock_guard lock(at.mutex);
  const auto it = at.states.find(key_of(id.other));
  return it == at.states.end() ? nullptr : it->second;
}

Status FileTable::unknown(const StateContext& context, const Stateid& id) {
  if (context.minor > 0 || is_special(id)) {
    return Status::bad_stateid;
  }
  if (load<std::uint32_t>(id.other, 0) != x_boot) {
    return Status::stale_stateid;
  }
  const std::lock_guard lock(x_tags_mutex);
  return x_tags.contains(load<std::uint32_t>(id.other, 4)) ? Status::bad_stateid : Status::expired;
}

Outcome<StatePtr> FileTable::named(const StateContext& context,
                                   const Stateid& id,
                                   const ns::FileId* file) {
  StatePtr state = is_special(id) ? nullptr : find(id);
  if (!state) {
    return refuse(unknown(context, id));
  }
  Client& client = state->client();
  if (client.sessions_family != (context.minor > 0) ||
      (context.client && context.client.get() != &client) ||
      (file != nullptr && state->file != *file)) {
    return refuse(Status::bad_stateid);
  }
  if (!client.sessions_family) {
    client.renew(x_clock.steady_ns());
  }
  return state;
}

Status FileTable::check(const State& state, const Stateid& id, std::uint32_t minor) {
  switch (state.life) {
    case StateLife::closed:
      return Status::bad_stateid;
    case StateLife::revoked:
      return Status::expired;
    case StateLife::live:
      break;
  }
  if (id.seqid == state.seqid || (id.seqid == 0 && minor > 0)) {
    return Status::ok;
  }
  const bool older = static_cast<std::int32_t>(id.seqid - state.seqid) < 0;
  return older ? Status::old_stateid : Status::bad_stateid;
}

template <class T>
std::shared_ptr<T> FileTable::make_state(const ns::FileId& file, const OwnerPtr& owner) {
  const std::uint32_t tag = client_tag(owner->client->id);
  for (;;) {
    const auto number = static_cast<std::uint32_t>(x_random.next() | 1);
    StateidOther other;
    std::memcpy(other.data(), &x_boot, 4);
    std::memcpy(other.data() + 4, &tag, 4);
    std::memcpy(other.data() + 8, &number, 4);
    if (is_special({0, other})) {
      continue;
    }
    auto state = std::make_shared<T>(other, file, owner);
    IdShard& at = shard(key_of(other));
    const std::lock_guard lock(at.mutex);
    if (at.states.try_emplace(key_of(other), state).second) {
      return state;
    }
  }
}
template OpenPtr FileTable::make_state<OpenState>(const ns::FileId&, const OwnerPtr&);
template LockStatePtr FileTable::make_state<LockState>(const ns::FileId&, const OwnerPtr&);

void FileTable::drop_id(const State& state) {
  IdShard& at = shard(key_of(state.other));
  StatePtr last;  // outlives the lock
  const std::lock_guard lock(at.mutex);
  const auto it = at.states.find(key_of(state.other));
  if (it != at.states.end() && it->second.get() == &state) {
    last = std::move(it->second);
    at.states.erase(it);
  }
}

void FileTable::keep_closed(const OpenPtr& open) {
  open->owner->last_closed = open;
  IdShard& at = shard(key_of(open->other));
  const std::lock_guard lock(at.mutex);
  at.states.emplace(key_of(open->other), open);
}

void FileTable::unlink(FileState& f, State& state, Trash& trash) {
  if (state.life != StateLife::live) {
    return;
  }
  if (state.kind == StateKind::open) {
    unlink_open(f, static_cast<OpenState&>(state), trash);
  } else {
    unlink_lock(f, static_cast<LockState&>(state), trash);
  }
}

void FileTable::unlink_open(FileState& f, OpenState& open, Trash& trash) {
  count_share(f, open.access, open.deny, -1);
  open.life = StateLife::closed;
  trash.push_back(std::move(open.hold));
  const auto it = f.opens.find(open.owner.get());
  trash.push_back(std::move(it->second));
  f.opens.erase(it);
  --open.client().opens;
}

void FileTable::unlink_lock(FileState& f, LockState& lock, Trash& trash) {
  clear_ranges(f, lock);
  lock.life = StateLife::closed;
  for (OpenPtr& open : lock.opens) {
    std::erase(open->locks, &lock);
    trash.push_back(std::move(open));
  }
  lock.opens.clear();
  const auto it = f.locks.find(lock.owner.get());
  trash.push_back(std::move(it->second));
  f.locks.erase(it);
  --lock.client().lock_states;
}

void FileTable::revoke(FileState& f, State& state, Trash& trash) {
  if (state.life != StateLife::live) {
    return;
  }
  if (state.kind == StateKind::open) {
    // Its locks stand on it: they go, too, unless another open carries them.
    const std::vector<LockState*> locks = static_cast<OpenState&>(state).locks;
    for (LockState* lock : locks) {
      if (lock->opens.size() > 1) {
        std::erase_if(lock->opens, [&](const OpenPtr& o) { return o.get() == &state; });
      } else {
        revoke(f, *lock, trash);
      }
    }
    static_cast<OpenState&>(state).locks.clear();
  }
  unlink(f, state, trash);
  state.life = StateLife::revoked;
  ++state.client().revoked;
  ++x_budget.revoked;
  x_recovery.drop(state.client());
}

void FileTable::forget(State& state) {
  if (state.life == StateLife::revoked) {
    state.life = StateLife::closed;
    --state.client().revoked;
    --x_budget.revoked;
  }
  drop_id(state);
  if (state.kind == StateKind::open) {
    x_budget.give_open();
  } else {
    --x_budget.lock_states;
    x_budget.give_bytes(kLockStateBytes);
  }
}

}  // namespace outcrop::nfs
