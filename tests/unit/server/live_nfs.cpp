#include "tests/unit/server/live_nfs.h"

#include <stdexcept>

namespace outcrop::server::testing {
namespace {

Async<bool> stop_worker(NfsWorker& worker, std::chrono::milliseconds patience) {
  co_await worker.stop(patience);
  co_return true;
}

std::vector<Buffer> generate(std::uint32_t n) {
  constexpr std::size_t kSlice = 64 << 10;
  std::vector<Buffer> out;
  for (std::size_t at = 0; at < n; at += kSlice) {
    Buffer b = Buffer::make(std::min<std::size_t>(kSlice, n - at));
    for (std::size_t i = 0; i < b.size(); ++i) {
      b.data()[i] = static_cast<std::byte>(pattern(at + i));
    }
    out.push_back(std::move(b));
  }
  return out;
}

}  // namespace

Async<> TestProgram::call(const nfs::Peer& peer, nfs::RpcCall& call, nfs::XdrWriter& reply) {
  ++x_calls;
  if (call.procedure == kThrow) {
    reply.u32(1);
    throw std::runtime_error("as asked");
  }
  if (call.procedure == kSilent) {
    co_return;
  }
  if (call.procedure == kRoom) {
    nfs::write_accepted(reply, call.xid, nfs::AcceptStatus::success);
    reply.u32(static_cast<std::uint32_t>(std::min<std::size_t>(call.most_data, UINT32_MAX)));
    co_return;
  }
  if (call.procedure == kHold) {
    const Result<void> released = co_await suspend<void>([this](Resume<void> resume) {
      const std::lock_guard lock(x_mutex);
      x_waiting.push_back(std::move(resume));
      ++x_held;
    });
    --x_held;
    if (!released) {
      co_return;
    }
  }
  if (call.procedure == kReadLate) {
    co_await asio::post(co_await asio::this_coro::executor, use_async);
  }
  if (call.procedure == kReadPool) {
    std::ignore = co_await x_pool.run([] { return ok(); });
  }
  nfs::write_accepted(reply, call.xid, nfs::AcceptStatus::success);
  if (call.procedure == kReadPool || call.procedure == kRead || call.procedure == kReadLate) {
    reply.payload(generate(call.arguments.u32()));
    co_return;
  }
  const Buffer data = call.arguments.payload(nfs::kMaxRecordBytes);
  if (call.procedure == kSink) {
    bool right = true;
    for (std::size_t i = 0; i < data.size(); ++i) {
      right = right && data.data()[i] == static_cast<std::byte>(pattern(i));
    }
    reply.u32(static_cast<std::uint32_t>(data.size()));
    reply.boolean(right);
    co_return;
  }
  reply.opaque(data.view());
  reply.boolean(peer.tls);
  reply.string(peer.tls_name);
}

void TestProgram::release() {
  std::vector<Resume<void>> all;
  {
    const std::lock_guard lock(x_mutex);
    all.swap(x_waiting);
  }
  for (Resume<void>& r : all) {
    r(ok());
  }
}

LiveNfs::LiveNfs(NfsOptions options, std::shared_ptr<asio::ssl::context> tls, std::uint64_t budget)
    : x_budget(budget),
      x_service(options, x_exports, x_budget),
      x_worker(x_service, x_io.get_executor(), 1) {
  nfs::Export e;
  e.path = "/test";
  e.bucket = "test";
  e.clients = {*nfs::parse_cidr("127.0.0.0/8")};
  if (!x_exports.add(e)) {
    throw std::runtime_error("export");
  }
  x_service.tls = std::move(tls);
  x_service.dispatcher = &x_dispatcher;
  Result<Acceptor> acceptor = listen_on(x_io.get_executor(), {asio::ip::address_v4::loopback(), 0});
  if (!acceptor) {
    throw std::runtime_error(acceptor.error().describe());
  }
  x_port = acceptor->local_endpoint().port();
  x_worker.serve(*std::move(acceptor));
  x_thread = std::thread([this] { x_io.run(); });
}

void LiveNfs::stop(std::chrono::milliseconds patience) {
  if (!x_thread.joinable()) {
    return;
  }
  asio::co_spawn(x_io, stop_worker(x_worker, patience), [](std::exception_ptr e, bool) {
    if (e) {
      std::rethrow_exception(e);
    }
  });
  x_thread.join();
}

std::string call(std::uint32_t xid, std::uint32_t procedure, const std::string& arguments) {
  return nfs::testing::marked(nfs::testing::call_bytes({.xid = xid,
                                                        .program = kTestProgram,
                                                        .version = 1,
                                                        .procedure = procedure,
                                                        .flavor = 1,
                                                        .credential = nfs::testing::auth_sys(0, 0),
                                                        .arguments = arguments}));
}

std::string opaque(std::string_view data) {
  nfs::XdrWriter out;
  out.string(data);
  return out.flatten();
}

std::string number(std::uint32_t n) {
  nfs::XdrWriter out;
  out.u32(n);
  return out.flatten();
}

RpcReply next_reply(RawClient& client) {
  RpcReply reply;
  const std::string mark = client.read_exact(4);
  if (mark.size() < 4) {
    return reply;
  }
  nfs::XdrReader length(as_bytes(mark));
  const std::string record = client.read_exact(length.u32() & 0x7fff'ffff);
  nfs::XdrReader in(as_bytes(record));
  reply.xid = in.u32();
  const bool accepted = in.u32() == 1 && in.u32() == 0;
  if (accepted) {
    in.u32();
    in.opaque(nfs::kMaxCredentialBytes);
    reply.status = in.u32();
  }
  reply.results = record.substr(record.size() - in.left());
  return reply;
}

}  // namespace outcrop::server::testing
