#include "api/nfs/v4/compound.h"

#include "api/nfs/v4/status_map.h"

namespace outcrop::nfs::v4 {

const PseudoTree& Compound::pseudo() {
  if (!tree) {
    tree = core.pseudo.tree(core.service.exports.list(), now());
  }
  return *tree;
}

FileRef Compound::ref(const Handle& handle, ExportPtr on) {
  if (actor_on != on) {
    actor = std::make_shared<const Actor>(squash(call.credentials, *on));
    actor_on = on;
  }
  FileRef out;
  out.handle = handle;
  out.insecure = admit(peer, *on) == Admission::needs_tls;
  out.actor = actor;
  out.on = std::move(on);
  return out;
}

FileRef Compound::ref(const ns::FileAttributes& attributes, const FileRef& like) {
  FileRef out = like;
  out.handle.file = attributes.id;
  out.known = shown(attributes, *like.on);
  return out;
}

FileRef Compound::pseudo_ref(const PseudoNode& node) {
  FileRef out;
  out.handle = {.export_id = 0, .file = {.root = 0, .ino = node.id}};
  out.known = pseudo().attributes(node);
  return out;
}

Async<Status> Compound::open_handle(ConstBytes bytes, FileRef& out) {
  const std::optional<Handle> handle = core.service.handles.open(bytes);
  if (!handle) {
    co_return Status::badhandle;
  }
  if (handle->pseudo()) {
    const PseudoNode* node = pseudo().find(handle->file.ino);
    if (node == nullptr || !pseudo().visible(*node, peer.address)) {
      co_return Status::stale;
    }
    out = pseudo_ref(*node);
    co_return Status::ok;
  }
  ExportPtr on = core.service.exports.find(handle->export_id);
  if (!on) {
    co_return Status::stale;
  }
  if (admit(peer, *on) == Admission::wrong_address) {
    note.on = on;
    note.refused = true;
    co_return Status::access;
  }
  if (!core.scope.known_root(*on, handle->file.root)) {
    const Result<void> right = co_await core.scope.check_root(*on, handle->file.root);
    if (!right) {
      co_return to_status(right.error());
    }
  }
  out = ref(*handle, std::move(on));
  co_return Status::ok;
}

Async<Status> Compound::export_root(const ExportPtr& on, FileRef& out) {
  const Result<ns::FileAttributes> root = co_await core.scope.top(*on);
  if (!root) {
    const Status status = to_status(root.error());
    co_return status == Status::notdir ? Status::stale : status;
  }
  if (root->type != ns::FileType::directory) {
    co_return Status::stale;
  }
  out = ref({.export_id = on->id, .file = root->id}, on);
  out.known = shown(*root, *on);
  co_return Status::ok;
}

Async<Status> Compound::load(FileRef& file) {
  if (file.known) {
    co_return Status::ok;
  }
  if (file.pseudo()) {
    const PseudoNode* node = pseudo().find(file.handle.file.ino);
    if (node == nullptr) {
      co_return Status::stale;
    }
    file.known = pseudo().attributes(*node);
    co_return Status::ok;
  }
  Result<ns::FileAttributes> got = co_await files().get_attributes(file.file());
  if (!got) {
    co_return to_status(got.error());
  }
  file.known = shown(*got, *file.on);
  co_return Status::ok;
}

bool Compound::may(const FileRef& file, unsigned bits) const {
  if (file.pseudo()) {
    return (bits & kMayWrite) == 0;
  }
  return nfs::may(*file.actor, *file.known, bits);
}

Async<Status> Compound::load_directory(FileRef& file, unsigned bits) {
  if (const Status status = co_await load(file); status != Status::ok) {
    co_return status;
  }
  if (file.known->type != ns::FileType::directory) {
    co_return file.known->type == ns::FileType::symlink ? Status::symlink : Status::notdir;
  }
  co_return may(file, bits) ? Status::ok : Status::access;
}

Async<Status> Compound::load_regular(FileRef& file, Status for_symlink) {
  if (const Status status = co_await load(file); status != Status::ok) {
    co_return status;
  }
  switch (file.known->type) {
    case ns::FileType::regular:
      co_return Status::ok;
    case ns::FileType::directory:
      co_return Status::isdir;
    case ns::FileType::symlink:
      co_return for_symlink;
    case ns::FileType::fifo:
    case ns::FileType::socket:
    case ns::FileType::block_device:
    case ns::FileType::character_device:
      break;
  }
  co_return minor == 0 ? Status::inval : Status::wrong_type;
}

Principal Compound::principal() const {
  const Credentials& who = call.credentials;
  return {.flavor = static_cast<std::uint32_t>(who.flavor),
          .uid = who.uid,
          .host = peer.tls_name.empty() ? who.machine : peer.tls_name};
}

Outcome<Stateid> Compound::resolve(const Stateid& wire) const {
  if (minor == 0 || wire != kCurrentStateid) {
    return wire;
  }
  return current_stateid ? Outcome<Stateid>(*current_stateid) : refuse(Status::bad_stateid);
}

Outcome<StateContext> Compound::state(ClientId id) const {
  if (minor > 0) {
    return state();
  }
  Outcome<ClientRef> found = core.state.find_client(id);
  if (!found) {
    return refuse(found.error());
  }
  return StateContext{.client = std::move(*found), .minor = minor};
}

Outcome<IoGrant> Compound::check_io(const Stateid& wire, const FileRef& file, IoKind kind) const {
  const Outcome<Stateid> id = resolve(wire);
  if (!id) {
    return refuse(id.error());
  }
  Outcome<IoGrant> grant = core.state.check_io(state(), *id, file.file(), kind);
  if (!grant) {
    return grant;
  }
  const unsigned bits = kind == IoKind::read ? kMayRead : kMayWrite;
  return may_transfer(*file.actor, *file.known, bits) ? std::move(grant) : refuse(Status::access);
}

std::optional<Status> Compound::enter(SeqidResult turn) {
  if (turn.drop) {
    drop = true;
    return Status::delay;
  }
  if (turn.replay) {
    owner_replay = std::move(turn.replay);
    return Status::ok;
  }
  if (turn.status != Status::ok) {
    return turn.status;
  }
  owner = std::move(turn.ticket);
  return std::nullopt;
}

void Compound::put(FileRef file) {
  current = std::move(file);
  current_stateid.reset();
}

Async<Status> Compound::fill(FileRef& file, const AttributeSet& wanted, AttributeSource& out) {
  if (const Status status = co_await load(file); status != Status::ok) {
    co_return status;
  }
  out.file = *file.known;
  out.minor = minor;
  out.lease_seconds = core.lease_seconds();
  out.mounted_on = out.file.id.ino;
  out.handle = core.service.handles.seal(file.handle);
  if (file.pseudo()) {
    out.fsid = kPseudoFsid;
    co_return Status::ok;
  }
  out.fsid = {.major = file.on->id, .minor = file.file().root};
  if (wanted.has(Attribute::mounted_on_fileid) && co_await is_export_root(file)) {
    out.mounted_on = pseudo().mounted_on(file.on->id);
  }
  if (wanted.has(Attribute::fs_locations)) {
    out.root_path = path_components(file.on->path);
  }
  if (wanted.has_any(kSpaceAttributes)) {
    Result<ns::FileSystemSpace> space = co_await files().space(file.file().root);
    if (!space) {
      co_return to_status(space.error());
    }
    out.space = *space;
  }
  co_return Status::ok;
}

Async<bool> Compound::is_export_root(FileRef& file) {
  if (file.on->prefix.empty()) {
    co_return file.file().ino == file.file().root;
  }
  if (file.known && file.known->type != ns::FileType::directory) {
    co_return false;
  }
  FileRef root;
  const Status status = co_await export_root(file.on, root);
  co_return status == Status::ok&& root.file() == file.file();
}

}  // namespace outcrop::nfs::v4
