// The histories of cross_model_test.cpp with half of the file operations as NFSv3 calls, in XDR as
// a client sends them: that the protocol says of the one tree what the model says, errors too.
#include <gtest/gtest.h>

#include <deque>

#include "tests/property/cross_driver.h"
#include "tests/property/cross_generator.h"
#include "tests/support/file_fixture.h"
#include "tests/unit/api/nfs/v3/nfs3_fixture.h"

namespace outcrop::test {
namespace {

using nfs::v3::Status;
using nfs::v3::test::Args;

constexpr std::uint64_t kMinPart = 50;
constexpr std::uint64_t kPerHistory = 2000;
constexpr std::size_t kTraced = 40;

std::optional<Errc> error_of(std::uint32_t status) {
  switch (static_cast<Status>(status)) {
    case Status::ok:
      return std::nullopt;
    case Status::noent:
      return Errc::not_found;
    case Status::exist:
      return Errc::already_exists;
    case Status::notdir:
      return Errc::not_directory;
    case Status::isdir:
      return Errc::is_directory;
    case Status::inval:
      return Errc::invalid_argument;
    case Status::nametoolong:
      return Errc::name_too_long;
    case Status::notempty:
      return Errc::not_empty;
    case Status::stale:
      return Errc::stale;
    default:
      return Errc::internal;
  }
}

class WireHistory {
 public:
  explicit WireHistory(std::uint64_t seed)
      : x_driver({.min_part_bytes = kMinPart, .inode_block = 5000}, 0),
        x_generator(seed, x_driver.root),
        x_model({.root = x_driver.root, .min_part_bytes = kMinPart}) {
    x_model.set_relaxed(true);  // the wire does not show all that answers have
    nfs::Export e;
    e.path = "/b";
    e.bucket = "b";
    e.clients = {*nfs::parse_cidr("10.0.0.0/8")};
    e.squash = nfs::Squash::none;
    EXPECT_TRUE(x_exports.add(std::move(e)));
    x_who.flavor = nfs::AuthFlavor::sys;
    x_who.uid = x_who.gid = 0;
    start();
  }

  /// Empty: all is as it must be.
  std::string step() {
    Op op = x_generator.next(x_model);
    const bool wire = on_wire(op) && x_generator.pick(2) == 0;
    const Answer answer = wire ? perform(op) : x_driver.perform(op);
    if (op.kind == OpKind::restart || op.kind == OpKind::crash) {
      start();
    }
    std::string wrong = x_model.judge(op, answer);
    x_calls += wire;
    x_trace.push_back((wire ? "NFSv3 " : "") + describe(op) + " -> " + describe(answer));
    if (x_trace.size() > kTraced) {
      x_trace.pop_front();
    }
    return wrong.empty() && op.kind == OpKind::crash ? survivors() : wrong;
  }
  std::uint64_t calls() const { return x_calls; }
  std::string trace() const {
    std::string out;
    for (const std::string& line : x_trace) {
      out += line + "\n";
    }
    return out;
  }

 private:
  // A new process serves from now on.
  void start() {
    x_nfs.reset();
    x_service.emplace(*x_driver.ns, x_driver.ns->files(), x_exports, x_handles, x_driver.clock,
                      x_driver.random);
    x_scope.emplace(x_driver.ns->files());
    x_nfs.emplace(*x_service, *x_scope, x_replies, nfs::Observer{});
  }

  std::string survivors() {
    for (const auto& [id, node] : std::map(x_model.nodes())) {
      Op op;
      op.kind = OpKind::read;
      op.file = {x_driver.root.root, node.ino};
      op.length = 1 << 20;
      if (!node.dirty) {
        continue;
      }
      const Answer answer = x_driver.perform(op);
      std::string wrong =
          answer.error ? describe(answer)
                       : x_model.survived(node.ino, joined(answer.as<ns::ReadResult>().data));
      if (!wrong.empty()) {
        return wrong;
      }
    }
    return {};
  }

  // What a client's kernel would send, and where the protocol asks what the store asks.
  bool on_wire(Op& op) const {
    const Node* node = x_model.find(op.file.ino);
    const bool directory = node && node->directory();
    // Of names with '/' or none at all the protocol says ACCES, like the kernel's server.
    const auto nameable = [](const std::string& n) {
      return !n.empty() && n != "." && n != ".." && !n.contains('/') && !n.contains('\0');
    };
    switch (op.kind) {
      case OpKind::create:
        if (op.create.how == ns::CreateMode::exclusive) {
          op.create.attributes = {};  // the verifier takes their place
        }
        return directory && nameable(op.name) && op.create.how != ns::CreateMode::unchecked;
      case OpKind::lookup:
      case OpKind::mkdir:
      case OpKind::symlink:
        return directory && nameable(op.name);
      case OpKind::remove:
        op.how = op.how == ns::RemoveKind::any ? ns::RemoveKind::file : op.how;
        return directory && nameable(op.name);
      case OpKind::rename: {
        const Node* to = x_model.find(op.other.ino);
        return directory && to && to->directory() && nameable(op.name) && nameable(op.name2);
      }
      case OpKind::link:
        return directory && nameable(op.name) && x_model.find(op.other.ino) &&
               !x_model.find(op.other.ino)->directory();
      case OpKind::read_directory:
        return op.offset == 0 && op.length == 100;
      case OpKind::read:
      case OpKind::write:
      case OpKind::commit:
        return !node || node->regular();
      case OpKind::set_attributes:
        return node && node->regular() && !op.guard;
      case OpKind::get_attributes:
      case OpKind::read_symlink:
        return true;
      default:
        return false;
    }
  }

