// What a stateid allows, and the end of revoked ones (RFC 8881 8.2, 9.1.2, 18.38, 18.48).
#include <algorithm>

#include "api/nfs/v4state/file_table.h"

namespace outcrop::nfs {

namespace {

/// WRITE needs write access; READ is fine with either: who writes parts of pages reads them first
/// (RFC 8881 18.22.3).
bool allows(const OpenState& open, IoKind kind) {
  return kind == IoKind::read || (open.access & kAccessWrite) != 0;
}

}  // namespace

FileTable::IoCheck FileTable::check_io(const StateContext& context,
                                       const Stateid& id,
                                       ns::FileId file,
                                       IoKind kind) {
  const bool bypass = id == kBypassStateid;
  if (id == kAnonymousStateid || bypass) {
    const std::size_t bit = kind == IoKind::read ? 0 : 1;
    FileShard& at = shard(file);
    const std::lock_guard lock(at.mutex);
    const FileState* f = find(at, file);
    if (f == nullptr || f->denying[bit] == 0 || (bypass && kind == IoKind::read)) {
      return {.result = IoGrant{.by_open = false}};
    }
    const bool courtesy = std::ranges::all_of(f->opens, [&](const auto& entry) {
      return (entry.second->deny >> bit & 1) == 0 || expired(*entry.second);
    });
    return {.result = refuse(Status::locked), .courtesy = courtesy};
  }
  const Outcome<StatePtr> state = named(context, id, &file);
  if (!state) {
    return {.result = refuse(state.error())};
  }
  FileShard& at = shard(file);
  const std::lock_guard lock(at.mutex);
  if (const Status status = check(**state, id, context.minor); status != Status::ok) {
    return {.result = refuse(status)};
  }
  if (!(*state)->owner->confirmed) {
    return {.result = refuse(Status::bad_stateid)};
  }
  bool allowed = false;
  if ((*state)->kind == StateKind::open) {
    allowed = allows(static_cast<const OpenState&>(**state), kind);
  } else {
    allowed = std::ranges::any_of(static_cast<const LockState&>(**state).opens,
                                  [&](const OpenPtr& open) { return allows(*open, kind); });
  }
  if (!allowed) {
    return {.result = refuse(Status::openmode)};
  }
  return {.result = IoGrant{.by_open = true}};
}

void FileTable::break_denials(ns::FileId file) {
  Trash trash;
  FileShard& at = shard(file);
  const std::lock_guard lock(at.mutex);
  FileState* f = find(at, file);
  if (f == nullptr) {
    return;
  }
  std::vector<OpenPtr> in_the_way;
  for (const auto& [owner, open] : f->opens) {
    if (open->deny != 0 && expired(*open)) {
      in_the_way.push_back(open);
    }
  }
  for (const OpenPtr& open : in_the_way) {
    revoke(*f, *open, trash);
  }
  drop_if_empty(at, file);
}

Status FileTable::test(const Client& client, const Stateid& id) {
  const StatePtr state = is_special(id) ? nullptr : find(id);
  if (!state || &state->client() != &client) {
    return Status::bad_stateid;
  }
  FileShard& at = shard(state->file);
  const std::lock_guard lock(at.mutex);
  return check(*state, id, 1);
}

Status FileTable::free(Client& client, const Stateid& id) {
  const StatePtr state = is_special(id) ? nullptr : find(id);
  if (!state || &state->client() != &client) {
    return Status::bad_stateid;
  }
  Trash trash;
  const std::lock_guard lock(client.mutex);
  {
    FileShard& at = shard(state->file);
    const std::lock_guard shard_lock(at.mutex);
    const Status status = check(*state, id, 1);
    if (status == Status::ok) {
      if (state->kind == StateKind::open || !static_cast<const LockState&>(*state).ranges.empty()) {
        return Status::locks_held;
      }
      FileState& f = *find(at, state->file);
      unlink(f, *state, trash);
      drop_if_empty(at, state->file);
    } else if (status != Status::expired) {
      return status;
    }
    forget(*state);
    state->owner->states.erase(state);
  }
  settle_owner(state->owner);
  if (client.revoked == 0 && client.has_state()) {
    x_recovery.keep(client);  // it knows what it lost: the rest is its own again
  }
  return Status::ok;
}

}  // namespace outcrop::nfs
