#include "tools/bench/nfs/rpc_channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <cerrno>

#include "api/nfs/rpc.h"

namespace outcrop::bench {
namespace {

constexpr std::size_t kMaxPending = 1 << 16;
/// A call costs the server's kernel a wake-up: not more than these per system call.
constexpr std::size_t kMaxVectors = 512;
constexpr std::uint32_t kLastFragment = 0x8000'0000;

std::string encode_credentials(std::uint32_t uid, std::uint32_t gid) {
  nfs::XdrWriter body;
  body.u32(0);  // stamp
  body.string("outcrop-bench");
  body.u32(uid);
  body.u32(gid);
  body.u32(0);  // no more groups
  nfs::XdrWriter out;
  out.u32(static_cast<std::uint32_t>(nfs::AuthFlavor::sys));
  out.string(body.flatten());
  out.u32(0);  // AUTH_NONE
  out.u32(0);
  return out.flatten();
}

/// The reader behind an accepted, successful header.
Result<nfs::XdrReader> open_reply(Buffer record) {
  nfs::XdrReader in(std::move(record));
  in.u32();  // xid
  const std::uint32_t reply = in.u32(), denied = in.u32();
  if (!in.ok() || reply != 1) {
    return fail(Errc::io_error, "the server sent something that is no reply");
  }
  if (denied != 0) {
    return fail(Errc::io_error, "the server denied the call (RPC authentication or version)");
  }
  in.u32();
  in.opaque(nfs::kMaxCredentialBytes);
  const std::uint32_t accepted = in.u32();
  if (!in.ok() || accepted != 0) {
    return fail(Errc::io_error, fmt::format("RPC accept status {}", accepted));
  }
  return in;
}

}  // namespace

Result<RpcTarget> RpcTarget::make(const std::string& host, unsigned port) {
  RpcTarget target;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    return fail(Errc::config, host + ": " + gai_strerror(error));
  }
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  target.address_size = found->ai_addrlen;
  freeaddrinfo(found);
  return target;
}

RpcChannel::RpcChannel(const RpcTarget& target, Executor executor)
    : x_target(target),
      x_socket(executor),
      x_credentials(encode_credentials(target.uid, target.gid)) {}

RpcChannel::~RpcChannel() { OUTCROP_ASSERT(x_free.size() == x_pending.size()); }

