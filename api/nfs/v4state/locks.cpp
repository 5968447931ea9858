// Byte-range locks with POSIX semantics: an owner's ranges split, shrink and join, and never
// conflict with each other (RFC 8881 9.1 to 9.6, 18.10 to 18.12).
#include <algorithm>
#include <iterator>
#include <utility>

#include "api/nfs/v4state/file_table.h"

namespace outcrop::nfs {

Outcome<std::pair<std::uint64_t, std::uint64_t>> byte_range(std::uint64_t offset,
                                                            std::uint64_t length) {
  if (length == 0 || (length != kLockToEnd && length > ~offset)) {
    return refuse(Status::inval);
  }
  return std::pair{offset, length == kLockToEnd ? UINT64_MAX : offset + length - 1};
}

namespace {

bool valid(LockType type) { return type >= LockType::read && type <= LockType::write_wait; }

}  // namespace

void FileTable::clear_ranges(FileState& f, LockState& lock) {
  for (const auto& [first, range] : lock.ranges) {
    (range.write ? f.exclusive : f.shared).erase(first, &lock);
  }
  x_budget.give_ranges(lock.ranges.size());
  lock.client().ranges -= lock.ranges.size();
  lock.ranges.clear();
}

bool FileTable::set_range(FileState& f,
                          LockState& lock,
                          std::uint64_t first,
                          std::uint64_t last,
                          std::optional<bool> write) {
  LockRanges& own = lock.ranges;
  // From the first that overlaps or, for a lock, touches at the left; to the first behind.
  auto from = own.lower_bound(first);
  if (from != own.begin()) {
    const auto before = std::prev(from);
    const bool touches =
        write && before->second.write == *write && before->second.last == first - 1;
    if (before->second.last >= first || touches) {
      from = before;
    }
  }
  auto to = from;
  std::vector<std::pair<std::uint64_t, LockRange>> added;
  std::uint64_t new_first = first, new_last = last;
  std::size_t removed = 0;
  for (; to != own.end(); ++to, ++removed) {
    const auto& [at, range] = *to;
    const bool same = write && range.write == *write;
    const bool touches = same && last != UINT64_MAX && at == last + 1;
    if (at > last && !touches) {
      break;
    }
    if (same) {
      new_first = std::min(new_first, at);
      new_last = std::max(new_last, range.last);
      continue;
    }
    if (at < first) {
      added.push_back({at, {first - 1, range.write}});
    }
    if (range.last > last) {
      added.push_back({last + 1, {range.last, range.write}});
    }
  }
  if (write) {
    added.push_back({new_first, {new_last, *write}});
  }
  if (added.size() > removed) {
    const std::size_t more = added.size() - removed;
    if (lock.client().ranges + more > x_config.limits.ranges_per_client ||
        !x_budget.take_ranges(more, lock.client().modest())) {
      return false;
    }
    lock.client().ranges += more;
  } else {
    x_budget.give_ranges(removed - added.size());
    lock.client().ranges -= removed - added.size();
  }
  for (auto it = from; it != to; ++it) {
    (it->second.write ? f.exclusive : f.shared).erase(it->first, &lock);
  }
  own.erase(from, to);
  for (const auto& [at, range] : added) {
    own.emplace(at, range);
    (range.write ? f.exclusive : f.shared).insert({at, range.last, &lock});
  }
  return true;
}

std::optional<LockConflict> FileTable::lock_conflict(FileState& f,
                                                     const StateOwner* own,
                                                     std::uint64_t first,
                                                     std::uint64_t last,
                                                     bool write) const {
  const auto others = [&](const LockState& state) {
    return state.owner.get() != own && !expired(state);
  };
  LockType type = LockType::write;
  const RangeIndex::Entry* entry = f.exclusive.find(first, last, others);
  if (entry == nullptr && write) {
    type = LockType::read;
    entry = f.shared.find(first, last, others);
  }
  if (entry == nullptr) {
    return std::nullopt;
  }
  return LockConflict{
      .offset = entry->first,
      .length = entry->last == UINT64_MAX ? kLockToEnd : entry->last - entry->first + 1,
      .type = type,
      .client = entry->state->client().id,
      .owner = entry->state->owner->name,
  };
}

LockResult FileTable::lock(const StateContext& context, const LockRequest& request) {
  const auto range = byte_range(request.offset, request.length);
  if (!range || !valid(request.type) || request.owner.size() > kMaxOwnerBytes) {
    return {.status = Status::inval};
  }
  const Outcome<StatePtr> base = named(context, request.stateid, &request.file);
  if (!base) {
    return {.status = base.error()};
  }
  Trash trash;
  const ClientRef client = (*base)->owner->client;
  const std::lock_guard lock(client->mutex);
  if (client->gone) {
    return {.status = Status::expired};
  }
  if (const Status status = x_recovery.admit(*client, request.reclaim); status != Status::ok) {
    return {.status = status};
  }
  OwnerPtr owner = (*base)->owner;
  if (request.new_owner) {
    Outcome<OwnerPtr> locker = obtain_owner(client, request.owner, true);
    if (!locker) {
      return {.status = locker.error()};
    }
    owner = std::move(*locker);
  }
  LockResult out;
  {
    FileShard& at = shard(request.file);
    const std::lock_guard shard_lock(at.mutex);
    out.status = lock_base(context, request, **base);
    FileState* f = find(at, request.file);
    if (out.status == Status::ok) {
      out.conflict =
          lock_conflict(*f, owner.get(), range->first, range->second, is_write(request.type));
      if (out.conflict) {
        out.status = request.reclaim ? Status::reclaim_conflict : Status::denied;
      } else {
        break_locks(*f, *owner, request, *range, trash);
        out = grant_lock(*f, request, *range, *base, owner);
      }
      drop_if_empty(at, request.file);
    }
  }
  settle_owner(owner);
  return out;
}

/// Whether the state may be locked on; the file's shard is held.
Status FileTable::lock_base(const StateContext& context,
                            const LockRequest& request,
                            const State& base) {
  if (const Status status = check(base, request.stateid, context.minor); status != Status::ok) {
    return status;
  }
  const StateKind kind = request.new_owner ? StateKind::open : StateKind::lock;
  if (base.kind != kind || !base.owner->confirmed) {
    return Status::bad_stateid;
  }
  const std::uint32_t needed = is_write(request.type) ? kAccessWrite : kAccessRead;
  const auto allows = [&](const OpenState& open) { return (open.access & needed) != 0; };
  bool allowed = false;
  if (kind == StateKind::open) {
    allowed = allows(static_cast<const OpenState&>(base));
  } else {
    allowed = std::ranges::any_of(static_cast<const LockState&>(base).opens,
                                  [&](const OpenPtr& open) { return allows(*open); });
  }
  return allowed ? Status::ok : Status::openmode;
}

/// Only states of expired clients can be in the way: they go.
void FileTable::break_locks(FileState& f,
                            const StateOwner& own,
                            const LockRequest& request,
                            std::pair<std::uint64_t, std::uint64_t> range,
                            Trash& trash) {
  const auto others = [&](const LockState& state) { return state.owner.get() != &own; };
  for (RangeIndex* index : {&f.exclusive, &f.shared}) {
    if (index == &f.shared && !is_write(request.type)) {
      break;
    }
    while (const RangeIndex::Entry* entry = index->find(range.first, range.second, others)) {
      revoke(f, *entry->state, trash);
    }
  }
}

LockResult FileTable::grant_lock(FileState& f,
                                 const LockRequest& request,
                                 std::pair<std::uint64_t, std::uint64_t> range,
                                 const StatePtr& base,
                                 const OwnerPtr& owner) {
  Client& client = *owner->client;
  const LockResult full{.status = limit_status(client.sessions_family ? 1 : 0)};
  const auto found = f.locks.find(owner.get());
  LockStatePtr state = found == f.locks.end() ? nullptr : found->second;
  const bool made = !state;
  if (made) {
    if (!x_budget.take_bytes(kLockStateBytes, client.modest())) {
      return full;
    }
    ++x_budget.lock_states;
    ++client.lock_states;
    state = make_state<LockState>(request.file, owner);
    f.locks.emplace(owner.get(), state);
    owner->states.insert(state);
  }
  if (request.new_owner) {
    const OpenPtr open = std::static_pointer_cast<OpenState>(base);
    if (std::ranges::find(state->opens, open) == state->opens.end()) {
      state->opens.push_back(open);
      open->locks.push_back(state.get());
    }
  }
  if (!set_range(f, *state, range.first, range.second, is_write(request.type))) {
    if (made) {
      Trash trash;
      unlink(f, *state, trash);
      forget(*state);
      owner->states.erase(state);
    }
    return full;
  }
  if (!made) {
    state->advance();
  }
  if (request.reclaim) {
    client.reclaimed = true;
  }
  return {.status = Status::ok, .stateid = state->id()};
}

LockTestResult FileTable::test_lock(const StateContext& context, const LockTestRequest& request) {
  const auto range = byte_range(request.offset, request.length);
  if (!range || !valid(request.type) || request.owner.size() > kMaxOwnerBytes) {
    return {.status = Status::inval};
  }
  OwnerPtr owner;
  {
    const std::lock_guard lock(context.client->mutex);
    owner = find_owner(*context.client, request.owner, true);
  }
  FileShard& at = shard(request.file);
  const std::lock_guard shard_lock(at.mutex);
  FileState* f = find(at, request.file);
  if (f == nullptr) {
    return {};
  }
  LockTestResult out;
  out.conflict =
      lock_conflict(*f, owner.get(), range->first, range->second, is_write(request.type));
  out.status = out.conflict ? Status::denied : Status::ok;
  return out;
}

Outcome<Stateid> FileTable::unlock(const StateContext& context,
                                   const Stateid& id,
                                   ns::FileId file,
                                   std::uint64_t offset,
                                   std::uint64_t length) {
  const auto range = byte_range(offset, length);
  if (!range) {
    return refuse(range.error());
  }
  const Outcome<StatePtr> state = named(context, id, &file);
  if (!state) {
    return refuse(state.error());
  }
  FileShard& at = shard(file);
  const std::lock_guard lock(at.mutex);
  if (const Status status = check(**state, id, context.minor); status != Status::ok) {
    return refuse(status);
  }
  if ((*state)->kind != StateKind::lock) {
    return refuse(Status::bad_stateid);
  }
  auto& held = static_cast<LockState&>(**state);
  if (!set_range(*find(at, file), held, range->first, range->second, std::nullopt)) {
    return refuse(limit_status(context.minor));
  }
  held.advance();
  return held.id();
}

Status FileTable::release_lock_owner(Client& client, std::string_view name) {
  Trash trash;
  const std::lock_guard lock(client.mutex);
  const OwnerPtr owner = find_owner(client, name, true);
  if (!owner) {
    return Status::ok;
  }
  // One file at a time: the client's mutex keeps new locks away, others can only take some.
  for (const StatePtr& state : owner->states) {
    FileShard& at = shard(state->file);
    const std::lock_guard shard_lock(at.mutex);
    if (!static_cast<const LockState&>(*state).ranges.empty()) {
      return Status::locks_held;
    }
  }
  drop_states(owner, trash);
  remove_owner(owner);
  return Status::ok;
}

}  // namespace outcrop::nfs
