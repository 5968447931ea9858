// Share reservations: OPEN, OPEN_CONFIRM, OPEN_DOWNGRADE, CLOSE (RFC 8881 9.7 to 9.9).
#include <utility>

#include "api/nfs/v4state/file_table.h"
#include "storage/base/assert.h"

namespace outcrop::nfs {

namespace {

std::uint32_t seen_bits(std::uint32_t access, std::uint32_t deny) {
  return 1U << access | 1U << (16 + deny);
}

bool conflicts(const OpenState& open, std::uint32_t access, std::uint32_t deny) {
  return (open.access & deny) != 0 || (open.deny & access) != 0;
}

bool valid_share(std::uint32_t access, std::uint32_t deny) {
  return access >= kAccessRead && access <= kAccessBoth && deny <= kDenyBoth;
}

}  // namespace

Outcome<ShareAccess> parse_share_access(std::uint32_t share_access, std::uint32_t minor) {
  constexpr std::uint32_t kAll = kAccessBoth | kWantMask | kWantSignal | kWantPush;
  const std::uint32_t want = share_access & ~kAccessBoth;
  ShareAccess out{.access = share_access & kAccessBoth, .no_delegation = {}};
  if (out.access == 0 || (share_access & ~kAll) != 0 || (minor == 0 && want != 0)) {
    return refuse(Status::inval);
  }
  switch (want & kWantMask) {
    case kWantNone:
      return out;
    case kWantRead:
    case kWantWrite:
    case kWantAny:
      out.no_delegation = NoDelegation::resource;
      return out;
    case kWantNoDelegation:
      out.no_delegation = NoDelegation::not_wanted;
      return out;
    case kWantCancel:
      out.no_delegation = NoDelegation::cancelled;
      return out;
    default:
      return refuse(Status::inval);
  }
}

void FileTable::count_share(FileState& f, std::uint32_t access, std::uint32_t deny, int by) {
  for (unsigned bit = 0; bit < 2; ++bit) {
    f.readers_writers[bit] += (access >> bit & 1) * static_cast<std::uint32_t>(by);
    f.denying[bit] += (deny >> bit & 1) * static_cast<std::uint32_t>(by);
  }
}

// No exception for opens of the same owner (RFC 8881 9.7, RFC 7530 9.9): its own deny mode is in
// the way of its next open.
Status FileTable::share_conflict(const FileState& f,
                                 std::uint32_t access,
                                 std::uint32_t deny,
                                 std::vector<OpenPtr>& in_the_way) const {
  bool any = false;
  for (unsigned bit = 0; bit < 2; ++bit) {
    any |= (deny >> bit & 1) != 0 && f.readers_writers[bit] > 0;
    any |= (access >> bit & 1) != 0 && f.denying[bit] > 0;
  }
  if (!any) {
    return Status::ok;
  }
  for (const auto& [owner, open] : f.opens) {
    if (!conflicts(*open, access, deny)) {
      continue;
    }
    if (!expired(*open)) {
      in_the_way.clear();
      return Status::share_denied;
    }
    in_the_way.push_back(open);
  }
  return Status::ok;
}

Outcome<OpenGrant> FileTable::open(const StateContext& context, const OpenRequest& request) {
  if (!valid_share(request.access, request.deny) || request.owner.size() > kMaxOwnerBytes) {
    return refuse(Status::inval);
  }
  Trash trash;
  const std::lock_guard lock(context.client->mutex);
  if (context.client->gone) {
    return refuse(Status::expired);
  }
  if (const Status status = x_recovery.admit(*context.client, request.reclaim);
      status != Status::ok) {
    return refuse(status);
  }
  const Outcome<OwnerPtr> owner = obtain_owner(context.client, request.owner, false);
  if (!owner) {
    return refuse(owner.error());
  }
  Outcome<OpenGrant> out;
  {
    FileShard& at = shard(request.file);
    const std::lock_guard shard_lock(at.mutex);
    FileState& f = at.files[request.file];
    const auto own_at = f.opens.find(owner->get());
    const OpenPtr own = own_at == f.opens.end() ? nullptr : own_at->second;
    std::vector<OpenPtr> in_the_way;
    if (share_conflict(f, request.access, request.deny, in_the_way) != Status::ok) {
      out = refuse(request.reclaim ? Status::reclaim_conflict : Status::share_denied);
    } else {
      for (const OpenPtr& open : in_the_way) {
        revoke(f, *open, trash);
      }
      out = grant_open(f, request, *owner, own);
    }
    drop_if_empty(at, request.file);
  }
  settle_owner(*owner);
  return out;
}

Outcome<OpenGrant> FileTable::grant_open(FileState& f,
                                         const OpenRequest& request,
                                         const OwnerPtr& owner,
                                         OpenPtr own) {
  Client& client = *owner->client;
  OpenGrant grant{.made = !own};
  if (own) {
    grant.previous_access = own->access;
    grant.previous_deny = own->deny;
    grant.previous_seen = own->seen;
    count_share(f, own->access, own->deny, -1);
    own->advance();
  } else {
    if (client.opens + client.revoked >= x_config.limits.opens_per_client ||
        !x_budget.take_open(client.modest())) {
      return refuse(limit_status(client.sessions_family ? 1 : 0));
    }
    own = make_state<OpenState>(request.file, owner);
    own->hold = request.hold;
    f.opens.emplace(owner.get(), own);
    owner->states.insert(own);
    ++client.opens;
  }
  own->access |= request.access;
  own->deny |= request.deny;
  own->seen |= seen_bits(request.access, request.deny);
  count_share(f, own->access, own->deny, 1);
  if (request.reclaim) {
    owner->confirmed = true;  // RFC 7530 16.18.5: no confirmation is asked for a reclaim
    client.reclaimed = true;
  }
  grant.stateid = own->id();
  grant.confirm = !owner->confirmed;
  return grant;
}

Status FileTable::test_share(const OpenRequest& request) {
  FileShard& at = shard(request.file);
  const std::lock_guard shard_lock(at.mutex);
  const FileState* f = find(at, request.file);
  std::vector<OpenPtr> in_the_way;
  return f == nullptr ? Status::ok : share_conflict(*f, request.access, request.deny, in_the_way);
}

void FileTable::undo_open(const StateContext& context, const OpenGrant& grant) {
  const Outcome<StatePtr> state = named(context, grant.stateid, nullptr);
  if (!state) {
    return;
  }
  Trash trash;
  const std::lock_guard lock(context.client->mutex);
  {
    FileShard& at = shard((*state)->file);
    const std::lock_guard shard_lock(at.mutex);
    auto& open = static_cast<OpenState&>(**state);
    if (open.life != StateLife::live || open.seqid != grant.stateid.seqid ||
        (grant.made && !open.locks.empty())) {
      return;  // someone built on it meanwhile
    }
    FileState& f = *find(at, open.file);
    if (grant.made) {
      unlink(f, open, trash);
      forget(open);
      open.owner->states.erase(*state);
    } else {
      count_share(f, open.access, open.deny, -1);
      open.access = grant.previous_access;
      open.deny = grant.previous_deny;
      open.seen = grant.previous_seen;
      count_share(f, open.access, open.deny, 1);
      open.seqid = open.seqid == 1 ? UINT32_MAX : open.seqid - 1;
    }
    drop_if_empty(at, (*state)->file);
  }
  settle_owner((*state)->owner);
}

Outcome<Stateid> FileTable::confirm(const StateContext& context,
                                    const Stateid& id,
                                    ns::FileId file) {
  const Outcome<StatePtr> state = named(context, id, &file);
  if (!state) {
    return refuse(state.error());
  }
  const std::lock_guard lock((*state)->client().mutex);
  FileShard& at = shard(file);
  const std::lock_guard shard_lock(at.mutex);
  if (const Status status = check(**state, id, context.minor); status != Status::ok) {
    return refuse(status);
  }
  if ((*state)->kind != StateKind::open || (*state)->owner->confirmed) {
    return refuse(Status::bad_stateid);
  }
  (*state)->owner->confirmed = true;
  (*state)->advance();
  return (*state)->id();
}

Outcome<Stateid> FileTable::downgrade(const StateContext& context,
                                      const Stateid& id,
                                      ns::FileId file,
                                      std::uint32_t access,
                                      std::uint32_t deny) {
  if (!valid_share(access, deny)) {
    return refuse(Status::inval);
  }
  const Outcome<StatePtr> state = named(context, id, &file);
  if (!state) {
    return refuse(state.error());
  }
  FileShard& at = shard(file);
  const std::lock_guard shard_lock(at.mutex);
  if (const Status status = check(**state, id, context.minor); status != Status::ok) {
    return refuse(status);
  }
  if ((*state)->kind != StateKind::open || !(*state)->owner->confirmed) {
    return refuse(Status::bad_stateid);
  }
  auto& open = static_cast<OpenState&>(**state);
  const std::uint32_t wanted = seen_bits(access, deny);
  if ((access & ~open.access) != 0 || (deny & ~open.deny) != 0 || (open.seen & wanted) != wanted) {
    return refuse(Status::inval);
  }
  FileState& f = *find(at, file);
  count_share(f, open.access, open.deny, -1);
  count_share(f, access, deny, 1);
  open.access = access;
  open.deny = deny;
  for (std::uint32_t mode = 0; mode < 4; ++mode) {
    // Modes that are no subset any more are not held, and cannot be gone back to.
    if ((mode & ~access) != 0) {
      open.seen &= ~(1U << mode);
    }
    if ((mode & ~deny) != 0) {
      open.seen &= ~(1U << (16 + mode));
    }
  }
  open.advance();
  return open.id();
}

Outcome<Stateid> FileTable::close(const StateContext& context, const Stateid& id, ns::FileId file) {
  const Outcome<StatePtr> state = named(context, id, &file);
  if (!state) {
    return refuse(state.error());
  }
  Trash trash;
  const OwnerPtr owner = (*state)->owner;
  std::vector<OwnerPtr> lock_owners;
  const std::lock_guard lock(owner->client->mutex);
  {
    FileShard& at = shard(file);
    const std::lock_guard shard_lock(at.mutex);
    if (const Status status = check(**state, id, context.minor); status != Status::ok) {
      return refuse(status);
    }
    if ((*state)->kind != StateKind::open || !owner->confirmed) {
      return refuse(Status::bad_stateid);
    }
    const OpenPtr open = std::static_pointer_cast<OpenState>(*state);
    FileState& f = *find(at, file);
    for (LockState* held : std::exchange(open->locks, {})) {
      std::erase(held->opens, open);
      if (!held->opens.empty()) {
        continue;
      }
      const LockStatePtr ended = f.locks.find(held->owner.get())->second;
      unlink(f, *ended, trash);
      forget(*ended);
      ended->owner->states.erase(ended);
      lock_owners.push_back(ended->owner);
    }
    unlink(f, *open, trash);
    forget(*open);
    owner->states.erase(open);
    open->advance();
    if (context.minor == 0) {
      forget_closed(*owner);
      keep_closed(open);
    }
    drop_if_empty(at, file);
  }
  settle_owner(owner);
  for (const OwnerPtr& lock_owner : lock_owners) {
    settle_owner(lock_owner);
  }
  return context.minor == 0 ? (*state)->id() : kInvalidStateid;
}

}  // namespace outcrop::nfs