Result<void> RpcChannel::open() {
  const int fd = ::socket(x_target.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) {
    return fail(Errc::io_error, errno);
  }
  x_socket.assign(fd);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const timeval limit{.tv_sec = static_cast<time_t>(x_target.timeout_s), .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  const auto* const address = reinterpret_cast<const sockaddr*>(&x_target.address);
  if (::connect(fd, address, x_target.address_size) != 0) {
    return fail(Errc::io_error, fmt::format("cannot connect: {}", std::strerror(errno)));
  }
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return ok();
}

Task<> RpcChannel::run() {
  TaskGroup both(x_socket.get_executor());
  both.spawn(send_all());
  both.spawn(receive_all());
  co_return co_await both.join();
}

Task<> RpcChannel::wait(asio::posix::descriptor_base::wait_type what) {
  boost::system::error_code error;
  co_await x_socket.async_wait(what, asio::redirect_error(use_async, error));
  co_return error ? fail(Errc::cancelled) : ok();
}

void RpcChannel::wake_sender() {
  if (x_sender) {
    std::exchange(x_sender, {})(ok());
  }
}

Task<> RpcChannel::send_all() {
  while (!x_broken) {
    if (x_out.size() == 0) {
      const auto sleep = [this](Resume<void> wake) { x_sender = std::move(wake); };
      CO_TRYV(co_await suspend<void>(sleep));
      continue;
    }
    const nfs::XdrWriter batch = std::exchange(x_out, {});
    const Result<void> sent = co_await send(batch);
    if (!sent) {
      fail_all(std::string(sent.error().detail()));
    }
  }
  co_return ok();
}

Task<> RpcChannel::send(const nfs::XdrWriter& batch) {
  std::vector<iovec> parts;
  batch.append_iovecs(parts);
  for (std::size_t at = 0; at < parts.size();) {
    msghdr message{};
    message.msg_iov = parts.data() + at;
    message.msg_iovlen = std::min(parts.size() - at, kMaxVectors);
    ssize_t sent = ::sendmsg(x_socket.native_handle(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) {
        CO_TRYV(co_await wait(asio::posix::descriptor_base::wait_write));
      } else if (errno != EINTR) {
        co_return fail(Errc::io_error, fmt::format("sending: {}", std::strerror(errno)));
      }
      continue;
    }
    while (at < parts.size() && static_cast<std::size_t>(sent) >= parts[at].iov_len) {
      sent -= static_cast<ssize_t>(parts[at++].iov_len);
    }
    if (sent > 0) {
      parts[at].iov_base = static_cast<char*>(parts[at].iov_base) + sent;
      parts[at].iov_len -= static_cast<std::size_t>(sent);
    }
  }
  co_return ok();
}

Task<> RpcChannel::receive_all() {
  while (!x_broken) {
    const MutBytes room = x_reader.room();
    const ssize_t got = ::recv(x_socket.native_handle(), room.data(), room.size(), 0);
    if (got > 0) {
      bool sense = x_reader.received(static_cast<std::size_t>(got), x_records);
      while (sense && x_reader.wanted() > 0) {
        sense = x_reader.supply(Buffer::make(x_reader.wanted()), x_records);
      }
      if (const Result<void> handed = hand_out(); !sense || !handed) {
        fail_all("the server sent something that is no reply");
      }
    } else if (got == 0) {
      fail_all("the server closed the connection");
    } else if (errno == EAGAIN) {
      // Woken by close() as well, and then the loop ends.
      static_cast<void>(co_await wait(asio::posix::descriptor_base::wait_read));
    } else if (errno != EINTR) {
      fail_all(fmt::format("receiving: {}", std::strerror(errno)));
    }
  }
  co_return ok();
}

Result<void> RpcChannel::hand_out() {
  x_handing_out = true;
  std::vector<Buffer> records;
  records.swap(x_records);
  for (Buffer& record : records) {
    nfs::XdrReader in(record.view());
    const std::uint32_t xid = in.u32();
    const std::size_t place = xid % kMaxPending;
    if (place >= x_pending.size() || x_pending[place].xid != xid || !x_pending[place].resume) {
      x_handing_out = false;
      return fail(Errc::corrupt);
    }
    x_free.push_back(static_cast<std::uint32_t>(place));
    Resume<Buffer> resume = std::exchange(x_pending[place].resume, {});
    resume(std::move(record));
  }
  x_handing_out = false;
  if (x_out.size() > 0) {
    wake_sender();
  }
  return ok();
}

void RpcChannel::fail_all(const std::string& why) {
  if (x_broken) {
    return;
  }
  x_broken = true;
  x_why = why;
  boost::system::error_code ignored;
  x_socket.close(ignored);
  for (std::size_t i = 0; i < x_pending.size(); ++i) {
    if (x_pending[i].resume) {
      x_free.push_back(static_cast<std::uint32_t>(i));
      Resume<Buffer> resume = std::exchange(x_pending[i].resume, {});
      resume(fail(Errc::io_error, why));
    }
  }
  wake_sender();
}

void RpcChannel::append(Procedure procedure, std::uint32_t xid, nfs::XdrWriter arguments) {
  const std::size_t bytes = 6 * 4 + x_credentials.size() + arguments.size();
  x_out.u32(kLastFragment | static_cast<std::uint32_t>(bytes));
  for (const std::uint32_t word :
       {xid, 0U, 2U, procedure.program, procedure.version, procedure.number}) {
    x_out.u32(word);
  }
  x_out.raw_bytes(x_credentials);
  x_out.append(std::move(arguments));
}

Task<nfs::XdrReader> RpcChannel::call(Procedure procedure, nfs::XdrWriter arguments) {
  if (x_broken) {
    co_return fail(Errc::io_error, x_why);
  }
  if (x_free.empty()) {
    OUTCROP_ASSERT(x_pending.size() < kMaxPending);
    x_free.push_back(static_cast<std::uint32_t>(x_pending.size()));
    x_pending.emplace_back();
  }
  const std::uint32_t place = x_free.back();
  x_free.pop_back();
  x_generation = (x_generation + 1) % (UINT32_MAX / kMaxPending);
  const auto xid = static_cast<std::uint32_t>(x_generation * kMaxPending + place);
  append(procedure, xid, std::move(arguments));
  ++x_calls;
  const auto start = [&](Resume<Buffer> resume) {
    x_pending[place] = {xid, std::chrono::steady_clock::now(), std::move(resume)};
    if (!x_handing_out) {
      wake_sender();
    }
  };
  CO_TRY(Buffer record, co_await suspend<Buffer>(start));
  co_return open_reply(std::move(record));
}

void RpcChannel::abort_if_stuck(std::chrono::steady_clock::time_point now, double timeout_s) {
  for (const Pending& pending : x_pending) {
    if (pending.resume && std::chrono::duration<double>(now - pending.since).count() > timeout_s) {
      fail_all(fmt::format("no answer within {} s", timeout_s));
      return;
    }
  }
}

}  // namespace outcrop::bench
