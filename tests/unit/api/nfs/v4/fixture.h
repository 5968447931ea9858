// NFSv4 over the file system in memory: exports, a state manager, a client.
#pragma once
#include "api/nfs/v4/nfs4.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/nfs4_client.h"
#include "tests/support/reference_namespace.h"
#include "tests/support/ticking_clock.h"

namespace outcrop::test {

/// Exports: /data (bucket "data", root not squashed), /ro (the same, read-only), /dir/sub (the
/// directory "top/sub" of bucket "data", root squashed to 65534), /tls (bucket "data", TLS wanted),
/// /other (bucket "data" for 10.9.9.9 only).
class Nfs4Test : public ::testing::Test {
 protected:
  Nfs4Test() {
    must(io, state.start());
    bucket = files.add_bucket("data");
    data = add({.path = "/data"});
    add({.path = "/ro", .read_only = true});
    add({.path = "/tls", .security = nfs::TransportSecurity::tls});
    must(io, files.make_directory({bucket, bucket}, "top", mode(0777)));
    const auto top = must(io, files.lookup({bucket, bucket}, "top")).id;
    must(io, files.make_directory(top, "sub", mode(0777)));
    add({.path = "/dir/sub", .prefix = "top/sub", .squash = nfs::Squash::root});
    add({.path = "/other", .client = "10.9.9.9"});
    must(io, files.set_attributes({bucket, bucket}, mode(0777)));
    client.start_session();
  }

  struct ExportSpec {
    std::string path, prefix{}, client = "10.0.0.0/8";
    bool read_only = false;
    nfs::Squash squash = nfs::Squash::none;
    nfs::TransportSecurity security = nfs::TransportSecurity::none;
  };
  nfs::ExportPtr add(const ExportSpec& spec) {
    nfs::Export e;
    e.path = spec.path;
    e.bucket = "data";
    e.prefix = spec.prefix;
    e.clients = {*nfs::parse_cidr(spec.client)};
    e.read_only = spec.read_only;
    e.squash = spec.squash;
    e.security = spec.security;
    Result<nfs::ExportPtr> added = exports.add(std::move(e));
    EXPECT_TRUE(added);
    return added ? *added : nullptr;
  }
  static ns::SetAttributes mode(std::uint32_t bits) {
    ns::SetAttributes out;
    out.mode = bits;
    return out;
  }
  template <class T>
  static T must(asio::io_context& on, Task<T> task) {
    Result<T> result = run_on(on, std::move(task));
    if (!result) {
      ADD_FAILURE() << result.error().describe();
    }
    if constexpr (!std::is_void_v<T>) {
      return std::move(result).value();
    }
  }

  using C = Nfs4Compound;
  Status status(C& compound) { return client.call(compound).status; }
  Status status(C&& compound) { return client.call(compound).status; }
  Nfs4Result last(C& compound) {
    const Nfs4Reply reply = client.call(compound);
    return reply.results.empty() ? Nfs4Result{} : reply.last();
  }
  /// A new file in /data, opened for both; closes nothing.
  struct File {
    std::string handle;
    Stateid stateid;
  };
  File create(std::string_view name, std::string_view content = "") {
    Nfs4OpenHow how;
    how.create = 0;
    const Nfs4Reply reply = client.call(C().walk("data").open(name, how).getfh());
    EXPECT_EQ(reply.status, Status::ok);
    const File file{reply.last().text, reply.find(Op::open).stateid};
    if (!content.empty()) {
      EXPECT_EQ(status(C().putfh(file.handle).write(file.stateid, 0, content)), Status::ok);
    }
    return file;
  }
  std::string handle_of(std::string_view path) { return last(C().walk(path).getfh()).text; }
  std::string content(const File& file) {
    Stateid id = file.stateid;
    if (client.minor > 0) {
      id.seqid = 0;  // whatever the newest is
    }
    return last(C().putfh(file.handle).read(id, 0, 1 << 20)).text;
  }

  asio::io_context io{1};
  TickingClock clock;
  SeededRandom random{1};
  MemFileSystem files{clock};
  nfs::ExportTable exports;
  nfs::HandleCodec handles{{std::byte{1}}, 1, {std::byte{2}}};
  nfs::MemoryRecoveryStore store;
  nfs::StateManager state{nfs::StateConfig{}, clock, random, store};
  testing::ReferenceNamespace buckets{clock};
  nfs::Service service{.buckets = buckets,
                       .files = files,
                       .exports = exports,
                       .handles = handles,
                       .clock = clock,
                       .random = random};
  nfs::v4::Nfs4 nfs4{service, state, "cluster"};
  Nfs4Client client{io, nfs4};
  InodeId bucket = 0;
  nfs::ExportPtr data;
};

}  // namespace outcrop::test
