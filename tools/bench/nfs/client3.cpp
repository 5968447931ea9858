// NFSv3 and MOUNT from the client's side (RFC 1813).
#include <fmt/format.h>

#include "api/nfs/rpc.h"
#include "tools/bench/nfs/nfs_client.h"

namespace outcrop::bench {
namespace {

constexpr std::size_t kMaxHandle = 64;
constexpr std::size_t kMaxData = 1 << 20;
constexpr std::uint32_t kDirectoryBytes = 64 << 10;
constexpr std::size_t kAttributesBytes = 84;
constexpr std::uint32_t kUnstable = 0, kFileSync = 2;

void skip_post_op(nfs::XdrReader& in) {
  if (in.boolean()) {
    in.fixed_opaque(kAttributesBytes);
  }
}

void skip_wcc(nfs::XdrReader& in) {
  if (in.boolean()) {
    in.fixed_opaque(24);
  }
  skip_post_op(in);
}

class Client3 final : public NfsClient {
 public:
  Client3(RpcChannel& channel, NfsHandle mount) : x_channel(channel), x_mount(std::move(mount)) {}

  Task<> start() override { co_return ok(); }
  Task<> stop() override { co_return ok(); }
  Task<NfsHandle> root(std::string_view) override { co_return x_mount; }

  Task<> getattr(unsigned, const NfsHandle& file) override {
    nfs::XdrWriter args;
    args.string(file);
    CO_TRY(nfs::XdrReader in, co_await call("GETATTR", 1, std::move(args)));
    in.fixed_opaque(kAttributesBytes);
    co_return in.done() ? ok() : malformed("GETATTR");
  }

  Task<NfsHandle> lookup(unsigned, const NfsHandle& in_directory, std::string_view name) override {
    CO_TRY(nfs::XdrReader in, co_await call("LOOKUP", 3, where(in_directory, name)));
    NfsHandle handle(in.string(kMaxHandle));
    skip_post_op(in);
    skip_post_op(in);
    if (!in.done()) {
      co_return malformed("LOOKUP");
    }
    co_return handle;
  }

  Task<std::uint64_t> read(unsigned,
                           const NfsHandle& file,
                           std::uint64_t offset,
                           std::uint32_t count,
                           std::string* keep) override {
    nfs::XdrWriter args;
    args.string(file);
    args.u64(offset);
    args.u32(count);
    CO_TRY(nfs::XdrReader in, co_await call("READ", 6, std::move(args)));
    skip_post_op(in);
    const std::uint32_t got = in.u32();
    in.boolean();
    const std::string_view bytes = in.string(kMaxData);
    if (!in.done() || bytes.size() != got) {
      co_return malformed("READ");
    }
    if (keep != nullptr) {
      keep->append(bytes);
    }
    co_return bytes.size();
  }

  Task<> write(
      unsigned, const NfsHandle& file, std::uint64_t offset, Buffer data, bool stable) override {
    const auto size = static_cast<std::uint32_t>(data.size());
    nfs::XdrWriter args;
    args.string(file);
    args.u64(offset);
    args.u32(size);
    args.u32(stable ? kFileSync : kUnstable);
    std::vector<Buffer> pieces;
    pieces.push_back(std::move(data));
    args.payload(std::move(pieces));
    CO_TRY(nfs::XdrReader in, co_await call("WRITE", 7, std::move(args)));
    skip_wcc(in);
    const std::uint32_t written = in.u32(), committed = in.u32();
    in.u64();
    if (!in.done() || written != size || (stable && committed != kFileSync)) {
      co_return malformed("WRITE");
    }
    co_return ok();
  }

  Task<> commit(unsigned, const NfsHandle& file) override {
    nfs::XdrWriter args;
    args.string(file);
    args.u64(0);
    args.u32(0);
    CO_TRY(nfs::XdrReader in, co_await call("COMMIT", 21, std::move(args)));
    skip_wcc(in);
    in.u64();
    co_return in.done() ? ok() : malformed("COMMIT");
  }

  Task<NfsHandle> create(unsigned, const NfsHandle& in_directory, std::string_view name) override {
    nfs::XdrWriter args = where(in_directory, name);
    args.u32(1);  // GUARDED
    append_mode(args, 0644);
    co_return co_await made("CREATE", 8, std::move(args));
  }

  Task<NfsHandle> make_directory(unsigned,
                                 const NfsHandle& in_directory,
                                 std::string_view name) override {
    nfs::XdrWriter args = where(in_directory, name);
    append_mode(args, 0755);
    co_return co_await made("MKDIR", 9, std::move(args));
  }

