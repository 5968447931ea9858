// OPEN (RFC 8881 section 18.16, RFC 7530 section 16.16). The object is found or made first, then
// the state manager grants the open; a truncation comes last, when the share modes are ours.
#include "api/nfs/v4/names.h"
#include "api/nfs/v4/open_args.h"
#include "api/nfs/v4/ops.h"
#include "api/nfs/v4/status_map.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::uint32_t kResultConfirm = 2, kResultPosixLocks = 4, kResultPreserveUnlinked = 8;
constexpr std::uint32_t kDelegateNone = 0, kDelegateNoneExt = 3;
constexpr int kCreateTries = 4;  ///< of UNCHECKED against others that create and remove the name

/// What finding or making the object came to.
struct Opened {
  FileRef file;
  ns::DirectoryChange directory;
  AttributeSet set;
  bool made = false;      ///< by this OPEN: its creator may do anything with it
  bool truncate = false;  ///< an existing file, UNCHECKED with size 0
};

struct Opening {
  Compound& c;
  const OpenArguments& args;
  ShareAccess share;
  StateContext context;
  SetRequest attributes;
};

bool is_exclusive(CreateHow how) { return how >= CreateHow::exclusive; }

/// RFC 7530 section 16.16.5 has SYMLINK for everything odd; RFC 8881 section 18.16.3 tells apart.
Status check_file(const FileRef& file, std::uint32_t minor) {
  switch (file.known->type) {
    case ns::FileType::regular:
      return Status::ok;
    case ns::FileType::directory:
      return Status::isdir;
    case ns::FileType::symlink:
      return Status::symlink;
    case ns::FileType::fifo:
    case ns::FileType::socket:
    case ns::FileType::block_device:
    case ns::FileType::character_device:
      break;
  }
  return minor == 0 ? Status::symlink : Status::wrong_type;
}

/// Mode bits for the access of the open; who may execute may read.
bool may_open(const FileRef& file, std::uint32_t access) {
  const unsigned has = permitted(*file.actor, *file.known);
  const bool reads = (has & (kMayRead | kMayExecute)) != 0;
  const bool writes = (has & kMayWrite) != 0;
  return ((access & kAccessRead) == 0 || reads) && ((access & kAccessWrite) == 0 || writes);
}

Status check_existing(const Opening& o, const Opened& found) {
  if (const Status status = check_file(found.file, o.c.minor); status != Status::ok) {
    return status;
  }
  const bool writes = (o.share.access & kAccessWrite) != 0 || found.truncate;
  if (writes && !found.file.on->writable()) {
    return Status::rofs;
  }
  const std::uint32_t access = o.share.access | (found.truncate ? kAccessWrite : 0);
  return may_open(found.file, access) ? Status::ok : Status::access;
}

ns::CreateRequest create_request(const Opening& o, const FileRef& parent) {
  ns::CreateRequest out;
  out.how = is_exclusive(*o.args.create) ? ns::CreateMode::exclusive : ns::CreateMode::guarded;
  std::memcpy(&out.verifier, o.args.verifier.data(), sizeof out.verifier);
  out.attributes = owned(parent, o.attributes.set);
  if (is_exclusive(*o.args.create) && !out.attributes.mode) {
    out.attributes.mode = 0600;  // until the client's SETATTR
  }
  return out;
}

/// Makes the file. exist: it is there.
Async<Status> make(Opening& o, Opened& out) {
  FileRef& parent = *o.c.current;
  if (!parent.on->writable()) {
    co_return Status::rofs;
  }
  if (!o.c.may(parent, kMayWrite)) {
    co_return Status::access;
  }
  if (const Status status = check_create_attributes(parent, o.attributes.set);
      status != Status::ok) {
    co_return status;
  }
  Result<ns::Created> made =
      co_await o.c.files().create(parent.file(), o.args.name, create_request(o, parent));
  if (!made) {
    co_return to_status(made.error());
  }
  out.file = o.c.ref(made->attributes, parent);
  out.directory = made->parent;
  out.set = o.attributes.given;
  out.made = made->made;
  o.c.note.changed = out.made;
  co_return out.made ? Status::ok : check_existing(o, out);
}

/// The name is there: what the kind of create makes of it.
Status take_existing(Opening& o, const ns::FileAttributes& there, Opened& out) {
  const FileRef& parent = *o.c.current;
  out.file = o.c.ref(there, parent);
  out.directory = {.before = parent.known->change, .after = parent.known->change};
  if (o.args.create == CreateHow::guarded) {
    return Status::exist;
  }
  out.truncate = o.args.create == CreateHow::unchecked && o.attributes.set.size == 0 &&
                 there.type == ns::FileType::regular;
  if (out.truncate) {
    out.set.add(Attribute::size);
  }
  return check_existing(o, out);
}

/// CLAIM_NULL.
Async<Status> by_name(Opening& o, Opened& out) {
  FileRef& parent = *o.c.current;
  Status status = co_await o.c.load_directory(parent, kMayExecute);
  status = first_error(status, check_name(o.args.name));
  if (status != Status::ok) {
    co_return status;
  }
  if (parent.pseudo()) {
    const PseudoNode* node = o.c.pseudo().find(parent.handle.file.ino);
    const bool there =
        node != nullptr && o.c.pseudo().child(*node, o.args.name, o.c.peer.address) != nullptr;
    co_return there ? Status::isdir : (o.args.create ? Status::rofs : Status::noent);
  }
  for (int i = 0; i < kCreateTries; ++i) {
    const Result<ns::FileAttributes> there =
        co_await o.c.files().lookup(parent.file(), o.args.name);
    const bool missing = !there && there.error().code() == Errc::not_found;
    if (!there && !missing) {
      co_return to_status(there.error());
    }
    const bool exclusive = o.args.create && is_exclusive(*o.args.create);
    if (there && !exclusive) {
      co_return take_existing(o, *there, out);
    }
    if (missing && !o.args.create) {
      co_return Status::noent;
    }
    status = co_await make(o, out);
    if (status != Status::exist || o.args.create != CreateHow::unchecked) {
      co_return status;
    }
  }
  co_return Status::delay;
}