  nfs::XdrReader call(std::uint32_t procedure, const Args& args, Answer& out) {
    nfs::RpcCall call{.xid = ++x_xid,
                      .program = nfs::kProgramNfs,
                      .version = 3,
                      .procedure = procedure,
                      .credentials = x_who,
                      .arguments = nfs::XdrReader(Buffer::copy_of(as_bytes(args.bytes())))};
    out.from_ns = x_driver.clock.wall_ns();
    x_reply = *run_on(x_driver.io, send(call));
    out.to_ns = x_driver.clock.wall_ns();
    nfs::XdrReader in(as_bytes(x_reply));
    for (int i = 0; i < 4; ++i) {
      in.u32();  // xid, reply, accepted, verifier flavour
    }
    in.opaque(400);
    EXPECT_EQ(in.u32(), 0U) << "not accepted";
    const std::uint32_t status = in.u32();
    out.error = error_of(status);
    out.detail = "nfsstat3 " + std::to_string(status);
    return in;
  }
  Task<std::string> send(nfs::RpcCall& call) {
    nfs::XdrWriter reply;
    co_await x_nfs->call(x_peer, call, reply);
    co_return reply.flatten();
  }

  std::string handle(ns::FileId file) const {
    return std::string(as_text(x_handles.seal({1, file})));
  }
  ns::FileAttributes attributes(const nfs::v3::test::Attributes& a) const {
    ns::FileAttributes out;
    out.id = {x_driver.root.root, a.fileid};
    out.type = a.type == 2   ? ns::FileType::directory
               : a.type == 5 ? ns::FileType::symlink
                             : ns::FileType::regular;
    out.size = a.size;
    out.links = a.links;
    return out;
  }
  ns::FileAttributes post_op(nfs::XdrReader& in) const {
    const auto a = nfs::v3::test::read_post_op(in);
    EXPECT_TRUE(a.has_value());
    return a ? attributes(*a) : ns::FileAttributes{};
  }

  Answer perform(const Op& op) {
    using namespace nfs::v3::test;
    Answer out;
    Args args;
    args.fh(handle(op.file));
    switch (op.kind) {
      case OpKind::create:
      case OpKind::mkdir:
      case OpKind::symlink:
        return make(op);
      case OpKind::lookup: {
        nfs::XdrReader in = call(kLookup, args.text(op.name), out);
        if (!out.error) {
          in.string(64);
          out.value = post_op(in);
        }
        return out;
      }
      case OpKind::get_attributes: {
        nfs::XdrReader in = call(kGetattr, args, out);
        if (!out.error) {
          out.value = attributes(read_attributes(in));
        }
        return out;
      }
      case OpKind::set_attributes: {
        nfs::XdrReader in = call(kSetattr, args.sattr(op.set).u32(0), out);
        out.value = out.error ? ns::FileAttributes{} : attributes(*read_wcc(in).after);
        return out;
      }
      case OpKind::read_symlink: {
        nfs::XdrReader in = call(kReadlink, args, out);
        read_post_op(in);
        out.value = out.error ? std::string() : std::string(in.string(4096));
        return out;
      }
      case OpKind::read_directory:
        return list(op);
      case OpKind::remove:
      case OpKind::rename:
      case OpKind::link:
        return change_names(op);
      default:
        return data(op);
    }
  }

  Answer make(const Op& op) {
    using namespace nfs::v3::test;
    Answer out;
    Args args;
    args.fh(handle(op.file)).text(op.name);
    nfs::XdrReader in;
    if (op.kind == OpKind::mkdir) {
      in = call(kMkdir, args.sattr(op.set), out);
    } else if (op.kind == OpKind::symlink) {
      in = call(kSymlink, args.sattr(op.set).text(op.name2), out);
    } else if (op.create.how == ns::CreateMode::exclusive) {
      in = call(kCreate, args.u32(2).u64(op.create.verifier), out);
    } else {
      in = call(kCreate, args.u32(1).sattr(op.create.attributes), out);
    }
    if (!out.error) {
      EXPECT_TRUE(in.boolean());
      in.string(64);
      ns::Created created;
      created.attributes = post_op(in);
      // An exclusive create that was done before.
      created.made = x_model.find(created.attributes.id.ino) == nullptr;
      out.value = created;
    }
    return out;
  }

