// What one compound carries from operation to operation: filehandles, the current stateid, the
// session, and the checks that every operation by handle goes through.
#pragma once
#include <memory>
#include <optional>

#include "api/nfs/access.h"
#include "api/nfs/dispatch.h"
#include "api/nfs/v4/core.h"
#include "api/nfs/v4/op_table.h"

namespace outcrop::nfs::v4 {

/// A filehandle that went through all checks of its export, and what is known of its object.
struct FileRef {
  Handle handle;
  ExportPtr on;                             ///< null: of the pseudo file system
  std::shared_ptr<const Actor> actor;       ///< null likewise
  std::optional<ns::FileAttributes> known;  ///< as shown; absent: not read yet, or changed since
  bool insecure = false;                    ///< the export wants a safer transport than this

  bool pseudo() const { return on == nullptr; }
  ns::FileId file() const { return handle.file; }
};

inline constexpr std::size_t kLeastData = 4096;

struct Compound {
  Core& core;
  const Peer& peer;
  const RpcCall& call;
  unsigned minor = 0;
  std::size_t request_bytes = 0;  ///< of the whole RPC message
  std::uint32_t op_count = 0;
  std::uint32_t position = 0;  ///< of the operation being served

  std::optional<FileRef> current{}, saved{};
  std::optional<Stateid> current_stateid{},
      saved_stateid{};  ///< what (1, 0) stands for; 4.1 and up
  /// Cut for 4.1+ by the session; bytes of the RPC reply.
  std::size_t reply_limit = kMaxRecordBytes;
  Status too_big = Status::resource;  ///< the answer to what goes over it
  SlotTicket slot{};                  ///< 4.1 and up, behind SEQUENCE
  CachedReply replay{};  ///< SEQUENCE found the reply of the first try: it is the whole answer
  Status second = Status::ok;  ///< not ok: what the operation behind SEQUENCE answers

  // 4.0: the operation's place in its owner's sequence.
  OwnerTicket owner{};
  CachedReply owner_replay{};  ///< the operation's answer, as nfs4.cpp packed it
  bool changed = false;        ///< an operation that modifies has succeeded
  bool drop = false;           ///< no reply at all: the first try is still running

  AuditNote note{};  ///< of the operation being served

  PseudoTreePtr tree{};
  std::shared_ptr<const Actor> actor{};  ///< of the export that was asked last
  ExportPtr actor_on{};

  /// Who owns the client ids that the caller makes.
  Principal principal() const;
  const PseudoTree& pseudo();
  /// badhandle, stale, access: a filehandle from the client.
  Async<Status> open_handle(ConstBytes bytes, FileRef& out);
  /// The same for a handle that we made; the caller knows that the export is there and allowed.
  FileRef ref(const Handle& handle, ExportPtr on);
  FileRef ref(const ns::FileAttributes& attributes, const FileRef& like);
  FileRef pseudo_ref(const PseudoNode& node);
  /// The root of an export: stale if its bucket or directory is gone.
  Async<Status> export_root(const ExportPtr& on, FileRef& out);
  /// Reads attributes unless they are known.
  Async<Status> load(FileRef& file);
  /// load(), and: notdir, symlink, access unless the actor has the bits.
  Async<Status> load_directory(FileRef& file, unsigned bits);
  /// load(), and a regular file, else isdir, `for_symlink`, or for special nodes inval or
  /// wrong_type.
  Async<Status> load_regular(FileRef& file, Status for_symlink = Status::inval);
  bool may(const FileRef& file, unsigned bits) const;
  /// The stateid that a client means: (1, 0) is the current one. bad_stateid without one.
  Outcome<Stateid> resolve(const Stateid& wire) const;
  /// On whose behalf operations that name no client id run.
  StateContext state() const { return {.client = slot ? slot.client() : nullptr, .minor = minor}; }
  /// The same for those that do; 4.1 and up ignore the id, the session says who it is.
  Outcome<StateContext> state(ClientId id) const;
  /// resolve() and StateManager::check_io(). Mode bits count also behind an open, for a stateid is
  /// no secret: access, unless they let the caller (or it owns the file; access.h, may_transfer).
  Outcome<IoGrant> check_io(const Stateid& wire, const FileRef& file, IoKind kind) const;
  /// Takes the owner's turn. Set: the operation is answered with that already.
  std::optional<Status> enter(SeqidResult turn);
  /// Puts a new current filehandle; the current stateid goes with the old one.
  void put(FileRef file);
  /// Whether the object is what its export's path names; false also for what is gone.
  Async<bool> is_export_root(FileRef& file);
  /// What the encoders need for `wanted`.
  Async<Status> fill(FileRef& file, const AttributeSet& wanted, AttributeSource& out);
  /// What READ and READDIR may still add when memory is short; some in any case, so that a client
  /// gets on.
  std::size_t room_for_data(const XdrWriter& out) const {
    return std::max(kLeastData, call.most_data - std::min(call.most_data, out.size()));
  }
  std::int64_t now() const { return core.service.clock.wall_ns(); }
  ns::FileSystem& files() const { return core.service.files; }
};

}  // namespace outcrop::nfs::v4
