// NFSv4.1 from the client's side (RFC 8881): one session, one slot per lane, compounds as the Linux
// client sends them; data goes by the anonymous stateid, so that there is nothing to keep open.
#include <fmt/format.h>
#include <unistd.h>

#include "api/nfs/rpc.h"
#include "tools/bench/nfs/nfs_client.h"

namespace outcrop::bench {
namespace {

enum Op : std::uint32_t {
  kClose = 4,
  kCommit = 5,
  kCreate = 6,
  kGetattr = 9,
  kGetfh = 10,
  kLookup = 15,
  kOpen = 18,
  kPutfh = 22,
  kPutrootfh = 24,
  kRead = 25,
  kReaddir = 26,
  kRemove = 28,
  kWrite = 38,
  kExchangeId = 42,
  kCreateSession = 43,
  kDestroySession = 44,
  kSequence = 53,
  kDestroyClientid = 57,
  kReclaimComplete = 58,
};

constexpr std::size_t kMaxHandle = 128;
constexpr std::size_t kMaxData = 1 << 20;
constexpr std::size_t kSessionBytes = 16;
constexpr std::size_t kStateidOther = 12;
constexpr std::size_t kMaxOpaque = 1024;
constexpr std::size_t kMaxAttributes = 64 << 10;
constexpr std::uint32_t kDirectoryBytes = 64 << 10;
constexpr std::uint32_t kUnstable = 0, kFileSync = 2;
// What Linux asks for: type, change, size, fsid, fileid; mode, links, owners, space, times,
// mounted_on_fileid. Of directory entries also the handle.
constexpr std::uint32_t kAttributes0 = 0x0010011A, kAttributes1 = 0x00B0A03A;
constexpr std::uint32_t kEntryAttributes0 = kAttributes0 | 1U << 19;
constexpr std::uint32_t kModeBit1 = 1U << 1;  // of the second word

/// Operations behind the SEQUENCE, which is added when the slot is known.
class Compound {
 public:
  nfs::XdrWriter& op(Op number) {
    ++x_count;
    x_ops.u32(number);
    return x_ops;
  }
  Compound& putfh(const NfsHandle& handle) {
    op(kPutfh).string(handle);
    return *this;
  }
  std::uint32_t count() const { return x_count; }
  nfs::XdrWriter take() { return std::move(x_ops); }

 private:
  nfs::XdrWriter x_ops;
  std::uint32_t x_count = 0;
};

/// Results one after the other. The first failure of any operation is that of the compound.
class Results {
 public:
  explicit Results(nfs::XdrReader in) : x_in(std::move(in)) {
    x_in.u32();  // the status of the last operation, again
    x_in.opaque(kMaxOpaque);
    x_in.u32();
  }
  Result<void> next(Op op, std::string_view name) {
    const std::uint32_t number = x_in.u32(), status = x_in.u32();
    if (!x_in.ok() || number != op) {
      return malformed(name);
    }
    return status == 0 ? ok() : Result<void>(nfs_failure(name, status));
  }
  nfs::XdrReader& in() { return x_in; }

 private:
  nfs::XdrReader x_in;
};

void append_stateid(nfs::XdrWriter& out, std::uint32_t seqid) {
  constexpr std::array<std::byte, kStateidOther> kZero{};
  out.u32(seqid);
  out.fixed_opaque(kZero);
}

/// fattr4 with nothing but a mode.
void append_mode(nfs::XdrWriter& out, std::uint32_t mode) {
  out.u32(2);
  out.u32(0);
  out.u32(kModeBit1);
  out.u32(4);
  out.u32(mode);
}

void append_channel(nfs::XdrWriter& out,
                    std::uint32_t bytes,
                    std::uint32_t ops,
                    std::uint32_t slots) {
  out.u32(0);  // padding
  out.u32(bytes);
  out.u32(bytes);
  out.u32(4096);  // cached replies
  out.u32(ops);
  out.u32(slots);
  out.u32(0);  // no RDMA
}

class Client41 final : public NfsClient {
 public:
  Client41(RpcChannel& channel, unsigned slots, unsigned number)
      : x_channel(channel), x_number(number), x_slots(slots) {}

