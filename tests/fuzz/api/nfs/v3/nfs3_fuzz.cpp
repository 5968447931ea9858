// Arguments of every kind into every procedure of NFSv3 and MOUNT, on a file system in memory: no
// crash, one reply, of the right call, whose parts are all there. A word fffffff0 to
// fffffff7 in an input stands for a valid handle, so that the procedures are reached.
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>

#include "api/nfs/v3/mount.h"
#include "api/nfs/v3/nfs3.h"
#include "api/nfs/v3/op_table.h"
#include "storage/base/async.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/reference_namespace.h"
#include "tests/support/ticking_clock.h"

using namespace outcrop;
using namespace outcrop::nfs;

namespace {

constexpr std::uint32_t kXid = 0xABCD;

/// Procedures that succeeded: of NFS, of MOUNT.
std::set<std::uint32_t>& succeeded(bool nfs) {
  static std::set<std::uint32_t> all[2];
  return all[nfs ? 1 : 0];
}

Observer noting(bool nfs) {
  return [nfs](std::uint32_t procedure, std::uint32_t status, auto...) {
    if (status == 0) {
      succeeded(nfs).insert(procedure);
    }
  };
}

struct World {
  World() {
    Export e;
    e.path = "/x";
    e.bucket = "b";
    e.clients = {*parse_cidr("0.0.0.0/0")};
    e.squash = Squash::none;
    on = *exports.add(std::move(e));
    directory = run_on(io, files.make_directory({root, root}, "d", {}))->attributes.id;
    file = run_on(io, files.create({root, root}, "f", {}))->attributes.id;
    link = run_on(io, files.make_symlink({root, root}, "l", "f", {}))->attributes.id;
    pipe =
        run_on(io, files.make_node({root, root}, "p", ns::FileType::fifo, {}, {}))->attributes.id;
    peer.address = boost::asio::ip::make_address("10.0.0.1");
  }
  std::string handle(unsigned which) const {
    const ns::FileId ids[] = {{root, root}, directory, file, link, pipe};
    XdrWriter out;
    out.opaque(handles.seal({on->id, ids[which % std::size(ids)]}));
    return out.flatten();
  }

  asio::io_context io{1};
  test::TickingClock clock;
  SeededRandom random{1};
  testing::ReferenceNamespace buckets{clock};
  test::MemFileSystem files{clock};
  InodeId root = files.add_bucket("b");
  ExportTable exports;
  ExportPtr on;
  HandleCodec handles{HandleKey{}, 1, HandleKey{}};
  Service service{buckets, files, exports, handles, clock, random};
  ExportScope scope{files};
  ReplyCache replies{clock};
  v3::Nfs3 nfs3{service, scope, replies, noting(true)};
  v3::Mount3 mount3{service, scope, noting(false)};
  ns::FileId directory, file, link, pipe;
  Peer peer;
};

Task<std::string> serve(Program& program, const Peer& peer, RpcCall call) {
  XdrWriter reply;
  co_await program.call(peer, call, reply);
  co_return reply.flatten();
}

/// `words` with the handles in their places.
std::string expand(const World& world, std::string_view words) {
  std::string out;
  for (; words.size() >= 4; words.remove_prefix(4)) {
    const std::string_view word = words.substr(0, 4);
    const auto last = static_cast<unsigned char>(word[3]);
    const bool handle = word.starts_with("\xff\xff\xff") && (last & 0xF8) == 0xF0;
    out.append(handle ? world.handle(last & 7) : std::string(word));
  }
  return out.append(words);
}

/// Header, and a status that is one of the protocol's.
void check(const std::string& reply, bool nfs, std::uint32_t procedure) {
  XdrReader in(as_bytes(reply));
  OUTCROP_ASSERT(in.u32() == kXid && in.u32() == 1 && in.u32() == 0 && in.u32() == 0);
  in.opaque(400);
  const std::uint32_t accepted = in.u32();
  OUTCROP_ASSERT(in.ok() && reply.size() % 4 == 0);
  OUTCROP_ASSERT(accepted == 0 || in.done());
  if (accepted == 0 && nfs && procedure != 0) {
    const std::uint32_t status = in.u32();
    OUTCROP_ASSERT(in.ok() && (status <= 71 || (status >= 10001 && status <= 10008)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  World world;
  // Several calls on one world: names that the first makes are there for the next.
  while (size >= 3) {
    const std::uint32_t procedure = data[0] % 32;
    const bool nfs = data[1] % 2 == 0;
    const std::size_t length = std::min<std::size_t>(size - 3, std::size_t{data[2]} * 4);
    const std::string arguments = expand(world, {reinterpret_cast<const char*>(data + 3), length});
    data += 3 + length;
    size -= 3 + length;
    RpcCall call{.xid = kXid,
                 .program = nfs ? kProgramNfs : kProgramMount,
                 .version = 3,
                 .procedure = procedure,
                 .credentials = {},
                 .arguments = XdrReader(Buffer::copy_of(as_bytes(arguments)))};
    Program& program = nfs ? static_cast<Program&>(world.nfs3) : world.mount3;
    check(*run_on(world.io, serve(program, world.peer, std::move(call))), nfs, procedure);
  }
  return 0;
}

/// Every procedure has to succeed somewhere.
extern "C" bool outcrop_corpus_reached_all() {
  constexpr std::uint32_t kProcedures = 22, kMountProcedures = 6;
  bool all = true;
  for (const bool nfs : {true, false}) {
    for (std::uint32_t p = 1; p < (nfs ? kProcedures : kMountProcedures); ++p) {
      if (!succeeded(nfs).contains(p)) {
        std::printf("no input reaches procedure %u of %s\n", p, nfs ? "NFS" : "MOUNT");
        all = false;
      }
    }
  }
  return all;
}