/// CLAIM_FH and CLAIM_PREVIOUS: the current filehandle is the file.
Async<Status> by_handle(Opening& o, Opened& out) {
  FileRef& file = *o.c.current;
  if (const Status status = co_await o.c.load(file); status != Status::ok) {
    co_return status;
  }
  if (o.args.create) {
    co_return Status::inval;
  }
  if (file.pseudo()) {
    co_return Status::isdir;
  }
  out.file = file;
  co_return check_existing(o, out);
}

Async<Status> truncate(Opening& o, Opened& opened) {
  ns::SetAttributes empty;
  empty.size = 0;
  const Result<ns::FileAttributes> done =
      co_await o.c.files().set_attributes(opened.file.file(), empty);
  if (!done) {
    co_return to_status(done.error());
  }
  opened.file.known = shown(*done, *opened.file.on);
  o.c.note.changed = true;
  co_return Status::ok;
}

Async<Status> grant(Opening& o, Opened& opened, OpenGrant& granted) {
  OpenRequest request{.owner = o.args.owner,
                      .file = opened.file.file(),
                      .access = o.share.access,
                      .deny = o.args.share_deny,
                      .reclaim = o.args.claim == Claim::previous,
                      .hold = nullptr};
  if (opened.truncate) {
    OpenRequest writing = request;
    writing.access |= kAccessWrite;
    if (const Status status = o.c.core.state.test_share(writing); status != Status::ok) {
      co_return status;
    }
  }
  Result<ns::OpenHoldPtr> hold = co_await o.c.files().hold(opened.file.file());
  if (!hold) {
    co_return to_status(hold.error());
  }
  request.hold = std::move(*hold);
  Outcome<OpenGrant> got = co_await o.c.core.state.open(o.context, std::move(request));
  if (!got) {
    co_return got.error();
  }
  granted = *got;
  if (!opened.truncate) {
    co_return Status::ok;
  }
  const Status status = co_await truncate(o, opened);
  if (status != Status::ok) {
    o.c.core.state.undo_open(o.context, granted);
  }
  co_return status;
}

void write_result(const Opening& o,
                  const Opened& opened,
                  const OpenGrant& granted,
                  XdrWriter& out) {
  write_stateid(out, granted.stateid);
  write_change(out, opened.directory);
  out.u32(kResultPosixLocks | (granted.confirm ? kResultConfirm : 0) |
          (o.c.minor > 0 ? kResultPreserveUnlinked : 0));
  opened.set.write(out);
  if (!o.share.no_delegation) {
    out.u32(kDelegateNone);
    return;
  }
  out.u32(kDelegateNoneExt);
  out.u32(static_cast<std::uint32_t>(*o.share.no_delegation));
  if (*o.share.no_delegation == NoDelegation::contention ||
      *o.share.no_delegation == NoDelegation::resource) {
    out.boolean(false);
  }
}

/// What can be said before the object is looked at.
Status check_arguments(Opening& o) {
  const Outcome<ShareAccess> share = parse_share_access(o.args.share_access, o.c.minor);
  if (!share || o.args.share_deny > kDenyBoth) {
    return share ? Status::inval : share.error();
  }
  o.share = *share;
  switch (o.args.claim) {
    case Claim::delegate_cur:
    case Claim::deleg_cur_fh:
      return Status::bad_stateid;  // no delegation was ever given out
    case Claim::delegate_prev:
    case Claim::deleg_prev_fh:
      return Status::notsupp;
    case Claim::null:
    case Claim::previous:
    case Claim::fh:
      break;
  }
  if (!o.args.create) {
    return Status::ok;
  }
  const Status status =
      parse_settable(o.args.attributes, o.c.minor, SetPurpose::create, o.c.now(), o.attributes);
  const bool too_much = o.args.create == CreateHow::exclusive_1 &&
                        !o.attributes.given.within(exclusive_create_attributes(o.c.minor));
  return status == Status::ok && too_much ? Status::inval : status;
}

}  // namespace

Async<Status> op_open(Compound& c, XdrReader& in, XdrWriter& out) {
  const OpenArguments args = read_open(in, c.minor);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  c.note.first_name = args.by_handle() ? std::string_view() : args.name;
  Outcome<StateContext> context = c.state(args.client);
  if (!context) {
    co_return context.error();
  }
  if (c.minor == 0) {
    if (const auto done =
            c.enter(c.core.state.begin_open(context->client, args.owner, args.seqid))) {
      co_return *done;
    }
  }
  Opening o{.c = c, .args = args, .share = {}, .context = std::move(*context), .attributes = {}};
  Status status = c.current->insecure ? Status::wrongsec : check_arguments(o);
  if (status == Status::ok) {
    status = c.core.state.may_open(o.context, args.claim == Claim::previous);
  }
  Opened opened;
  if (status == Status::ok) {
    status = args.by_handle() ? co_await by_handle(o, opened) : co_await by_name(o, opened);
  }
  OpenGrant granted;
  if (status == Status::ok) {
    status = co_await grant(o, opened, granted);
  }
  if (status != Status::ok) {
    co_return status;
  }
  write_result(o, opened, granted, out);
  c.put(std::move(opened.file));
  c.current_stateid = granted.stateid;
  co_return Status::ok;
}

}  // namespace outcrop::nfs::v4