  Task<> start() override;
  Task<> stop() override;
  Task<NfsHandle> root(std::string_view path) override;
  Task<> getattr(unsigned lane, const NfsHandle& file) override;
  Task<NfsHandle> lookup(unsigned lane, const NfsHandle& in, std::string_view name) override;
  Task<std::uint64_t> read(unsigned lane,
                           const NfsHandle& file,
                           std::uint64_t offset,
                           std::uint32_t count,
                           std::string* keep) override;
  Task<> write(unsigned lane,
               const NfsHandle& file,
               std::uint64_t offset,
               Buffer data,
               bool stable) override;
  Task<> commit(unsigned lane, const NfsHandle& file) override;
  Task<NfsHandle> create(unsigned lane, const NfsHandle& in, std::string_view name) override;
  Task<NfsHandle> make_directory(unsigned lane,
                                 const NfsHandle& in,
                                 std::string_view name) override;
  Task<> remove(unsigned lane, const NfsHandle& in, std::string_view name, bool) override;
  Task<std::uint64_t> list(unsigned lane, const NfsHandle& directory) override;

 private:
  struct Slot {
    std::uint32_t sequence = 1;  ///< of the next call
  };
  Task<Results> plain(Compound compound);
  /// Behind the SEQUENCE's result.
  Task<Results> call(unsigned lane, Compound compound);
  Task<> exchange_id();
  Task<> create_session();

  RpcChannel& x_channel;
  unsigned x_number;
  std::vector<Slot> x_slots;
  std::uint64_t x_client = 0;
  std::uint32_t x_client_sequence = 0;
  std::string x_session;
};

Task<Results> Client41::plain(Compound compound) {
  nfs::XdrWriter args;
  args.string("");  // tag
  args.u32(1);      // minor version
  args.u32(compound.count());
  args.append(compound.take());
  CO_TRY(nfs::XdrReader in, co_await x_channel.call({nfs::kProgramNfs, 4, 1}, std::move(args)));
  co_return Results(std::move(in));
}

Task<Results> Client41::call(unsigned lane, Compound compound) {
  Slot& slot = x_slots[lane];
  nfs::XdrWriter args;
  args.string("");
  args.u32(1);
  args.u32(compound.count() + 1);
  args.u32(kSequence);
  args.fixed_opaque(as_bytes(x_session));
  args.u32(slot.sequence);
  args.u32(lane);
  args.u32(static_cast<std::uint32_t>(x_slots.size() - 1));
  args.boolean(false);
  args.append(compound.take());
  CO_TRY(nfs::XdrReader in, co_await x_channel.call({nfs::kProgramNfs, 4, 1}, std::move(args)));
  Results results(std::move(in));
  CO_TRYV(results.next(kSequence, "SEQUENCE"));
  results.in().fixed_opaque(kSessionBytes);
  const std::uint32_t sequence = results.in().u32(), number = results.in().u32();
  results.in().fixed_opaque(12);  // highest slots, flags
  if (!results.in().ok() || sequence != slot.sequence || number != lane) {
    co_return malformed("SEQUENCE");
  }
  ++slot.sequence;
  co_return results;
}

Task<> Client41::exchange_id() {
  Compound compound;
  nfs::XdrWriter& out = compound.op(kExchangeId);
  out.u64(static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()));
  out.string(fmt::format("outcrop-bench {} {}", ::getpid(), x_number));
  out.u32(0);  // flags
  out.u32(0);  // SP4_NONE
  out.u32(0);  // no implementation id
  CO_TRY(Results results, co_await plain(std::move(compound)));
  CO_TRYV(results.next(kExchangeId, "EXCHANGE_ID"));
  x_client = results.in().u64();
  x_client_sequence = results.in().u32();
  co_return results.in().ok() ? ok() : malformed("EXCHANGE_ID");
}

Task<> Client41::create_session() {
  Compound compound;
  nfs::XdrWriter& out = compound.op(kCreateSession);
  out.u64(x_client);
  out.u32(x_client_sequence);
  out.u32(0);  // flags
  append_channel(out, nfs::kMaxRecordBytes - 4096, 8, static_cast<std::uint32_t>(x_slots.size()));
  append_channel(out, 4096, 2, 1);
  out.u32(0);  // callback program
  out.u32(1);
  out.u32(0);  // callbacks with AUTH_NONE
  CO_TRY(Results results, co_await plain(std::move(compound)));
  CO_TRYV(results.next(kCreateSession, "CREATE_SESSION"));
  nfs::XdrReader& in = results.in();
  x_session = as_text(in.fixed_opaque(kSessionBytes));
  in.fixed_opaque(8);   // sequence, flags
  in.fixed_opaque(20);  // padding, sizes, operations
  const std::uint32_t slots = in.u32();
  if (!in.ok()) {
    co_return malformed("CREATE_SESSION");
  }
  if (slots < x_slots.size()) {
    co_return fail(Errc::config, fmt::format("the server gives a session {} slots: use --depth {}",
                                             slots, slots));
  }
  co_return ok();
}

Task<> Client41::start() {
  CO_TRYV(co_await exchange_id());
  CO_TRYV(co_await create_session());
  Compound compound;
  compound.op(kReclaimComplete).boolean(false);
  CO_TRY(Results results, co_await call(0, std::move(compound)));
  co_return results.next(kReclaimComplete, "RECLAIM_COMPLETE");
}

Task<> Client41::stop() {
  Compound session;
  session.op(kDestroySession).fixed_opaque(as_bytes(x_session));
  CO_TRY(Results destroyed, co_await plain(std::move(session)));
  CO_TRYV(destroyed.next(kDestroySession, "DESTROY_SESSION"));
  Compound client;
  client.op(kDestroyClientid).u64(x_client);
  CO_TRY(Results gone, co_await plain(std::move(client)));
  co_return gone.next(kDestroyClientid, "DESTROY_CLIENTID");
}

Task<NfsHandle> Client41::root(std::string_view path) {
  // A component per call: compounds have a limit, and each may cross into another file system.
  Compound first;
  first.op(kPutrootfh);
  first.op(kGetfh);
  CO_TRY(Results results, co_await call(0, std::move(first)));
  CO_TRYV(results.next(kPutrootfh, "PUTROOTFH"));
  CO_TRYV(results.next(kGetfh, "GETFH"));
  NfsHandle at(results.in().string(kMaxHandle));
  while (!path.empty()) {
    const std::string_view component = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), component.size() + 1));
    if (!component.empty()) {
      CO_TRY(at, co_await lookup(0, at, component));
    }
  }
  co_return at;
}

