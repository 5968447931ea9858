#include "server/nfs_session.h"

#include <boost/asio/redirect_error.hpp>
#include <exception>

#include "server/nfs_worker.h"
#include "storage/base/log.h"

namespace outcrop::server {
namespace {

constexpr std::uint32_t kLastFragment = 0x8000'0000;
constexpr std::size_t kMostParts = 1024;           // IOV_MAX
constexpr std::size_t kKeptReplyBytes = 64 << 10;  // memory of replies that stays for the next

}  // namespace

NfsSession::NfsSession(NfsWorker& owner,
                       Socket socket,
                       const asio::ip::tcp::endpoint& remote,
                       std::uint64_t connection)
    : x_owner(owner),
      x_transport(std::move(socket), owner.service().options.write_stall),
      x_peer{.address = remote.address(), .port = remote.port(), .connection = connection},
      x_change(owner.executor(), Timer::time_point::max()) {}

Async<> NfsSession::run() {
  co_await read_loop();
  x_closing = true;
  x_waiting.clear();
  x_record_lease.release();
  while (busy()) {
    co_await changed();
  }
  x_transport.close();
}

void NfsSession::tick(std::int64_t now) {
  if (busy() && !x_partial) {
    // The client waits for us, not we for it.
    x_transport.expire_after(x_owner.service().options.idle_timeout);
  }
  const std::chrono::nanoseconds pressed = x_owner.service().options.pressed_record_timeout;
  if (x_record_lease && now - x_record_since >= pressed.count() &&
      x_owner.service().budget.contended()) {
    x_transport.expire_after({});
    now = steady_now_ns();
  }
  x_transport.tick(now);
}

void NfsSession::leave() {
  x_closing = true;
  x_transport.stop_reading();
  notify();
}

void NfsSession::abort() {
  x_closing = true;
  x_transport.reset();
  notify();
}

Async<> NfsSession::read_loop() {
  const NfsOptions& options = x_owner.service().options;
  x_transport.expire_after(options.record_timeout);  // for the first record
  while (!x_closing) {
    if (x_starttls) {
      if (!co_await start_tls()) {
        co_return;
      }
      continue;
    }
    if (!x_waiting.empty() && may_start()) {
      pump();
      continue;
    }
    if (!x_waiting.empty() || !may_start()) {
      co_await changed();
      continue;
    }
    const bool good = co_await receive();
    if (!good) {
      co_return;
    }
    if (!x_waiting.empty() && !co_await reserve()) {
      co_return;
    }
    pump();
  }
}

/// One receive, and what becomes of it. False: the connection is over.
Async<bool> NfsSession::receive() {
  if (x_reader.empty() && !x_transport.secure()) {
    // Idle connections hold no memory.
    x_reader.release();
    const Result<void> readable = co_await x_transport.wait_readable();
    if (!readable) {
      co_return false;
    }
  }
  const MutBytes room = x_reader.room();
  const Result<std::optional<std::size_t>> now = x_transport.try_read(room);
  Result<std::size_t> n = now && *now ? Result<std::size_t>(**now) : Result<std::size_t>(0);
  if (now && !*now) {
    n = co_await x_transport.read_some(room);
  }
  if (!n || *n == 0) {
    if (!n && n.error().code() == Errc::timed_out) {
      x_owner.counters().timeouts.add(x_partial ? 1 : 0);
    }
    co_return false;
  }
  x_owner.counters().bytes_in.add(*n);
  if (!enqueue(x_reader.received(*n, x_received))) {
    co_return false;
  }
  while (x_reader.wanted() > 0) {
    const bool good = co_await make_room_for_large();
    if (!good) {
      co_return false;
    }
  }
  co_return true;
}

/// What has been received becomes calls that wait to be served; arms the deadline of what follows.
bool NfsSession::enqueue(bool sane) {
  if (!sane) {
    x_owner.counters().bad_records.add(1);
    log::debug("not RPC", {{"remote", x_peer.address.to_string()}});
    return false;
  }
  const NfsOptions& options = x_owner.service().options;
  const bool partial = !x_reader.empty();
  if (!partial) {
    x_transport.expire_after(options.idle_timeout);
  } else if (!x_partial || !x_received.empty()) {
    x_transport.expire_after(options.record_timeout);
  }
  x_partial = partial;
  for (Buffer& record : x_received) {
    // A lease, if there is one, is the first record's: nothing overtakes a large one.
    x_waiting.push_back({std::move(record), std::move(x_record_lease)});
  }
  x_received.clear();
  return true;
}

/// Memory for a record that the receive block is too small for. Calls that came before it are
/// served meanwhile.
Async<bool> NfsSession::make_room_for_large() {
  const std::size_t bytes = x_reader.wanted();
  if (bytes > kMaxStrangerRecord && !x_owner.service().exports.any_allows(x_peer.address)) {
    x_owner.counters().bad_records.add(1);
    co_return false;
  }
  ByteBudget& budget = x_owner.service().budget;
  x_record_lease.release();
  if (!budget.try_take(bytes, x_record_lease, ByteBudget::Part::common)) {
    pump();
    x_transport.never_expire();  // it is us who are slow
    Result<ByteBudget::Lease> got = co_await budget.take(bytes, ByteBudget::Part::common);
    if (!got) {
      co_return false;
    }
    x_record_lease = *std::move(got);
    x_transport.expire_after(x_owner.service().options.record_timeout);
  }
  x_record_since = steady_now_ns();
  co_return !x_closing && enqueue(x_reader.supply(Buffer::make(bytes), x_received));
}

/// The STARTTLS reply goes out in the clear, then the handshake follows. Bytes that came in the
/// clear behind the request are not taken for what the encrypted client says.
Async<bool> NfsSession::start_tls() {
  while (busy() && !x_closing) {
    co_await changed();
  }
  NfsCounters& counters = x_owner.counters();
  if (x_closing || !x_waiting.empty() || !x_reader.empty()) {
    counters.tls_failures.add(1);
    co_return false;
  }
  x_reader.release();
  x_transport.expire_after(x_owner.service().options.record_timeout);
  const Result<void> shaken = co_await x_transport.handshake(*x_owner.service().tls);
  if (!shaken) {
    counters.tls_failures.add(1);
    log::debug("TLS handshake failed",
               {{"remote", x_peer.address.to_string()}, {"error", shaken.error().describe()}});
    co_return false;
  }
  counters.tls_handshakes.add(1);
  x_starttls = false;
  x_peer.tls = true;
  x_peer.tls_name = x_transport.verified_name();
  x_transport.expire_after(x_owner.service().options.record_timeout);
  co_return true;
}

/// The first lease of a connection with work to do is waited for. It may have the lease of a large
/// record in hand then, so it waits in the other line, where that is of no use.
Async<bool> NfsSession::reserve() {
  if (!x_leases.empty()) {
    co_return true;
  }
  ByteBudget::Lease lease;
  ByteBudget& budget = x_owner.service().budget;
  x_tight = !budget.try_take(kNfsCallBytes, lease);
  if (x_tight) {
    Result<ByteBudget::Lease> got = co_await budget.take(kNfsTightCallBytes);
    if (!got) {
      co_return false;
    }
    lease = *std::move(got);
  }
  x_leases.push_back(std::move(lease));
  co_return true;
}

bool NfsSession::may_start() const {
  return !x_closing && !x_starttls && !x_short && x_running < kMaxNfsCalls &&
         x_out.size() < (x_tight ? kNfsTightData : kMaxQueuedReplies);
}

/// Serves what waits. One coroutine serves call after call as long as they complete at once; when
/// one has to wait, the next coroutine goes on with the rest.
///
/// Ends only when nothing waits or when something is under way whose end pumps again: sending may
/// make room for the next call, so it is looked at after every flush.
void NfsSession::pump() {
  x_pumping = true;
  for (;;) {
    if (x_waiting.empty() || !may_start()) {
      flush();
      if (x_waiting.empty() || !may_start()) {
        break;
      }
    }
    ++x_runners;
    asio::co_spawn(x_owner.executor(), serve_waiting(), [this](std::exception_ptr thrown) {
      --x_runners;
      if (thrown) {
        broken();
      }
      notify();
    });
    balance();
  }
  x_pumping = false;
}

Async<> NfsSession::serve_waiting() {
  nfs::RpcCall call;
  nfs::XdrWriter reply;
  while (!x_waiting.empty() && may_start()) {
    Waiting next = std::move(x_waiting.front());
    x_waiting.pop_front();
    const unsigned uncovered = next.lease ? 0 : 1;
    ++x_running;
    x_uncovered += uncovered;
    x_owner.counters().in_flight.add(1);
    const nfs::Dispatcher::Outcome outcome = co_await serve(std::move(next.record), call, reply);
    x_owner.counters().in_flight.sub(1);
    x_owner.counters().calls.add(1);
    x_uncovered -= uncovered;
    --x_running;
    next.lease.release();
    answer(outcome, reply);
    if (!x_pumping) {
      balance();
      flush_later();
    }
  }
}

Async<nfs::Dispatcher::Outcome> NfsSession::serve(Buffer record,
                                                  nfs::RpcCall& call,
                                                  nfs::XdrWriter& reply) {
  const bool tls_offered = x_owner.service().tls != nullptr && !x_peer.tls;
  nfs::Dispatcher::Outcome outcome = nfs::Dispatcher::Outcome::reply;
  std::string what;
  try {
    nfs::Program* const program =
        x_owner.service().dispatcher->route(std::move(record), tls_offered, call, reply, outcome);
    if (program != nullptr) {
      call.most_data = x_tight ? kNfsTightData : SIZE_MAX;
      co_await program->call(x_peer, call, reply);
      call.arguments = {};  // the record's memory is not kept for the next call
    }
    co_return outcome;
  } catch (const std::exception& e) {
    what = e.what();
  }
  log::error("NFS call threw",
             {{"program", call.program}, {"procedure", call.procedure}, {"what", what}});
  reply.clear();
  nfs::write_accepted(reply, call.xid, nfs::AcceptStatus::system_error);
  co_return nfs::Dispatcher::Outcome::reply;
}

void NfsSession::answer(nfs::Dispatcher::Outcome outcome, nfs::XdrWriter& reply) {
  if (outcome == nfs::Dispatcher::Outcome::hang_up) {
    x_owner.counters().bad_records.add(1);
    x_closing = true;
    x_transport.stop_reading();
    notify();
    return;
  }
  if (reply.size() > 0) {
    x_out.u32(kLastFragment | static_cast<std::uint32_t>(reply.size()));
    x_out.append(std::move(reply));
  }
  if (outcome == nfs::Dispatcher::Outcome::starttls) {
    x_starttls = true;
  }
}

/// Leases follow what is in flight: one for each call that waits and for each MiB that is not sent.
void NfsSession::balance() {
  const std::size_t unsent = x_out.size() + x_sending.size();
  const bool active = !x_waiting.empty() || x_running > 0 || unsent > 0;
  const std::size_t target =
      std::max<std::size_t>(active ? 1 : 0, x_uncovered + unsent / kNfsCallBytes);
  while (x_leases.size() > target) {
    x_leases.pop_back();
  }
  widen();
  const bool was_short = std::exchange(x_short, false);
  while (x_leases.size() < target) {
    ByteBudget::Lease lease;
    if (!x_owner.service().budget.try_take(kNfsCallBytes, lease)) {
      x_short = x_running > 0 || unsent > 0;
      break;
    }
    x_leases.push_back(std::move(lease));
  }
  if (was_short && !x_short) {
    notify();
  }
}

/// A small lease becomes a usual one as soon as there is one, or goes with its work.
void NfsSession::widen() {
  if (!x_tight) {
    return;
  }
  if (x_leases.empty()) {
    x_tight = false;
    return;
  }
  ByteBudget::Lease lease;
  if (x_owner.service().budget.try_take(kNfsCallBytes, lease)) {
    x_leases.front() = std::move(lease);
    x_tight = false;
  }
}

/// Replies that get done in one turn of the worker leave in one write.
void NfsSession::flush_later() {
  if (!std::exchange(x_flush_posted, true)) {
    asio::post(x_owner.executor(), [this] {
      x_flush_posted = false;
      pump();
      notify();
    });
  }
}

void NfsSession::flush() {
  if (x_writing || x_out.size() == 0) {
    balance();
    return;
  }
  x_owner.counters().writes.add(1);
  std::size_t sent = 0;
  if (!x_transport.secure()) {
    x_parts.clear();
    x_out.append_iovecs(x_parts);
    const Result<std::size_t> now =
        x_transport.try_write(std::span(x_parts).first(std::min(x_parts.size(), kMostParts)));
    if (!now) {
      broken();
      x_out.clear();
      balance();
      return;
    }
    sent = *now;
    x_owner.counters().bytes_out.add(sent);
  }
  if (sent == x_out.size()) {
    if (x_out.capacity() > kKeptReplyBytes) {
      x_out = {};
    } else {
      x_out.clear();
    }
    balance();
    return;
  }
  x_writing = true;
  x_sending = std::exchange(x_out, {});
  asio::co_spawn(x_owner.executor(), write_rest(sent), [this](std::exception_ptr thrown) {
    x_writing = false;
    x_sending = {};
    if (thrown) {
      broken();
    }
    pump();
    notify();
  });
}

/// What the socket did not take at once, and what has become ready meanwhile.
Async<> NfsSession::write_rest(std::size_t sent) {
  while (x_sending.size() > 0) {
    std::vector<iovec> parts;
    x_sending.append_iovecs(parts);
    std::span<iovec> left(parts);
    x_owner.counters().bytes_out.add(x_sending.size() - sent);
    while (sent > 0) {
      iovec& first = left.front();
      const std::size_t n = std::min(sent, first.iov_len);
      first.iov_base = static_cast<char*>(first.iov_base) + n;
      first.iov_len -= n;
      sent -= n;
      if (first.iov_len == 0) {
        left = left.subspan(1);
      }
    }
    const Result<void> written = co_await x_transport.write_all(left);
    if (!written) {
      broken();
      x_out.clear();
      co_return;
    }
    x_sending = std::exchange(x_out, {});
    balance();
    notify();
  }
}

/// The client must not take half of a reply for anything.
void NfsSession::broken() {
  if (!std::exchange(x_closing, true)) {
    x_owner.counters().resets.add(1);
  }
  x_transport.reset();
  notify();
}

Async<> NfsSession::changed() {
  x_waits_for_change = true;
  boost::system::error_code ignored;
  co_await x_change.async_wait(asio::redirect_error(use_async, ignored));
}

void NfsSession::notify() {
  if (std::exchange(x_waits_for_change, false)) {
    x_change.cancel();
  }
}

}  // namespace outcrop::server