  Task<> remove(unsigned,
                const NfsHandle& in_directory,
                std::string_view name,
                bool directory) override {
    CO_TRY(nfs::XdrReader in,
           co_await call("REMOVE", directory ? 13 : 12, where(in_directory, name)));
    skip_wcc(in);
    co_return in.done() ? ok() : malformed("REMOVE");
  }

  Task<std::uint64_t> list(unsigned, const NfsHandle& directory) override {
    std::uint64_t entries = 0, cookie = 0, verifier = 0;
    for (bool eof = false; !eof;) {
      nfs::XdrWriter args;
      args.string(directory);
      args.u64(cookie);
      args.u64(verifier);
      args.u32(kDirectoryBytes);
      args.u32(kDirectoryBytes);
      CO_TRY(nfs::XdrReader in, co_await call("READDIRPLUS", 17, std::move(args)));
      skip_post_op(in);
      verifier = in.u64();
      const std::uint64_t before = entries;
      for (; in.boolean(); ++entries) {
        in.u64();
        in.string(nfs::kMaxRecordBytes);
        cookie = in.u64();
        skip_post_op(in);
        if (in.boolean()) {
          in.opaque(kMaxHandle);
        }
      }
      eof = in.boolean();
      if (!in.done() || (!eof && entries == before)) {
        co_return malformed("READDIRPLUS");
      }
    }
    co_return entries;
  }

 private:
  static nfs::XdrWriter where(const NfsHandle& in_directory, std::string_view name) {
    nfs::XdrWriter args;
    args.string(in_directory);
    args.string(name);
    return args;
  }

  /// sattr3 with nothing but a mode.
  static void append_mode(nfs::XdrWriter& args, std::uint32_t mode) {
    args.boolean(true);
    args.u32(mode);
    for (int i = 0; i < 5; ++i) {
      args.u32(0);
    }
  }

  Task<NfsHandle> made(std::string_view name, std::uint32_t number, nfs::XdrWriter args) {
    CO_TRY(nfs::XdrReader in, co_await call(name, number, std::move(args)));
    NfsHandle handle;
    if (in.boolean()) {
      handle = in.string(kMaxHandle);
    }
    skip_post_op(in);
    skip_wcc(in);
    if (!in.done() || handle.empty()) {
      co_return malformed(name);
    }
    co_return handle;
  }

  /// The reader behind the status NFS3_OK.
  Task<nfs::XdrReader> call(std::string_view name, std::uint32_t number, nfs::XdrWriter args) {
    CO_TRY(nfs::XdrReader in,
           co_await x_channel.call({nfs::kProgramNfs, 3, number}, std::move(args)));
    const std::uint32_t status = in.u32();
    if (!in.ok()) {
      co_return malformed(name);
    }
    if (status != 0) {
      co_return nfs_failure(name, status);
    }
    co_return in;
  }

  RpcChannel& x_channel;
  NfsHandle x_mount;
};

}  // namespace

std::unexpected<Error> nfs_failure(std::string_view operation, std::uint32_t status) {
  // The numbers of NOENT and EXIST are the same in all versions.
  const Errc code = status == 2    ? Errc::not_found
                    : status == 17 ? Errc::already_exists
                                   : Errc::conflict;
  return fail(code, fmt::format("{} status {}", operation, status));
}

std::unexpected<Error> malformed(std::string_view operation) {
  return fail(Errc::corrupt, fmt::format("{} reply that is not what was asked for", operation));
}

std::unique_ptr<NfsClient> make_client3(RpcChannel& channel, NfsHandle mount) {
  return std::make_unique<Client3>(channel, std::move(mount));
}

Result<NfsHandle> mount3(const RpcTarget& target, std::string_view path) {
  asio::io_context io(1);
  RpcChannel channel(target, io.get_executor());
  TRYV(channel.open());
  const auto ask = [&]() -> Task<NfsHandle> {
    TaskGroup group(io.get_executor());
    group.spawn(channel.run());
    nfs::XdrWriter args;
    args.string(path);
    Result<nfs::XdrReader> in = co_await channel.call({nfs::kProgramMount, 3, 1}, std::move(args));
    channel.close();
    static_cast<void>(co_await group.join());
    if (!in) {
      co_return fail(in.error());
    }
    if (const std::uint32_t status = in->u32(); status != 0) {
      co_return fail(Errc::config, fmt::format("cannot mount {}: status {}", path, status));
    }
    co_return NfsHandle(in->string(kMaxHandle));
  };
  return run_on(io, ask());
}

}  // namespace outcrop::bench