Task<> Client41::getattr(unsigned lane, const NfsHandle& file) {
  Compound compound;
  nfs::XdrWriter& out = compound.putfh(file).op(kGetattr);
  out.u32(2);
  out.u32(kAttributes0);
  out.u32(kAttributes1);
  CO_TRY(Results results, co_await call(lane, std::move(compound)));
  CO_TRYV(results.next(kPutfh, "PUTFH"));
  CO_TRYV(results.next(kGetattr, "GETATTR"));
  nfs::XdrReader& in = results.in();
  in.fixed_opaque(4 * in.count(8));
  in.opaque(kMaxAttributes);
  co_return in.done() ? ok() : malformed("GETATTR");
}

Task<NfsHandle> Client41::lookup(unsigned lane, const NfsHandle& in, std::string_view name) {
  Compound compound;
  compound.putfh(in).op(kLookup).string(name);
  compound.op(kGetfh);
  nfs::XdrWriter& out = compound.op(kGetattr);
  out.u32(2);
  out.u32(kAttributes0);
  out.u32(kAttributes1);
  CO_TRY(Results results, co_await call(lane, std::move(compound)));
  CO_TRYV(results.next(kPutfh, "PUTFH"));
  CO_TRYV(results.next(kLookup, "LOOKUP"));
  CO_TRYV(results.next(kGetfh, "GETFH"));
  NfsHandle handle(results.in().string(kMaxHandle));
  CO_TRYV(results.next(kGetattr, "GETATTR"));
  co_return handle;
}

Task<std::uint64_t> Client41::read(unsigned lane,
                                   const NfsHandle& file,
                                   std::uint64_t offset,
                                   std::uint32_t count,
                                   std::string* keep) {
  Compound compound;
  nfs::XdrWriter& out = compound.putfh(file).op(kRead);
  append_stateid(out, 0);
  out.u64(offset);
  out.u32(count);
  CO_TRY(Results results, co_await call(lane, std::move(compound)));
  CO_TRYV(results.next(kPutfh, "PUTFH"));
  CO_TRYV(results.next(kRead, "READ"));
  results.in().boolean();
  const std::string_view bytes = results.in().string(kMaxData);
  if (!results.in().done()) {
    co_return malformed("READ");
  }
  if (keep != nullptr) {
    keep->append(bytes);
  }
  co_return bytes.size();
}

Task<> Client41::write(
    unsigned lane, const NfsHandle& file, std::uint64_t offset, Buffer data, bool stable) {
  const std::size_t size = data.size();
  Compound compound;
  nfs::XdrWriter& out = compound.putfh(file).op(kWrite);
  append_stateid(out, 0);
  out.u64(offset);
  out.u32(stable ? kFileSync : kUnstable);
  std::vector<Buffer> pieces;
  pieces.push_back(std::move(data));
  out.payload(std::move(pieces));
  CO_TRY(Results results, co_await call(lane, std::move(compound)));
  CO_TRYV(results.next(kPutfh, "PUTFH"));
  CO_TRYV(results.next(kWrite, "WRITE"));
  const std::uint32_t written = results.in().u32(), committed = results.in().u32();
  results.in().u64();
  if (!results.in().done() || written != size || (stable && committed != kFileSync)) {
    co_return malformed("WRITE");
  }
  co_return ok();
}

