// NFSv3 and MOUNT on the file system in memory, called with arguments made by hand.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "api/nfs/v3/mount.h"
#include "api/nfs/v3/nfs3.h"
#include "api/nfs/v3/op_table.h"
#include "storage/base/async.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/reference_namespace.h"
#include "tests/support/ticking_clock.h"

namespace outcrop::nfs::v3::test {

/// Arguments of a call, one item after the other.
class Args {
 public:
  Args& fh(std::string_view handle) {
    x_out.string(handle);
    return *this;
  }
  Args& text(std::string_view s) { return fh(s); }
  Args& u32(std::uint32_t v) {
    x_out.u32(v);
    return *this;
  }
  Args& u64(std::uint64_t v) {
    x_out.u64(v);
    return *this;
  }
  /// sattr3 that sets what is given; `times`: 0 leave, 1 server's.
  Args& sattr(const ns::SetAttributes& set = {}, std::uint32_t times = 0) {
    for (const auto& field : {set.mode, set.uid, set.gid}) {
      x_out.boolean(field.has_value());
      if (field) {
        x_out.u32(*field);
      }
    }
    x_out.boolean(set.size.has_value());
    if (set.size) {
      x_out.u64(*set.size);
    }
    for (const auto& time : {set.atime_ns, set.mtime_ns}) {
      x_out.u32(time ? 2 : times);
      if (time) {
        x_out.u32(static_cast<std::uint32_t>(*time / 1'000'000'000));
        x_out.u32(static_cast<std::uint32_t>(*time % 1'000'000'000));
      }
    }
    return *this;
  }
  std::string bytes() const { return x_out.flatten(); }

 private:
  XdrWriter x_out;
};

inline ns::SetAttributes mode(std::uint32_t m) {
  ns::SetAttributes set;
  set.mode = m;
  return set;
}
inline ns::SetAttributes size(std::uint64_t n) {
  ns::SetAttributes set;
  set.size = n;
  return set;
}

/// fattr3.
struct Attributes {
  std::uint32_t type = 0, mode = 0, links = 0, uid = 0, gid = 0;
  std::uint64_t size = 0, used = 0, rdev = 0, fsid = 0, fileid = 0;
  std::uint64_t atime = 0, mtime = 0, ctime = 0;  ///< as they are on the wire
};
struct WccData {
  bool before = false;
  std::uint64_t size = 0, mtime = 0, ctime = 0;
  std::optional<Attributes> after;
};

inline Attributes read_attributes(XdrReader& in) {
  Attributes a;
  for (std::uint32_t* field : {&a.type, &a.mode, &a.links, &a.uid, &a.gid}) {
    *field = in.u32();
  }
  for (std::uint64_t* field :
       {&a.size, &a.used, &a.rdev, &a.fsid, &a.fileid, &a.atime, &a.mtime, &a.ctime}) {
    *field = in.u64();
  }
  return a;
}
inline std::optional<Attributes> read_post_op(XdrReader& in) {
  return in.boolean() ? std::optional(read_attributes(in)) : std::nullopt;
}
inline WccData read_wcc(XdrReader& in) {
  WccData wcc;
  wcc.before = in.boolean();
  if (wcc.before) {
    wcc.size = in.u64();
    wcc.mtime = in.u64();
    wcc.ctime = in.u64();
  }
  wcc.after = read_post_op(in);
  return wcc;
}

/// What came back, behind the status if there is one.
struct Reply {
  std::shared_ptr<const std::string> bytes;
  AcceptStatus accepted = AcceptStatus::system_error;
  std::uint32_t xid = 0;
  std::uint32_t status = UINT32_MAX;
  XdrReader in;
  bool none() const { return bytes->empty(); }
  Status nfs() const { return static_cast<Status>(status); }
};

enum Procedure : std::uint32_t {
  kNull,
  kGetattr,
  kSetattr,
  kLookup,
  kAccess,
  kReadlink,
  kRead,
  kWrite,
  kCreate,
  kMkdir,
  kSymlink,
  kMknod,
  kRemove,
  kRmdir,
  kRename,
  kLink,
  kReaddir,
  kReaddirplus,
  kFsstat,
  kFsinfo,
  kPathconf,
  kCommit
};

class Nfs3Test : public ::testing::Test {
 protected:
  Nfs3Test() {
    add_export("/datasets", "b");
    ns::SetAttributes owner = mode(0755);
    owner.uid = owner.gid = 1000;
    EXPECT_TRUE(run_on(io, files.set_attributes({root, root}, owner)));
    who.flavor = AuthFlavor::sys;
    who.uid = who.gid = 1000;
  }

  ExportPtr add_export(std::string path,
                       std::string bucket,
                       std::function<void(Export&)> change = {}) {
    Export e;
    e.path = std::move(path);
    e.bucket = std::move(bucket);
    e.clients = {*parse_cidr("10.0.0.0/8")};
    if (change) {
      change(e);
    }
    const auto added = exports.add(std::move(e));
    EXPECT_TRUE(added) << added.error().describe();
    return *added;
  }

  std::string handle(ns::FileId file, ExportId on = 1) const {
    return std::string(as_text(handles.seal({on, file})));
  }
  std::string root_handle() const { return handle({root, root}); }

  RpcCall make_call(std::uint32_t procedure,
                    const Args& args,
                    std::uint32_t program = kProgramNfs) {
    return {.xid = ++xid,
            .program = program,
            .version = 3,
            .procedure = procedure,
            .credentials = who,
            .arguments = XdrReader(Buffer::copy_of(as_bytes(args.bytes())))};
  }
  Task<std::string> send(Program& to, RpcCall call) {
    XdrWriter reply;
    co_await to.call(peer, call, reply);
    co_return reply.flatten();
  }
  Reply finish(std::string bytes, bool has_status) {
    Reply reply;
    reply.bytes = std::make_shared<const std::string>(std::move(bytes));
    reply.in = XdrReader(as_bytes(*reply.bytes));
    if (reply.bytes->empty()) {
      return reply;
    }
    reply.xid = reply.in.u32();
    EXPECT_EQ(reply.in.u32(), 1U) << "not a reply";
    EXPECT_EQ(reply.in.u32(), 0U) << "refused";
    reply.in.u32();
    reply.in.opaque(400);
    reply.accepted = static_cast<AcceptStatus>(reply.in.u32());
    if (reply.accepted == AcceptStatus::success && has_status) {
      reply.status = reply.in.u32();
    }
    return reply;
  }
  Reply call(std::uint32_t procedure, const Args& args) {
    return finish(*run_on(io, send(nfs, make_call(procedure, args))), procedure != kNull);
  }
  Reply mount_call(std::uint32_t procedure, const Args& args = {}) {
    return finish(*run_on(io, send(mountd, make_call(procedure, args, kProgramMount))),
                  procedure == 1);
  }

  // Shortcuts for setting the scene, straight on the file system.
  template <class T>
  T must(Task<T> task) {
    Result<T> result = run_on(io, std::move(task));
    if (!result) {
      ADD_FAILURE() << result.error().describe();
    }
    return std::move(result).value();
  }
  ns::FileId make_file(std::string_view name,
                       std::string_view data = {},
                       std::uint32_t uid = 1000,
                       std::uint32_t bits = 0644) {
    ns::CreateRequest request;
    request.attributes = mode(bits);
    request.attributes.uid = request.attributes.gid = uid;
    const ns::FileId file = must(files.create({root, root}, name, request)).attributes.id;
    if (!data.empty()) {
      must(files.write(file, 0, {Buffer::copy_of(as_bytes(data))}, true));
    }
    return file;
  }
  ns::FileId make_directory(std::string_view name,
                            std::uint32_t uid = 1000,
                            std::uint32_t bits = 0755,
                            InodeId in = 0) {
    ns::SetAttributes set = mode(bits);
    set.uid = set.gid = uid;
    return must(files.make_directory({root, in == 0 ? root : in}, name, set)).attributes.id;
  }
  ns::FileAttributes stat(ns::FileId file) { return must(files.get_attributes(file)); }
  std::string content(ns::FileId file) {
    std::string out;
    for (const Buffer& piece : must(files.read(file, 0, ns::kMaxWriteBytes)).data) {
      out.append(as_text(piece.view()));
    }
    return out;
  }
  /// The status of a procedure whose only argument is a name in the root.
  Status on_name(std::uint32_t procedure, std::string_view name) {
    return call(procedure, Args().fh(root_handle()).text(name)).nfs();
  }
  std::string lookup(std::string_view name) {
    Reply reply = call(kLookup, Args().fh(root_handle()).text(name));
    EXPECT_EQ(reply.nfs(), Status::ok) << name;
    return std::string(reply.in.string(64));
  }

  asio::io_context io{1};
  outcrop::test::TickingClock clock;
  SeededRandom random{1};
  outcrop::testing::ReferenceNamespace buckets{clock};
  outcrop::test::MemFileSystem files{clock};
  InodeId root = files.add_bucket("b");
  ExportTable exports;
  HandleCodec handles{HandleKey{std::byte{1}}, 1, HandleKey{std::byte{1}}};
  Service service{buckets, files, exports, handles, clock, random};
  ExportScope scope{files};
  ReplyCache replies{clock};
  struct Seen {
    std::uint32_t operation, status;
    std::uint64_t bytes_in, bytes_out;
  };
  std::vector<Seen> seen;
  Nfs3 nfs{service, scope, replies,
           [this](std::uint32_t op,
                  std::uint32_t status,
                  std::uint64_t in,
                  std::uint64_t out,
                  std::int64_t) { seen.push_back({op, status, in, out}); }};
  Mount3 mountd{service, scope, {}};
  Peer peer{.address = boost::asio::ip::make_address("10.1.2.3"), .port = 700};
  Credentials who;
  std::uint32_t xid = 100;
};

}  // namespace outcrop::nfs::v3::test