  Answer change_names(const Op& op) {
    using namespace nfs::v3::test;
    Answer out;
    Args args;
    if (op.kind == OpKind::remove) {
      const Node* directory = x_model.find(op.file.ino);
      ns::Removed removed;
      for (const auto& [dirent, child] : directory->entries) {
        if (!dirent.empty() && x_model.shown(*directory, dirent) == op.name) {
          removed.id = {x_driver.root.root, x_model.node(child).ino};
        }
      }
      args.fh(handle(op.file)).text(op.name);
      call(op.how == ns::RemoveKind::directory ? kRmdir : kRemove, args, out);
      out.value = removed;
    } else if (op.kind == OpKind::rename) {
      args.fh(handle(op.file)).text(op.name).fh(handle(op.other)).text(op.name2);
      call(kRename, args, out);
      out.value = ns::Renamed{};
    } else {
      args.fh(handle(op.other)).fh(handle(op.file)).text(op.name);
      nfs::XdrReader in = call(kLink, args, out);
      ns::Created created;
      created.attributes = out.error ? created.attributes : post_op(in);
      out.value = created;
    }
    return out;
  }

  Answer data(const Op& op) {
    using namespace nfs::v3::test;
    Answer out;
    Args args;
    args.fh(handle(op.file)).u64(op.offset);
    if (op.kind == OpKind::read) {
      nfs::XdrReader in = call(kRead, args.u32(static_cast<std::uint32_t>(op.length)), out);
      read_post_op(in);
      ns::ReadResult result;
      if (!out.error) {
        result.bytes = in.u32();
        result.eof = in.boolean();
        result.data = {Buffer::copy_of(as_bytes(std::string(in.string(1 << 20))))};
      }
      out.value = std::move(result);
    } else if (op.kind == OpKind::write) {
      args.u32(static_cast<std::uint32_t>(op.data.size())).u32(op.flag ? 2 : 0).text(op.data);
      nfs::XdrReader in = call(kWrite, args, out);
      ns::WriteResult result;
      if (!out.error) {
        result.attributes = attributes(*read_wcc(in).after);
        EXPECT_EQ(in.u32(), op.data.size());
        result.stable = in.u32() == 2;
      }
      out.value = result;
    } else {
      nfs::XdrReader in = call(kCommit, args.u32(0), out);
      out.value = out.error ? ns::FileAttributes{} : attributes(*read_wcc(in).after);
    }
    return out;
  }

  Answer list(const Op& op) {
    using namespace nfs::v3::test;
    Answer out;
    Args args;
    args.fh(handle(op.file)).u64(0).u64(0).u32(1 << 18).u32(1 << 20);
    nfs::XdrReader in = call(kReaddirplus, args, out);
    ns::DirectoryPage page;
    read_post_op(in);
    in.u64();
    while (!out.error && in.boolean()) {
      ns::DirectoryEntry entry;
      in.u64();
      entry.name = in.string(255);
      entry.cookie = in.u64();
      entry.attributes = post_op(in);
      if (in.boolean()) {
        in.string(64);
      }
      if (entry.name != "." && entry.name != "..") {
        page.entries.push_back(std::move(entry));
      }
    }
    page.eof = !out.error && in.boolean();
    out.value = std::move(page);
    return out;
  }

  CrossDriver x_driver;
  CrossGenerator x_generator;
  CrossModel x_model;
  nfs::ExportTable x_exports;
  nfs::HandleCodec x_handles{nfs::HandleKey{std::byte{1}}, 1, nfs::HandleKey{std::byte{1}}};
  nfs::ReplyCache x_replies{x_driver.clock};
  nfs::Peer x_peer{.address = boost::asio::ip::make_address("10.1.2.3"), .port = 700};
  nfs::Credentials x_who;
  std::optional<nfs::Service> x_service;
  std::optional<nfs::ExportScope> x_scope;
  std::optional<nfs::v3::Nfs3> x_nfs;
  std::uint32_t x_xid = 100;
  std::string x_reply;
  std::deque<std::string> x_trace;
  std::uint64_t x_calls = 0;
};

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(CrossWire, RandomHistoriesByNfs3) {
  const std::uint64_t total = setting("OUTCROP_MODEL_OPS", 10'000);
  std::uint64_t seed = setting("OUTCROP_SEED", 1);
  for (std::uint64_t done = 0; done < total; done += kPerHistory, ++seed) {
    SCOPED_TRACE("OUTCROP_SEED=" + std::to_string(seed));
    WireHistory history(seed);
    for (std::uint64_t i = 0; i < kPerHistory; ++i) {
      const std::string wrong = history.step();
      if (!wrong.empty() || ::testing::Test::HasFailure()) {
        FAIL() << "at operation " << i << ": " << wrong << "\nthe last ones:\n" << history.trace();
      }
    }
    EXPECT_GT(history.calls(), kPerHistory / 10);
  }
}

}  // namespace
}  // namespace outcrop::test