Task<> Client41::commit(unsigned lane, const NfsHandle& file) {
  Compound compound;
  nfs::XdrWriter& out = compound.putfh(file).op(kCommit);
  out.u64(0);
  out.u32(0);
  CO_TRY(Results results, co_await call(lane, std::move(compound)));
  CO_TRYV(results.next(kPutfh, "PUTFH"));
  co_return results.next(kCommit, "COMMIT");
}

Task<NfsHandle> Client41::create(unsigned lane, const NfsHandle& in, std::string_view name) {
  Compound compound;
  nfs::XdrWriter& out = compound.putfh(in).op(kOpen);
  out.u32(0);  // sequence: of no meaning in sessions
  out.u32(2);  // to write
  out.u32(0);  // deny nothing
  out.u64(x_client);
  out.string(fmt::format("lane {}", lane));
  out.u32(1);  // create
  out.u32(1);  // guarded
  append_mode(out, 0644);
  out.u32(0);  // by name
  out.string(name);
  compound.op(kGetfh);
  nfs::XdrWriter& close = compound.op(kClose);
  close.u32(0);
  append_stateid(close, 1);  // the current one, which OPEN has set
  CO_TRY(Results results, co_await call(lane, std::move(compound)));
  CO_TRYV(results.next(kPutfh, "PUTFH"));
  CO_TRYV(results.next(kOpen, "OPEN"));
  nfs::XdrReader& r = results.in();
  r.fixed_opaque(4 + kStateidOther);
  r.fixed_opaque(4 + 8 + 8 + 4);   // the directory's change, flags
  r.fixed_opaque(4 * r.count(8));  // attributes that were set
  if (r.u32() != 0) {              // a delegation, which was not asked for
    co_return malformed("OPEN");
  }
  CO_TRYV(results.next(kGetfh, "GETFH"));
  NfsHandle handle(r.string(kMaxHandle));
  CO_TRYV(results.next(kClose, "CLOSE"));
  co_return handle;
}

Task<NfsHandle> Client41::make_directory(unsigned lane,
                                         const NfsHandle& in,
                                         std::string_view name) {
  Compound compound;
  nfs::XdrWriter& out = compound.putfh(in).op(kCreate);
  out.u32(2);  // a directory
  out.string(name);
  append_mode(out, 0755);
  compound.op(kGetfh);
  CO_TRY(Results results, co_await call(lane, std::move(compound)));
  CO_TRYV(results.next(kPutfh, "PUTFH"));
  CO_TRYV(results.next(kCreate, "CREATE"));
  results.in().fixed_opaque(4 + 8 + 8);
  results.in().fixed_opaque(4 * results.in().count(8));
  CO_TRYV(results.next(kGetfh, "GETFH"));
  co_return NfsHandle(results.in().string(kMaxHandle));
}

Task<> Client41::remove(unsigned lane, const NfsHandle& in, std::string_view name, bool) {
  Compound compound;
  compound.putfh(in).op(kRemove).string(name);
  CO_TRY(Results results, co_await call(lane, std::move(compound)));
  CO_TRYV(results.next(kPutfh, "PUTFH"));
  co_return results.next(kRemove, "REMOVE");
}

Task<std::uint64_t> Client41::list(unsigned lane, const NfsHandle& directory) {
  std::uint64_t entries = 0, cookie = 0, verifier = 0;
  for (bool eof = false; !eof;) {
    Compound compound;
    nfs::XdrWriter& out = compound.putfh(directory).op(kReaddir);
    out.u64(cookie);
    out.u64(verifier);
    out.u32(kDirectoryBytes);
    out.u32(kDirectoryBytes);
    out.u32(2);
    out.u32(kEntryAttributes0);
    out.u32(kAttributes1);
    CO_TRY(Results results, co_await call(lane, std::move(compound)));
    CO_TRYV(results.next(kPutfh, "PUTFH"));
    CO_TRYV(results.next(kReaddir, "READDIR"));
    nfs::XdrReader& in = results.in();
    verifier = in.u64();
    const std::uint64_t before = entries;
    for (; in.boolean(); ++entries) {
      cookie = in.u64();
      in.string(nfs::kMaxRecordBytes);
      in.fixed_opaque(4 * in.count(8));
      in.opaque(kMaxAttributes);
    }
    eof = in.boolean();
    if (!in.done() || (!eof && entries == before)) {
      co_return malformed("READDIR");
    }
  }
  co_return entries;
}

}  // namespace

std::unique_ptr<NfsClient> make_client41(RpcChannel& channel, unsigned slots, unsigned number) {
  return std::make_unique<Client41>(channel, slots, number);
}

}  // namespace outcrop::bench
