#include "api/nfs/access.h"

#include <algorithm>

namespace outcrop::nfs {
namespace {

constexpr std::uint32_t kSetUid = 04000, kSetGid = 02000, kSticky = 01000;
constexpr std::uint32_t kAnyExecute = 0111, kGroupExecute = 0010;

bool owns(const Actor& actor, const ns::FileAttributes& attributes) {
  return actor.superuser || actor.uid == attributes.uid;
}

/// What policies, and encryption, leave of the three bits. Who may execute a file may read it, so
/// without reading there is neither; directories can be searched by those who may not list them.
unsigned by_policy(const Actor& actor, const ns::FileAttributes& attributes) {
  if (attributes.type == ns::FileType::directory) {
    return actor.lists ? kMayRead | kMayWrite | kMayExecute : kMayWrite | kMayExecute;
  }
  const unsigned most = actor.reads ? kMayRead | kMayWrite | kMayExecute : kMayWrite;
  return attributes.fixed ? most & ~kMayWrite : most;
}

}  // namespace

Admission admit(const Peer& peer, const Export& on) {
  if (!on.allows(peer.address)) {
    return Admission::wrong_address;
  }
  const bool enough =
      on.security == TransportSecurity::none ||
      (peer.tls && (on.security == TransportSecurity::tls || !peer.tls_name.empty()));
  return enough ? Admission::granted : Admission::needs_tls;
}

bool Actor::in_group(std::uint32_t wanted) const {
  return gid == wanted || std::ranges::find(groups, wanted) != groups.end();
}

Actor squash(const Credentials& credentials, const Export& on) {
  Actor actor{.uid = on.anon_uid, .gid = on.anon_gid, .groups = {}};
  actor.reads = on.rights.read;
  actor.lists = on.rights.list;
  if (credentials.flavor != AuthFlavor::sys || on.squash == Squash::all) {
    return actor;
  }
  const bool root_stays = on.squash == Squash::none;
  if (credentials.uid == 0 && !root_stays) {
    return actor;
  }
  const auto group = [&](std::uint32_t gid) { return gid == 0 && !root_stays ? on.anon_gid : gid; };
  actor.uid = credentials.uid;
  actor.gid = group(credentials.gid);
  actor.groups.reserve(credentials.groups.size());
  std::ranges::transform(credentials.groups, std::back_inserter(actor.groups), group);
  actor.superuser = credentials.uid == 0;
  return actor;
}

ns::FileAttributes shown(ns::FileAttributes attributes, const Export& on) {
  if (attributes.uid == ns::kNoOwner) {
    attributes.uid = on.anon_uid;
  }
  if (attributes.gid == ns::kNoOwner) {
    attributes.gid = on.anon_gid;
  }
  return attributes;
}

unsigned permitted(const Actor& actor, const ns::FileAttributes& attributes) {
  const unsigned most = by_policy(actor, attributes);
  if (actor.superuser) {
    const bool execute =
        attributes.type == ns::FileType::directory || (attributes.mode & kAnyExecute) != 0;
    return most & (kMayRead | kMayWrite | (execute ? kMayExecute : 0));
  }
  const unsigned shift = actor.uid == attributes.uid ? 6 : actor.in_group(attributes.gid) ? 3 : 0;
  return (attributes.mode >> shift) & most;
}

bool may(const Actor& actor, const ns::FileAttributes& attributes, unsigned wanted) {
  return (permitted(actor, attributes) & wanted) == wanted;
}

bool may_transfer(const Actor& actor, const ns::FileAttributes& attributes, unsigned wanted) {
  if ((by_policy(actor, attributes) & wanted) != wanted) {
    return false;
  }
  if (owns(actor, attributes)) {
    return true;
  }
  const unsigned has = permitted(actor, attributes);
  const unsigned reads = (has & kMayExecute) != 0 ? has | kMayRead : has;
  return (reads & wanted) == wanted;
}

bool may_make(const Actor& actor, ns::FileType type) {
  return actor.superuser || !ns::is_device(type);
}

bool may_unlink(const Actor& actor,
                const ns::FileAttributes& directory,
                const ns::FileAttributes& entry) {
  if (!may(actor, directory, kMayWrite | kMayExecute)) {
    return false;
  }
  return (directory.mode & kSticky) == 0 || owns(actor, directory) || owns(actor, entry);
}

Result<void> may_set(const Actor& actor,
                     const ns::FileAttributes& attributes,
                     const ns::SetAttributes& wanted,
                     bool times_to_now) {
  const bool owner = owns(actor, attributes);
  if (wanted.mode && !owner) {
    return fail(Errc::not_permitted);
  }
  if (wanted.uid && !actor.superuser && !(owner && *wanted.uid == attributes.uid)) {
    return fail(Errc::not_permitted);
  }
  if (wanted.gid && !actor.superuser &&
      !(owner && (*wanted.gid == attributes.gid || actor.in_group(*wanted.gid)))) {
    return fail(Errc::not_permitted);
  }
  if ((wanted.atime_ns || wanted.mtime_ns) && !owner) {
    if (!times_to_now) {
      return fail(Errc::not_permitted);
    }
    if (!may(actor, attributes, kMayWrite)) {
      return fail(Errc::access_denied);
    }
  }
  if (wanted.size && !may_transfer(actor, attributes, kMayWrite)) {
    return fail(Errc::access_denied);
  }
  return ok();
}

ns::SetAttributes settled(const Actor& actor,
                          const ns::FileAttributes& attributes,
                          ns::SetAttributes wanted) {
  if (actor.superuser) {
    return wanted;
  }
  const std::uint32_t gid = wanted.gid.value_or(attributes.gid);
  if (wanted.mode && (*wanted.mode & kSetGid) != 0 && !actor.in_group(gid)) {
    *wanted.mode &= ~kSetGid;
  }
  const bool changes_hands = wanted.uid || wanted.gid;
  if (changes_hands && !wanted.mode && attributes.type == ns::FileType::regular) {
    // Set-gid without group execution asks for mandatory locks, it lends nobody a group.
    const std::uint32_t drop = kSetUid | ((attributes.mode & kGroupExecute) != 0 ? kSetGid : 0u);
    if ((attributes.mode & drop) != 0) {
      wanted.mode = attributes.mode & ~drop;
    }
  }
  return wanted;
}

}  // namespace outcrop::nfs
